"""A login is found for its exact host only, read seldom, and never shown."""

import base64

import httpx
import pytest

from onboarding.adapters.probes.http import HttpLogin
from onboarding.adapters.probes.logins import Logins
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.api.probes import Credential, TokenSecret
from onboarding.errors import UnreachableError

SECRET = TokenSecret(name="login")
CREDENTIALS = (
    Credential(host="git.example.org", username="robot", token_secret=SECRET),
    Credential(host="plain.example.org.:443", token_secret=SECRET),
    Credential(host="other.example.org:8443", token_secret=SECRET),
)


class Store:
    """Secrets that count how often they are read."""

    def __init__(self) -> None:
        self.content: bytes | None = b"s3cret\n"
        self.read = 0
        self.time = 1000.0

    async def __call__(self, name: str, key: str) -> bytes:
        self.read += 1
        assert (name, key) == ("login", "token")
        if self.content is None:
            raise UnreachableError("Secret operator/login cannot be read: Forbidden")
        return self.content


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def logins(store: Store) -> Logins:
    return Logins(CREDENTIALS, store, clock=lambda: store.time)


@pytest.mark.parametrize(
    ("url", "value"),
    [
        ("https://git.example.org/a", "Basic " + base64.b64encode(b"robot:s3cret").decode()),
        ("https://git.example.org:443/a", "Basic " + base64.b64encode(b"robot:s3cret").decode()),
        ("https://plain.example.org/a", "Bearer s3cret"),
        ("https://other.example.org:8443/a", "Bearer s3cret"),
    ],
)
async def test_a_login_is_for_its_host(logins: Logins, url: str, value: str) -> None:
    login = await logins.find(httpx.URL(url))
    assert login is not None
    assert login.headers(httpx.URL(url)) == {"Authorization": value}
    assert "s3cret" not in repr(login)


@pytest.mark.parametrize(
    "url",
    [
        "http://git.example.org/",
        "http://git.example.org:443/",
        "https://git.example.org:8443/",
        "https://a.git.example.org/",
        "https://git.example.org.evil.example/",
        "https://example.org/",
        "https://other.example.org/",
    ],
)
async def test_no_other_host_gets_a_login(logins: Logins, store: Store, url: str) -> None:
    assert await logins.find(httpx.URL(url)) is None
    assert store.read == 0
    assert HttpLogin("git.example.org", "Bearer s3cret").headers(httpx.URL(url)) == {}


async def test_a_secret_is_read_again_after_a_minute_and_not_before(logins: Logins, store: Store) -> None:
    for _ in range(3):
        await logins.token(SECRET)
    assert store.read == 1
    store.content, store.time = b"n3w", store.time + 61
    assert await logins.token(SECRET) == "n3w"
    assert store.read == 2


async def test_a_secret_that_cannot_be_read_is_tried_again(logins: Logins, store: Store) -> None:
    store.content = None
    with pytest.raises(ProbeProblem, match="login cannot be read"):
        await logins.token(SECRET)
    store.content = b"s3cret"
    assert await logins.token(SECRET) == "s3cret"
