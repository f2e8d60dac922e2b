"""One form of URLs and hosts: what is the same is found the same, and nothing else is."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.api.urls import UrlError, address_of, argocd_form, host_form, lies_under, origin_form, reservation_depth
from tests.unit.spellings import OTHERS, PERHAPS_THE_SAME, PLAIN, PREFIX, REFUSED, SAME


@pytest.mark.parametrize("url", SAME)
def test_every_spelling_of_a_repository_is_that_repository(url: str) -> None:
    assert address_of(url) == address_of(PLAIN)
    assert lies_under(url, PREFIX)
    assert lies_under(url, PLAIN)
    assert reservation_depth(url, PREFIX) == 1


@pytest.mark.parametrize("url", PERHAPS_THE_SAME)
def test_what_may_be_the_same_repository_is_reserved_and_not_allowed(url: str) -> None:
    assert reservation_depth(url, PREFIX) == 1
    assert not lies_under(url, PREFIX)


@pytest.mark.parametrize("url", OTHERS)
def test_another_repository_is_neither_reserved_nor_allowed(url: str) -> None:
    assert reservation_depth(url, PREFIX) is None
    assert not lies_under(url, PREFIX)


@pytest.mark.parametrize(("url", "words"), REFUSED.items())
def test_what_has_no_form_is_refused_and_never_allowed(url: str, words: str) -> None:
    with pytest.raises(UrlError, match=words):
        address_of(url)
    assert not lies_under(url, PREFIX)


@pytest.mark.parametrize("url", [url for url in PERHAPS_THE_SAME if url.startswith(("git@", "ssh://git@"))][:4])
def test_an_address_of_scp_is_one_of_ssh(url: str) -> None:
    assert lies_under(url, "git@git.example.org:private/")
    assert lies_under(url, "ssh://git@git.example.org/private")


@pytest.mark.parametrize(
    ("given_host", "form"),
    [
        ("shop.example.org", "shop.example.org"),
        ("SHOP.Example.org.", "shop.example.org"),
        ("B\u00fccher.example", "xn--bcher-kva.example"),
        ("b\u00fccher\u3002example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        # Nothing else leads there, so that it is compared as it is.
        ("xn--a.example.org", "xn--a.example.org"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:DB8:0:0::1]", "2001:db8::1"),
        ("[::ffff:192.0.2.1]", "192.0.2.1"),
    ],
)
def test_a_host_has_one_form(given_host: str, form: str) -> None:
    assert host_form(given_host) == form
    assert host_form(f"[{form}]" if ":" in form else form) == form


@pytest.mark.parametrize(
    ("origin", "form"),
    [
        ("git.example.org", "git.example.org"),
        ("git.example.org.:443", "git.example.org"),
        ("git.example.org:0443", "git.example.org"),
        ("git.example.org:8443", "git.example.org:8443"),
        ("[2001:db8:0::1]:8443", "[2001:db8::1]:8443"),
    ],
)
def test_an_origin_has_one_form(origin: str, form: str) -> None:
    assert origin_form(origin) == form


FOLDER = st.text("abAB-_~1.", min_size=1, max_size=4).filter(
    lambda text: not {"..", "."} & {text} and not text.lower().endswith(".git") and not text.startswith("~")
)
MUTATIONS: tuple[Callable[[str], str], ...] = (
    lambda path: path.replace("/", "//", 1),
    lambda path: path.replace("/", "/./", 1),
    lambda path: path.replace("/", "/%2E/", 1),
    lambda path: path.replace("a", "%61"),
    lambda path: path.replace("-", "%2D"),
    lambda path: f"{path}/",
    lambda path: f"{path}.git",
    lambda path: f"{path}.git/",
)
HOSTS = ("git.example.org", "GIT.example.org", "git.example.org.", "git.example.org:443")


@given(
    st.lists(FOLDER, min_size=1, max_size=4),
    st.integers(min_value=0, max_value=4),
    st.lists(st.sampled_from(MUTATIONS), max_size=4),
    st.sampled_from(HOSTS),
)
def test_no_spelling_leads_in_or_out_of_a_prefix(
    folders: list[str], depth: int, mutations: list[Callable[[str], str]], host: str
) -> None:
    path = "/" + "/".join(folders)
    prefix = "https://git.example.org/" + "/".join(folders[:depth])
    for mutate in mutations:
        path = mutate(path)
    url = f"https://{host}{path}"
    assert address_of(url) == address_of("https://git.example.org/" + "/".join(folders))
    assert lies_under(url, prefix)
    assert reservation_depth(url, prefix) == min(depth, len(folders))
    assert not lies_under(url, f"{prefix}/other")


@given(
    st.sampled_from(("https://", "http://", "ssh://git@", "git@")),
    st.sampled_from(("h.org", "H.org", "h.org.")),
    st.text("abAB./~-", max_size=12),
)
def test_the_form_is_that_of_itself_and_no_finer_than_argocds(scheme: str, host: str, path: str) -> None:
    url = f"{scheme}{host}{':' if scheme == 'git@' else '/'}{path}"
    try:
        address = address_of(url)
    except UrlError:
        return
    again = f"{address.scheme}://{'git@' if address.user else ''}{address.host}/{'/'.join(address.path)}"
    assert address_of(again) == address
    # Argo CD takes them for one repository: it compares in small letters, and without .git at the end.
    for other in (url.lower(), f"{url.removesuffix('.git')}.git", f"{url.removesuffix('.git')}.GIT"):
        assert argocd_form(other) == argocd_form(url)
        assert address_of(other).folded == address.folded
