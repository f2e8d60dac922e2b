"""A project on a cluster in memory, and a policy that offers it a login to its repository."""

import base64
from collections.abc import Mapping
from typing import Any

from onboarding.api.delivery import RepositoryCredential
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.build.credentials import SECRET, secret_name
from onboarding.build.kinds import APP_PROJECT, ObjectKey
from onboarding.reconcile.apply.changes import find_changes
from onboarding.reconcile.apply.diff import Change
from onboarding.reconcile.apply.execute import execute
from onboarding.reconcile.apply.outcome import Outcome
from onboarding.reconcile.apply.repairs import InPlace
from onboarding.reconcile.apply.repeated import RepeatedWrites
from onboarding.reconcile.apply.repository_secrets import RepositorySecretWriter, read_applied, record_applied
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.snapshot import ClusterState, Snapshot
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.fakes import FakeCluster, FakeSecrets
from tests.unit.snapshots import GIT, NOW, OWNER, environment, policy_of, snapshot_of, spec_of

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

    def snapshot(self, *, deleting: bool = False) -> Snapshot:
        live: dict[ObjectKey, CachedObject] = self.cluster.owned("shop")
        return snapshot_of(self.spec, live, deleting=deleting, policy=self.policy)

    def changes(self, *, deleting: bool = False) -> list[Change]:
        snapshot = self.snapshot(deleting=deleting)
        return find_changes(snapshot, make_plan(snapshot), self.secrets.source)

    async def passes(self, *, deleting: bool = False) -> list[Outcome]:
        """Do what the reconciler does of a pass."""
        outcomes = await self._work(self.changes(deleting=deleting))
        return outcomes + await self._work(record_applied(OWNER, outcomes, {"hub": self.cluster}))

    async def _work(self, changes: list[Change]) -> list[Outcome]:
        deliver = RepositorySecretWriter(self.secrets).deliver
        writes = RepeatedWrites().of("shop", InPlace(), NOW)
        return await execute(OWNER, changes, {"hub": self.cluster}, {"hub": ClusterState()}, deliver, writes)

    @property
    def note(self) -> dict[str, str]:
        return read_applied(self.cluster.cached(PROJECT))

    def data(self) -> dict[str, str]:
        return {key: base64.b64decode(text).decode() for key, text in self.secrets.objects[LOGIN]["data"].items()}
