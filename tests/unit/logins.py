"""A project on a cluster in memory, and a policy that offers it a login to its repository."""

import base64
from collections.abc import Mapping
from typing import Any

from onboarding.api.delivery import RepositoryCredential
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.build.credentials import SECRET, secret_name
from onboarding.build.kinds import APP_PROJECT, ObjectKey
from onboarding.reconcile.apply.compare import Change
from onboarding.reconcile.apply.converge import converge
from onboarding.reconcile.apply.credentials import Courier, read_note, settle_notes
from onboarding.reconcile.apply.outcome import Outcome
from onboarding.reconcile.judge import judge
from onboarding.reconcile.live import Live
from onboarding.reconcile.reconciler import differences
from onboarding.reconcile.world import ClusterState, World
from tests.unit.fakes import FakeCluster, FakeSecrets
from tests.unit.worlds import GIT, OWNER, environment, policy_of, spec_of, world_of

TOKEN = b"s3cr3t-token"
FORGE = {"name": "forge", "secret": "forge-login", "prefixes": ["https://git.example.org/"]}
APP = {"name": "app", "url": GIT, "credentials": "forge"}
PROJECT = ObjectKey("hub", APP_PROJECT, "argocd", "shop")
LOGIN = ObjectKey("hub", SECRET, "argocd", secret_name("shop", GIT))


def credential(**fields: Any) -> RepositoryCredential:
    return RepositoryCredential.model_validate({**FORGE, **fields})


def policy(*credentials: Mapping[str, Any]) -> OnboardingPolicySpec:
    return policy_of(delivery={"credentials": list(credentials or (FORGE,))})


class Stage:
    """A project on a cluster in memory, and a policy that offers it a login."""

    def __init__(self, *repositories: Mapping[str, Any]) -> None:
        self.cluster = FakeCluster()
        self.secrets = FakeSecrets()
        self.secrets.put("forge-login", "1", username=b"bot", password=TOKEN)
        self.policy: OnboardingPolicySpec | None = policy()
        self.declare(*repositories or (APP,))

    def declare(self, *repositories: Mapping[str, Any], **fields: Any) -> None:
        self.spec = spec_of(environment(), repositories=list(repositories), **fields)

    def world(self, *, deleting: bool = False) -> World:
        live: dict[ObjectKey, Live] = self.cluster.owned("shop")
        return world_of(self.spec, live, deleting=deleting, policy=self.policy)

    def changes(self, *, deleting: bool = False) -> list[Change]:
        world = self.world(deleting=deleting)
        return differences(world, judge(world), self.secrets.source)

    async def passes(self, *, deleting: bool = False) -> list[Outcome]:
        """Do what the reconciler does of a pass."""
        outcomes = await self._work(self.changes(deleting=deleting))
        return outcomes + await self._work(settle_notes(OWNER, outcomes, {"hub": self.cluster}))

    async def _work(self, changes: list[Change]) -> list[Outcome]:
        deliver = Courier(self.secrets).deliver
        return await converge(OWNER, changes, {"hub": self.cluster}, {"hub": ClusterState()}, deliver)

    @property
    def note(self) -> dict[str, str]:
        return read_note(self.cluster.cached(PROJECT))

    def data(self) -> dict[str, str]:
        return {key: base64.b64decode(text).decode() for key, text in self.secrets.objects[LOGIN]["data"].items()}
