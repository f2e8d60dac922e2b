"""Spellings of repository URLs: which are one repository, which may be, which are others, and which are none."""

PLAIN = "https://git.example.org/private/billing.git"
PREFIX = "https://git.example.org/private/"
SAME = (
    PLAIN,
    "HTTPS://git.example.org/private/billing.git",
    "https://GIT.Example.ORG/private/billing.git",
    "https://git.example.org./private/billing.git",
    "https://git.example.org:443/private/billing.git",
    "https://git.example.org:0443/private/billing.git",
    "https://git.example.org:/private/billing.git",
    # Finding F9: a doubled slash deployed a neighbour's repository.
    "https://git.example.org//private/billing.git",
    "https://git.example.org/private//billing.git",
    "https://git.example.org/./private/billing.git",
    "https://git.example.org/private/./billing.git",
    "https://git.example.org/%2e/private/billing.git",
    "https://git.example.org/%70rivate/billing.git",
    "https://git.example.org/private/billing%2Egit",
    "https://git.example.org/private/billing",
    "https://git.example.org/private/billing/",
    "https://git.example.org/private/billing.git/",
    "https://git.example.org/private/billing.GIT",
    "https://git.example.org/private/billing.git.git",
)
"""Spellings of one repository, for permission and reservation alike."""
PERHAPS_THE_SAME = (
    "https://git.example.org/Private/Billing.git",
    "https://git.example.org/%50rivate/billing.git",
    "http://git.example.org/private/billing.git",
    "https://git.example.org:8443/private/billing.git",
    "git@git.example.org:private/billing.git",
    "git@git.example.org:/private/billing.git",
    "git@GIT.example.org.:private/billing.git",
    "ssh://git@git.example.org/private/billing.git",
    "ssh://git@git.example.org:22/private/billing.git",
    "ssh://git@git.example.org:2222/private/billing.git",
    "ssh://git@git.example.org/~/private/billing.git",
    "ssh://git@git.example.org/~git/private/billing.git",
    "ssh://deploy@git.example.org/private/billing.git",
)
"""Spellings that some servers take for that repository: a reservation holds for them, a permission does not."""
OTHERS = (
    "https://git.example.org/privateer/billing.git",
    "https://git.example.org/public/private/billing.git",
    "https://git.example.com/private/billing.git",
    "https://git.example.org.example.com/private/billing.git",
    "https://xn--gt-nja.example.org/private/billing.git",
    "https://g\u0456t.example.org/private/billing.git",
    "https://git.example.org/private.git/billing",
)
"""Other repositories; the last but one has a Cyrillic letter in its host."""
REFUSED = {
    "https://git.example.org/public/../private/billing.git": "'..'",
    "https://git.example.org/public/%2e%2E/private/billing.git": "'..'",
    "https://git.example.org/public%2F..%2fprivate/billing.git": "%2F",
    "https://git.example.org/private%5Cbilling.git": "%5C",
    "https://git.example.org/%2570rivate/billing.git": "%25",
    "https://git.example.org/private/billing.git%00": "%00",
    "https://git.example.org/priv%C3%A1te/billing.git": "%C3",
    "https://git.example.org/private%zz/billing.git": "other characters",
    "https://git.example.org/private;a=b/billing.git": "other characters",
    "https://git.example.org/private/billing.git?x=y": "other characters",
    "https://git.example.org/private/billing.git#x": "other characters",
    "https://git.example.org/private/billing .git": "other characters",
    "https://git.example.org\\@git.example.com/private/billing.git": "host or port",
    "https://ada@git.example.org/private/billing.git": "user name",
    "https://ada:word@git.example.org/private/billing.git": "password",
    "https://git.example.com:443@git.example.org/private": "host or port",
    "https://git.example.org:0/private": "port",
    "https://git.example.org:65536/private": "port",
    "https:///private/billing.git": "host or port",
    "https://git..example.org/private": "DNS name",
    "https://git.example.org../private": "DNS name",
    "https://-git.example.org/private": "DNS name",
    "https://0x7f.1/private": "four decimal numbers",
    "https://2130706433/private": "four decimal numbers",
    "https://127.0.0.01/private": "four decimal numbers",
    "https://[::1%25eth0]/private": "host or port|zone",
    "https://[git.example.org]/private": "IPv6",
    "ftp://git.example.org/private": "scheme",
    "file:///srv/private/billing.git": "scheme",
    "git.example.org/private/billing.git": "no URL",
    "": "no URL",
    # Finding F16: the name of the host is none, and reading it raised an error that nobody expected.
    "https://xn--a.example.org/private/billing.git": "xn--",
    "https://a\u200d.example.org/private/billing.git": "IDNA",
}
"""What readers may take for different repositories, with a part of the refusal."""
