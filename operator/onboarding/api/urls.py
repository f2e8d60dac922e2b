"""Repository URLs and hosts in one form, for every comparison: prefixes, reservations, logins and probes. Pure.

There are two comparisons (``docs/adr/0028-one-form-of-urls.md``): a permission is compared exactly, so that it admits
no other repository, and a reservation as coarsely as any server may read a URL, so that no spelling goes past it.
"""

import re
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple

import idna

_SCHEMES: Final = {"https": 443, "http": 80, "ssh": 22}
"""The schemes of a repository URL, each with its default port."""
_WITH_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
_LIKE_SCP: Final = re.compile(r"([A-Za-z0-9._-]+)@([^/:@\[\]]+|\[[^\]]*\]):(.*)", re.DOTALL)
_AUTHORITY: Final = re.compile(
    r"(?:(?P<user>[A-Za-z0-9._-]+)@)?(?P<host>\[[^\]]*\]|[^\[\]@:]+)(?::(?P<port>[0-9]{0,5}))?"
)
_PATH: Final = re.compile(r"(?:[A-Za-z0-9._~/+@-]|%[0-9A-Fa-f]{2})*")
_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_DOUBTFUL: Final = frozenset("/\\%;?#")
"""Characters that servers read in different ways if they are percent-encoded."""
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_A_LABEL: Final = "xn--"
_LONGEST_HOST: Final = 253
_DOT_GIT: Final = ".git"


class UrlError(ValueError):
    """A text is no URL or host that every reader takes for the same; its message says why and what to write."""


class Address(NamedTuple):
    """A repository URL, or a prefix of such URLs, in its parts."""

    scheme: str
    """``https``, ``http`` or ``ssh``; the last also for addresses in the form of scp."""
    user: str
    host: str
    port: int
    path: tuple[str, ...]
    """The folders, without empty ones, and without ``.git`` at the end."""

    @property
    def folded(self) -> tuple[str, ...]:
        """Host and path as a server without regard to case may read them, by whichever protocol and port."""
        return (self.host, *(folder.lower() for folder in self.path))


@lru_cache(maxsize=4096)
def host_form(host: str) -> str:
    """Return a host name or address in the form in which it is compared; UrlError if it is none.

    A name is in small ASCII letters (IDNA) without a dot at its end, IPv4 in four numbers, IPv6 short and without
    brackets. An IPv4 address within IPv6 is that IPv4 address.
    """
    if host.startswith("[") and host.endswith("]"):
        return _ipv6(host[1:-1])
    name = host.removesuffix(".")
    if not name.isascii():
        name = _ascii(name)
    name = name.lower()
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _ipv4(name)
    if len(name) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise UrlError("its host is no DNS name: write one such as git.example.org")
    return name


def has_form(host: str) -> bool:
    """Return whether a text is a host name or address."""
    try:
        host_form(host)
    except UrlError:
        return False
    return True


def origin_form(host: str) -> str:
    """Return a host, which may have a port, in the form in which origins of https are compared; UrlError if it is none.

    The port is left out if it is 443.
    """
    _, name, port = _parts("https", host)
    name = f"[{name}]" if ":" in name else name
    return name if port == _SCHEMES["https"] else f"{name}:{port}"


@lru_cache(maxsize=4096)
def address_of(url: str) -> Address:
    """Return the parts of a repository URL or of a prefix; UrlError if readers may take it for different ones."""
    if found := _WITH_SCHEME.fullmatch(url):
        scheme, authority, path = found[1].lower(), found[2], found[3]
        if scheme not in _SCHEMES:
            raise UrlError("its scheme is none of https, http and ssh")
        user, host, port = _parts(scheme, authority)
    elif found := _LIKE_SCP.fullmatch(url):
        scheme, user, host, path = "ssh", found[1], _read_host(found[2]), found[3]
        port = _SCHEMES[scheme]
    else:
        raise UrlError("it is no URL such as https://git.example.org/team/app.git or git@git.example.org:team/app.git")
    return Address(scheme, user, host, port, _folders(scheme, user, path))


