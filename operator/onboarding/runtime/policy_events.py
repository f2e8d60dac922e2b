"""Events on the OnboardingPolicy in force: what the platform has to know and no status of a project may say."""

from collections.abc import Iterable

from onboarding.adapters.hub import HubProjects
from onboarding.reconcile.observed.ports import Event
from onboarding.reconcile.observed.projects import ProjectCache


class PolicyEvents:
    """Posts Events on the policy in force."""

    def __init__(self, hub: HubProjects, declared: ProjectCache, policy: str) -> None:
        """``policy`` is the name of the policy that is in force."""
        self._hub = hub
        self._declared = declared
        self._policy = policy

    async def post(self, announcements: Iterable[Event]) -> bool:
        """Post Events, or log those that are refused; return False if there is no policy to post them on."""
        version = self._declared.offered.policy_version(self._policy)
        if version is None:
            return False
        await self._hub.post_policy_events(version.uid, announcements)
        return True
