"""argocd-cm of each Argo CD is read by its name: once at first, then from time to time, and at once where it is new."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from onboarding.api.delivery import Delivery
from onboarding.api.target import HostingTargetSpec
from onboarding.build.kinds import HUB
from onboarding.checks.argocd_settings import ArgoSettings, Setting
from onboarding.errors import UnreachableError
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.runtime import argocd_settings as module
from onboarding.runtime.argocd_settings import ArgoCDSettings
from tests.unit.apiserver import FakeApiServer, connected, serving

SAFE = {
    "application.sync.impersonation.enabled": "true",
    "application.sync.requireOverridePrivilegeForRevisionSync": "true",
    "resource.customizations.health.projectonboarding.io_ProjectOnboarding": "return {}",
}
OPEN = {**SAFE, "application.sync.requireOverridePrivilegeForRevisionSync": "false"}
PATH = "/api/v1/namespaces/argocd/configmaps/argocd-cm"


class Stage:
    """A hub with one target, and what is told of its Argo CD."""

    def __init__(self, client: Any) -> None:
        self.hub: Any = SimpleNamespace(name=HUB, client=client, state=ClusterState())
        self.targets = {"main": HostingTargetSpec.model_validate({"sites": [{"name": "a"}]})}
        self.told: list[dict[tuple[str, str], ArgoSettings]] = []
        self.settings = ArgoCDSettings(
            lambda: [self.hub], lambda: self.targets, Delivery, changed=lambda known: self.told.append(dict(known))
        )

    @property
    def of_a(self) -> ArgoSettings:
        return self.settings.known["main", "a"]


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with serving() as fake:
        yield fake


@pytest.fixture
async def stage(server: FakeApiServer) -> AsyncIterator[Stage]:
    async with connected(server.url, request_timeout=0.5) as client:
        yield Stage(client)


async def test_one_named_object_is_read_and_a_change_is_told_once(stage: Stage, server: FakeApiServer) -> None:
    server.script = [server.json({"data": OPEN})]
    await stage.settings.look()
    assert [(request.method, request.path) for request in server.requests] == [("GET", PATH)]
    assert [item.setting for item in stage.of_a.unsafe] == [Setting.REVISION_OVERRIDE]
    await stage.settings.look()
    assert len(stage.told) == 1
    server.script = [server.json({"data": SAFE})]
    await stage.settings.look()
    assert (stage.of_a.unsafe, stage.of_a.unknown, len(stage.told)) == ((), "", 2)


REFUSALS = {
    403: ("Forbidden", "the operator may not read it: apply manifests/argocd-settings"),
    404: ("NotFound", "it does not exist: correct argocd.namespace of the HostingTarget"),
    500: ("InternalError", "the server answers 500 InternalError"),
}


@pytest.mark.parametrize("status", REFUSALS)
async def test_what_may_not_be_read_is_unknown_with_the_remedy(
    stage: Stage, server: FakeApiServer, status: int
) -> None:
    reason, words = REFUSALS[status]
    server.script = [server.json({"data": SAFE}), server.refusal(status, reason, "words that vary")]
    await stage.settings.look()
    await stage.settings.look()
    assert stage.of_a.unknown.startswith(words)
    assert stage.of_a.subject == "ConfigMap argocd/argocd-cm"


async def test_a_config_map_without_data_is_read_as_empty(stage: Stage, server: FakeApiServer) -> None:
    server.script = [server.json({})]
    await stage.settings.look()
    assert {item.setting for item in stage.of_a.unsafe} == {
        Setting.REVISION_OVERRIDE,
        Setting.IMPERSONATION,
        Setting.HEALTH,
    }


async def test_a_request_without_an_answer_changes_nothing_until_it_is_the_sixth(
    stage: Stage, server: FakeApiServer
) -> None:
    server.script = [server.json({"data": SAFE})]
    await stage.settings.look()
    stage.hub.client = _Silent()
    for _ in range(5):
        await stage.settings.look()
        assert stage.of_a.unknown == ""
    await stage.settings.look()
    assert stage.of_a.unknown == "no answer: nobody is there"


class _Silent:
    """A client whose cluster gives no answer."""

    async def request(self, *_args: Any, **_options: Any) -> Any:
        raise UnreachableError("nobody is there")


async def test_a_cluster_that_is_not_connected_is_not_asked_and_nothing_is_known(
    stage: Stage, server: FakeApiServer
) -> None:
    stage.hub.state = ClusterState(problem="no answer")
    await stage.settings.look()
    assert (server.requests, stage.settings.known, stage.told) == ([], {}, [])


async def test_what_is_new_is_read_at_once_and_the_rest_is_not(stage: Stage, server: FakeApiServer) -> None:
    server.script = [server.json({"data": SAFE})]
    await stage.settings.look()
    other = {"sites": [{"name": "a", "argocd": {"namespace": "gitops"}}]}
    stage.targets = {**stage.targets, "other": HostingTargetSpec.model_validate(other)}
    await stage.settings.look(whole=False)
    assert [request.path for request in server.requests] == [PATH, PATH.replace("argocd/", "gitops/")]
    del stage.targets["main"]
    await stage.settings.look(whole=False)
    assert stage.settings.known.keys() == {("other", "a")}


async def test_it_goes_on_after_a_bug_and_looks_again_when_woken(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[bool] = []

    async def look(*, whole: bool) -> None:
        looks.append(whole)
        if len(looks) == 3:
            raise _Over
        stage.settings.wake()
        raise ValueError("a bug")

    monkeypatch.setattr(stage.settings, "look", look)
    with pytest.raises(_Over):
        await stage.settings.run()
    assert looks == [True, False, False]


async def test_settings_that_are_unsafe_are_read_again_soon(
    stage: Stage, server: FakeApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PERIOD", 3600.0)
    monkeypatch.setattr(module, "SOON", 0.0)
    monkeypatch.setattr(stage.settings, "_changed", _stop_if_safe)
    server.script = [server.json({"data": OPEN}), server.json({"data": OPEN}), server.json({"data": SAFE})]
    with pytest.raises(_Over):
        await stage.settings.run()
    assert len(server.requests) == 3


class _Over(BaseException):
    """Ends a loop that has no end."""


def _stop_if_safe(known: dict[Any, ArgoSettings]) -> None:
    if not any(item.unsafe for item in known.values()):
        raise _Over
