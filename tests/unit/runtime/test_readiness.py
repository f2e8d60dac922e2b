"""The operator is ready, and its queue opens, once it has seen everything on the hub."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.runtime import readiness as module
from onboarding.runtime.readiness import Readiness

HUB_SYNCED, STARTING = ClusterState(), ClusterState(problem="its first list is not complete yet", starting=True)


class Stage:
    """Readiness, and the parts that it asks."""

    def __init__(self) -> None:
        self.idle = {"hub": 1.0, "site/kubeconfig": 500.0}
        self.events: Any = SimpleNamespace(synced=True)
        self.session: Any = SimpleNamespace(listening=True, idle_seconds=2.0)
        self.platform: Any = SimpleNamespace(warm=True, idle_seconds=3.0, definitions=SimpleNamespace(problem=""))
        self.clusters: Any = SimpleNamespace(
            states={"hub": HUB_SYNCED}, hub=SimpleNamespace(state=HUB_SYNCED), idle_seconds=lambda: self.idle
        )
        self.readiness = Readiness(self.events, self.session, self.platform, self.clusters, idle_timeout=75)

    async def opens(self, *, within: float = 0.05) -> bool:
        """Return whether the caches count as synced after a refresh."""
        self.readiness.refresh()
        try:
            await asyncio.wait_for(self.readiness.synced(), within)
        except TimeoutError:
            return False
        return True


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_what_is_missing_is_told(stage: Stage) -> None:
    assert stage.readiness.problem() == ""
    stage.clusters.hub.state = ClusterState(problem="away")
    assert stage.readiness.problem() == "away"
    stage.session.listening = False
    assert stage.readiness.problem() == "what is declared has not been listed yet"
    stage.platform.definitions.problem = "apply crds/"
    assert stage.readiness.problem() == "apply crds/"


@pytest.mark.parametrize("part", ["session", "platform", "hub"])
def test_each_watch_on_the_hub_has_to_be_alive_and_none_on_a_site(stage: Stage, part: str) -> None:
    assert stage.readiness.idle_seconds() == {"hub": 3.0, "site/kubeconfig": 500.0}
    if part == "hub":
        stage.idle["hub"] = 151.0
    else:
        getattr(stage, part).idle_seconds = 151.0
    assert stage.readiness.problem() == "a watch on the hub has been silent for 151 s"


@pytest.mark.parametrize("lacks", ["events", "platform", "hub"])
async def test_the_queue_waits_for_everything_on_the_hub(stage: Stage, lacks: str) -> None:
    match lacks:
        case "events":
            stage.events.synced = False
        case "platform":
            stage.platform.warm = False
        case _:
            stage.clusters.states = {"hub": STARTING}
    assert not await stage.opens()


async def test_the_queue_waits_for_sites_and_not_for_ever(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.clusters.states = {"hub": HUB_SYNCED, "site/kubeconfig": STARTING}
    assert not await stage.opens()
    monkeypatch.setattr(module, "_SITES_TIMEOUT", 0.01)
    assert await stage.opens(within=10)


async def test_a_site_that_cannot_be_reached_delays_nobody(stage: Stage) -> None:
    stage.clusters.states = {"hub": HUB_SYNCED, "site/kubeconfig": ClusterState(problem="away")}
    assert await stage.opens(within=10)
