"""Events about the platform are posted on the policy in force, and kept back while there is none."""

from typing import Any

from onboarding.adapters.hub import HubProjects
from onboarding.reconcile.observed.ports import Event
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.runtime.policy_events import PolicyEvents
from tests.unit.policy_world import World

NEWS = [Event("Orphaned", "objects are left", warning=True)]


class Hub:
    """A client that keeps what is posted."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []

    async def request(self, _method: str, _path: str, *, body: dict[str, Any]) -> dict[str, Any]:
        """Keep the body."""
        self.posted.append(body)
        return body


def events(hub: Hub, declared: ProjectCache, policy: str) -> PolicyEvents:
    projects = HubProjects(hub, lambda _body: None, policy)  # type: ignore[arg-type]
    return PolicyEvents(projects, declared, policy)


async def test_an_event_is_about_the_policy_in_force() -> None:
    hub, declared = Hub(), World().declared
    version = declared.offered.policy_version("default")
    assert version is not None
    assert await events(hub, declared, "default").post(NEWS)
    (event,) = hub.posted
    assert (event["regarding"]["kind"], event["regarding"]["name"]) == ("OnboardingPolicy", "default")
    assert (event["regarding"]["uid"], event["type"], event["reason"]) == (version.uid, "Warning", "Orphaned")


async def test_without_a_policy_nothing_is_posted_and_the_sender_knows() -> None:
    hub = Hub()
    for declared, policy in ((ProjectCache(), "default"), (World().declared, "other")):
        assert not await events(hub, declared, policy).post(NEWS)
    assert hub.posted == []
