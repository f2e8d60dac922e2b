"""A site is connected to with a kubeconfig that runs nothing and trusts nobody blindly; its content stays secret."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from onboarding.adapters.client import Client
from onboarding.adapters.cluster import KubeCluster
from onboarding.adapters.pool import ClusterPool, DisconnectedCluster, KubeconfigRules, read_kubeconfig
from onboarding.adapters.secrets import read_secret_key
from onboarding.build.kinds import HUB, NAMESPACE, ObjectKey
from onboarding.errors import ApiError, OnboardingError, SecretError, UnreachableError
from onboarding.reconcile.observed.cached_object import CachedObject

SECRET = "s3cret"
GOOD: dict[str, Any] = {
    "clusters": [{"name": "c", "cluster": {"server": "https://site.example.org"}}],
    "users": [{"name": "u", "user": {"token": SECRET}}],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "x",
}
KEY = ObjectKey("site", NAMESPACE, "", "x")


def kubeconfig(user: Mapping[str, Any] | None = None, cluster: Mapping[str, Any] | None = None, **top: Any) -> bytes:
    users = [{"name": "u", "user": {"token": SECRET, **(user or {})}}]
    clusters = [{"name": "c", "cluster": {"server": "https://site.example.org", **(cluster or {})}}]
    return yaml.safe_dump({**GOOD, "users": users, "clusters": clusters, **top}).encode()


def test_a_kubeconfig_with_a_token_is_taken() -> None:
    assert read_kubeconfig(kubeconfig()) == GOOD


REFUSED = {
    "a command": (kubeconfig({"exec": {"command": SECRET}}), "runs a command"),
    "a plugin": (kubeconfig({"auth-provider": {"name": SECRET}}), "runs a command"),
    "no check of certificates": (kubeconfig(cluster={"insecure-skip-tls-verify": True}), "skips the check"),
    "no user": (kubeconfig(users=None), "needs clusters, users"),
    "no YAML": (f"{SECRET}: [".encode(), "cannot be read"),
    "no mapping": (SECRET.encode(), "cannot be read"),
    "nothing": (b"", "cannot be read"),
    "users that are text": (kubeconfig(users=[SECRET]), "kubeconfig"),
    "clusters that are text": (kubeconfig(clusters=[SECRET]), "kubeconfig"),
    "no encryption": (kubeconfig(cluster={"server": "http://site.example.org"}), "without https"),
    "a token from a file of the operator": (kubeconfig({"tokenFile": f"/{SECRET}"}), "names files"),
    "a certificate from a file of the operator": (kubeconfig({"client-certificate": f"/{SECRET}"}), "names files"),
    "a key from a file of the operator": (kubeconfig({"client-key": f"/{SECRET}"}), "names files"),
    "another current context": (kubeconfig(**{"current-context": SECRET}), "correct current-context"),
    "a context of another user": (
        kubeconfig(contexts=[{"name": "x", "context": {"cluster": "c", "user": SECRET}}]),
        "has no user of the name",
    ),
    "an authority from a file": (
        kubeconfig(cluster={"certificate-authority": f"/{SECRET}"}),
        "kubeconfig",
    ),
}


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=REFUSED)
def test_a_kubeconfig_is_refused_and_never_quoted(content: bytes, words: str) -> None:
    with pytest.raises(UnreachableError, match=words) as refusal:
        read_kubeconfig(content)
    assert SECRET not in str(refusal.value)


ALLOWED = {
    "a command": KubeconfigRules(commands=True),
    "no check of certificates": KubeconfigRules(unverified=True),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_the_platform_allows_is_taken_and_nothing_else(name: str) -> None:
    assert read_kubeconfig(REFUSED[name][0], ALLOWED[name])
    everything = KubeconfigRules(commands=True, unverified=True)
    for other in REFUSED.keys() - ALLOWED.keys():
        with pytest.raises(UnreachableError):
            read_kubeconfig(REFUSED[other][0], everything)


class Secrets:
    """Answers a GET of a Secret."""

    def __init__(self, answer: dict[str, Any] | OnboardingError) -> None:
        self.answer = answer

    async def request(self, method: str, path: str) -> dict[str, Any]:
        assert (method, path) == ("GET", "/api/v1/namespaces/own/secrets/site")
        if isinstance(self.answer, OnboardingError):
            raise self.answer
        return self.answer


async def test_one_key_of_a_secret_is_read() -> None:
    data = {"kubeconfig": base64.b64encode(b"text").decode()}
    assert await read_secret_key(Secrets({"data": data}), "own", "site", "kubeconfig") == b"text"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ApiError(404, "NotFound", SECRET), "Secret own/site cannot be read: NotFound"),
        (ApiError(401, "Unauthorized", SECRET), "Secret own/site cannot be read: Unauthorized"),
        ({"data": {"other": base64.b64encode(SECRET.encode()).decode()}}, "Secret own/site has no key kubeconfig"),
        ({}, "Secret own/site has no key kubeconfig"),
    ],
    ids=["missing", "login refused", "other key", "empty"],
)
async def test_a_secret_that_cannot_be_used_is_named_and_never_quoted(answer: Any, words: str) -> None:
    with pytest.raises(SecretError, match=words) as refusal:
        await read_secret_key(Secrets(answer), "own", "site", "kubeconfig")  # type: ignore[arg-type]
    assert SECRET not in str(refusal.value)


class Site(KubeCluster):
    """A connection that only notes what becomes of it."""

    trouble = ""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.refusals: list[OnboardingError] = []

    @property
    def reconnect_reason(self) -> str:
        return self.trouble

    async def prove(self) -> None:
        if self.refusals:
            raise self.refusals.pop(0)

    def start(self) -> None:
        self.events.append("started")

    async def close(self) -> None:
        self.events.append("closed")


class Pool:
    """A pool whose Secrets and connections are made up; ``contents`` holds kubeconfigs by Secret."""

    def __init__(self, *, real: bool = False) -> None:
        self.hub, self.site, self.changes = Site(), Site(), 0
        self.contents: dict[str, bytes] = {}
        self.real = real
        self.pool = ClusterPool(
            self.hub, read_secret=self._read, connect=self._connect, state_changed=self._state_changed
        )

    def _state_changed(self) -> None:
        self.changes += 1

    async def _read(self, name: str, key: str) -> bytes:
        if name not in self.contents:
            raise UnreachableError(f"Secret {name} has no key {key}")
        return self.contents[name]

    async def _connect(self, _name: str, content: Mapping[str, Any]) -> KubeCluster:
        if self.real:
            client = await Client.from_kubeconfig(content, request_timeout=1)
            await client.close()
        return self.site

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


async def test_the_hub_is_always_there() -> None:
    pool = Pool().pool
    assert (list(pool), len(pool), pool[HUB]) == ([HUB], 1, pool._hub)


async def test_the_hub_is_never_opened_as_a_site() -> None:
    """Every target may name it; a Secret of that name would lead to a second connection."""
    made = Pool()
    made.contents = {HUB: kubeconfig()}
    made.pool.follow({HUB})
    await made.settle()
    assert (list(made.pool), made.site.events, made.pool[HUB]) == ([HUB], [], made.hub)


async def test_a_site_is_unknown_until_it_is_connected_and_started() -> None:
    made = Pool()
    made.contents = {"site": kubeconfig()}
    made.pool.follow({HUB, "site/kubeconfig"})
    first = made.pool["site/kubeconfig"].state
    assert (first.problem, first.starting) == ("it is being connected to", True)
    await made.settle()
    assert made.pool["site/kubeconfig"] is made.site
    assert made.site.events == ["started"]
    assert list(made.pool.connected()) == [made.hub, made.site]
    made.pool.follow(set())
    await made.settle()
    assert made.site.events == ["started", "closed"]
    assert list(made.pool) == [HUB]


async def test_a_site_that_cannot_be_connected_to_says_why_and_holds_up_nobody() -> None:
    made = Pool()
    made.pool.follow({"site/kubeconfig"})
    await made.settle()
    state = made.pool["site/kubeconfig"].state
    assert (state.problem, state.known, made.changes) == ("Secret site has no key kubeconfig", False, 1)
    await made.pool.close()
    assert made.hub.events == ["closed"]


UNUSABLE = {
    "no cluster": kubeconfig(clusters=[]),
    "no context": kubeconfig(**{"current-context": None}),
    "an unknown context": kubeconfig(**{"current-context": SECRET}),
    "an authority that is no base64": kubeconfig(cluster={"certificate-authority-data": SECRET}),
    "an authority that is no certificate": kubeconfig(
        cluster={"certificate-authority-data": base64.b64encode(SECRET.encode()).decode()}
    ),
    "users that are text": kubeconfig(users=[SECRET]),
}


@pytest.mark.parametrize("content", UNUSABLE.values(), ids=UNUSABLE)
async def test_a_kubeconfig_that_the_client_refuses_is_a_problem_of_its_site(content: bytes) -> None:
    made = Pool(real=True)
    made.contents = {"site": content}
    made.pool.follow({"site/kubeconfig"})
    await made.settle()
    state = made.pool["site/kubeconfig"].state
    await made.pool.close()
    assert not state.starting
    assert "kubeconfig" in state.problem
    assert SECRET not in state.problem


@pytest.mark.parametrize("write", ["create", "change", "delete", "read"])
async def test_what_is_not_connected_knows_nothing_and_takes_no_writes(write: str) -> None:
    site = DisconnectedCluster("why")
    assert (site.cached(KEY), site.owned("shop")) == (None, {})
    live = CachedObject("u", 1, None, "", False, False, "", b"")
    arguments = {"create": (KEY, {}), "change": (KEY, {}, live), "delete": (KEY, live), "read": (KEY,)}
    with pytest.raises(UnreachableError, match="why"):
        await getattr(site, write)(*arguments[write])


async def test_a_site_that_is_another_cluster_is_never_started() -> None:
    made = Pool()
    made.contents = {"site": kubeconfig()}
    made.site.refusals = [UnreachableError("another cluster than before")]
    made.pool.follow({"site/kubeconfig"})
    await made.settle()
    assert made.pool["site/kubeconfig"].state.problem == "another cluster than before"
    assert made.site.events == ["closed"]
    await made.pool.close()


async def test_a_login_that_is_refused_says_what_to_renew() -> None:
    made = Pool()
    made.contents = {"site": kubeconfig()}
    made.site.refusals = [ApiError(401, "Unauthorized", SECRET)]
    made.pool.follow({"site/kubeconfig"})
    await made.settle()
    assert made.pool["site/kubeconfig"].state.problem == "its login is refused: renew its kubeconfig Secret"
    await made.pool.close()


async def test_a_connection_that_is_lost_is_made_anew_from_its_secret() -> None:
    made = Pool()
    made.contents = {"site": kubeconfig()}
    made.pool.follow({"site/kubeconfig"})
    await made.settle()
    made.pool.renew()
    assert made.site.events == ["started"], "nothing is done without a reason"
    former, made.site = made.site, Site()
    former.trouble = "its login is refused"
    made.pool.renew()
    assert made.pool["site/kubeconfig"].state.problem == "its login is refused"
    await made.settle()
    assert (former.events, made.site.events) == (["started", "closed"], ["started"])
    assert made.pool["site/kubeconfig"] is made.site
    await made.pool.close()