def scheme_of(url: str) -> str:
    """Return the scheme of a repository URL: https, http or ssh; the empty string if it has no form."""
    try:
        return address_of(url).scheme
    except UrlError:
        return ""


def lies_under(url: str, prefix: str) -> bool:
    """Return whether a URL is that of a prefix or lies below it, for a permission: all parts are compared exactly.

    What has no form lies under no prefix.
    """
    try:
        inner, outer = address_of(url), address_of(prefix)
    except UrlError:
        return False
    return inner[:-1] == outer[:-1] and inner.path[: len(outer.path)] == outer.path


def reservation_depth(url: str, prefix: str) -> int | None:
    """Return the number of folders of a prefix that a URL may reach, for a reservation; None if it does not.

    Scheme, user, port and case do not count, because one server may offer a repository under all of them. UrlError if
    one of both has no form.
    """
    inner, outer = address_of(url).folded, address_of(prefix).folded
    return len(outer) - 1 if inner[: len(outer)] == outer else None


def argocd_form(url: str) -> str:
    """Return what Argo CD takes a repository's URL for (``git.NormalizeGitURL``): it finds logins by this form."""
    lower = url.lower()
    if "://" not in lower:
        lower = lower.replace(":", "/", 1)
    return lower.removesuffix(_DOT_GIT).removeprefix("ssh://")


def _parts(scheme: str, authority: str) -> tuple[str, str, int]:
    """Return user, host and port."""
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise UrlError("its host or port cannot be read, or it holds a password: write https://host/path")
    if found["user"] and scheme != "ssh":
        raise UrlError("it holds a user name: logins belong into a Secret that the policy names")
    port = int(found["port"] or _SCHEMES[scheme])
    if not 1 <= port <= 65535:
        raise UrlError("its port is none of 1 to 65535")
    return found["user"] or "", _read_host(found["host"]), port


def _read_host(host: str) -> str:
    """Return the form of a host in a URL, whose internationalised labels have to be valid, too."""
    form = host_form(host)
    if _A_LABEL in form:
        try:
            idna.decode(form)
        except idna.IDNAError:
            raise UrlError("its host has a label that begins with xn-- and is none of IDNA 2008") from None
    return form


def _ascii(name: str) -> str:
    try:
        return idna.encode(name, uts46=True, std3_rules=True).decode("ascii").removesuffix(".")
    except idna.IDNAError:
        raise UrlError("its host is no internationalised DNS name of IDNA 2008") from None


def _ipv4(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise UrlError("its address is not four decimal numbers without leading zeros") from None


def _ipv6(text: str) -> str:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise UrlError("its address in brackets is none of IPv6") from None
    if address.scope_id:
        raise UrlError("its address has a zone, which each machine names by itself")
    return str(address.ipv4_mapped or address)


def _folders(scheme: str, user: str, path: str) -> tuple[str, ...]:
    """Return the folders of a path: decoded as far as every reader does so, without those that mean nothing."""
    if not _PATH.fullmatch(path):
        raise UrlError("its path holds other characters than letters, digits and . _ ~ / + @ -, or those encoded")
    found = [folder for folder in _ENCODED.sub(_decoded, path).split("/") if folder not in {"", "."}]
    if ".." in found:
        raise UrlError("its path holds '..': write the path in full")
    if scheme == "ssh" and found and found[0] in {"~", f"~{user}"}:
        # The home of the account, where an address in the form of scp begins.
        del found[0]
    while found and found[-1].lower().endswith(_DOT_GIT):
        found[-1] = found[-1][: -len(_DOT_GIT)]
        if found[-1] in {"", ".", ".."}:
            del found[-1]
    return tuple(found)


def _decoded(encoded: re.Match[str]) -> str:
    letter = chr(int(encoded[1], 16))
    if letter in _DOUBTFUL or not (letter.isascii() and letter.isprintable()):
        raise UrlError(f"its path holds {encoded[0]}, which servers read in different ways")
    return letter if letter in _UNRESERVED else encoded[0].upper()
