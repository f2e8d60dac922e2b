"""Probes reach what the public reaches, and of private networks only what the policy allows."""

from ipaddress import IPv4Network, IPv6Network

import pytest

from onboarding.adapters.probes.guard import AddressGuard, check_port, parse_url
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.api.addresses import NEVER_REACHED

NOTHING = AddressGuard.of(())
EVERYTHING = AddressGuard.of(("0.0.0.0/0", "::/0"), never=("203.0.113.7", "10.96.0.1", "no address"))


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"],
)
def test_a_public_address_is_reached(address: str) -> None:
    assert NOTHING.refusal(address) == ""


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "198.18.0.1",
        "192.0.2.1",
        "240.0.0.1",
        "::1",
        "fc00::1",
        "fd12:3456::1",
        "2001:db8::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::808:808",
        "2002:a00:1::",
        "2002:7f00:1::",
        "2001:0:53aa:64c:0:7827:80ff:fffe",
        "100::1",
        "5f00::1",
    ],
)
def test_a_private_address_is_refused_unless_the_policy_allows_it(address: str) -> None:
    assert "private" in NOTHING.refusal(address)
    assert EVERYTHING.refusal(address) == ""


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "0.0.0.0",
        "0.1.2.3",
        "255.255.255.255",
        "224.0.0.1",
        "ff02::1",
        "::",
        "10.96.0.1",
        "::ffff:10.96.0.1",
        "203.0.113.7",
    ],
)
def test_some_addresses_are_refused_whatever_the_policy_allows(address: str) -> None:
    assert "never reach" in EVERYTHING.refusal(address)


@pytest.mark.parametrize("network", NEVER_REACHED, ids=str)
def test_what_no_flow_reaches_no_probe_reaches(network: IPv4Network | IPv6Network) -> None:
    assert {("never reach" in EVERYTHING.refusal(str(address))) for address in (network[0], network[-1])} == {True}


@pytest.mark.parametrize("address", ["fe80::1%eth0", "127.1", "2130706433", "0177.0.0.1", "0x7f.0.0.1", "", "host"])
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    assert EVERYTHING.refusal(address)


def test_an_allowed_network_opens_itself_alone() -> None:
    guard = AddressGuard.of(("10.20.0.0/16", "fd12::/32"))
    assert [guard.refusal(address) for address in ("10.20.1.1", "::ffff:10.20.1.1", "fd12::1")] == ["", "", ""]
    assert all(guard.refusal(address) for address in ("10.21.1.1", "127.0.0.1", "fd13::1"))


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.org/a/b",
        "http://git.example.org:8080/",
        "https://93.184.216.34/",
        "https://[2606:4700::1]/",
        "https://xn--bcher-kva.example.org/",
    ],
)
def test_a_plain_url_is_taken(url: str) -> None:
    assert str(parse_url(url)) == url


REFUSED = {
    "a name that no IDNA decodes": ("https://xn--a.s3cret.org/", "cannot be read"),
    "a name with an empty IDNA label": ("https://xn--.s3cret.org/", "cannot be read"),
    "a login": ("https://user:s3cret@git.example.org/", "holds a login"),
    "a user": ("https://s3cret@git.example.org/", "holds a login"),
    "an empty user": ("https://@git.example.org/", "holds a login"),
    "a line end": ("https://git.example.org/s3cret\r\nX: y", "characters"),
    "a null": ("https://git.example.org/s3cret\0", "characters"),
    "a space": ("https://git.example.org/s3cret x", "characters"),
    "a backslash": ("https://git.example.org\\s3cret", "characters"),
    "a letter that is not ASCII": ("https://gít.example.org/s3cret", "characters"),
    "no end": ("https://git.example.org/" + "s3cret" * 1000, "characters"),
    "a file": ("file:///etc/s3cret", "only http and https"),
    "an FTP server": ("ftp://git.example.org/s3cret", "only http and https"),
    "no scheme": ("git.example.org/s3cret", "only http and https"),
    "no host": ("https:///s3cret", "not a full DNS name"),
    "no number as port": ("https://git.example.org:s3cret/", "cannot be read"),
    "a port beyond all": ("https://git.example.org:70000/s3cret", "port"),
    "SSH": ("https://git.example.org:22/s3cret", "port"),
    "mail": ("http://git.example.org:25/s3cret", "port"),
    "etcd": ("https://git.example.org:2379/s3cret", "port"),
    "the API server": ("https://git.example.org:6443/s3cret", "port"),
    "the kubelet": ("https://git.example.org:10250/s3cret", "port"),
    "a decimal address": ("http://2130706433/s3cret", "four decimal numbers"),
    "an octal address": ("http://0177.0.0.1/s3cret", "cannot be read"),
    "a hexadecimal address": ("http://0x7f.0.0.0x1/s3cret", "four decimal numbers"),
    "one hexadecimal number": ("http://0x7f000001/s3cret", "four decimal numbers"),
    "a short address": ("http://127.1/s3cret", "four decimal numbers"),
    "a percent-encoded address": ("http://%31%32%37.0.0.1/s3cret", "address|host|URL"),
    "an address in a zone": ("http://[fe80::1%25eth0]/s3cret", "address|host|URL"),
    "a service": ("http://vault.secrets.svc/s3cret", "inside a cluster"),
    "a service in full": ("http://vault.secrets.svc.cluster.local/s3cret", "inside a cluster"),
    "a service in capitals": ("http://VAULT.SECRETS.SVC.CLUSTER.LOCAL/s3cret", "inside a cluster"),
    "a service with a dot at its end": ("http://vault.secrets.svc.cluster.local./s3cret", "full DNS name"),
    "a short service name": ("http://vault/s3cret", "full DNS name"),
    "this machine": ("http://localhost/s3cret", "full DNS name"),
    "this machine by another name": ("http://x.localhost/s3cret", "inside a cluster"),
    "an empty label": ("http://a..example.org/s3cret", "full DNS name"),
    "a long label": (f"http://{'a' * 64}.example.org/s3cret", "full DNS name"),
    "a long name": (f"http://{'a.' * 130}org/s3cret", "full DNS name"),
}


@pytest.mark.parametrize(("url", "words"), REFUSED.values(), ids=REFUSED)
def test_a_url_is_refused_and_never_quoted(url: str, words: str) -> None:
    with pytest.raises(ProbeProblem, match=words) as raised:
        parse_url(url)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("port", [80, 443, 1024, 8080, 8443, 65535])
def test_a_published_port_is_asked(port: int) -> None:
    check_port(port)


@pytest.mark.parametrize("port", [-1, 0, 22, 81, 1023, 2379, 2380, 6443, 10248, 10250, 10259, 65536])
def test_other_ports_are_not(port: int) -> None:
    with pytest.raises(ProbeProblem, match="port"):
        check_port(port)
