"""A reconciler on a world in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from onboarding.reconcile.observed.ledgers import Ledgers
from onboarding.reconcile.observed.observer import Observer
from onboarding.reconcile.observed.ports import Event
from onboarding.reconcile.observed.snapshot import ClusterState, Snapshot
from onboarding.reconcile.reconciler import Reconciler, Retry
from tests.unit.fakes import FakeCluster, FakeSecrets
from tests.unit.snapshots import OWNER


class Stage(Observer):
    """One project on one cluster; it is the observer, and keeps what is written about the project."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.cluster = FakeCluster()
        self.clusters: Mapping[str, ClusterState] | None = None
        """The states of all clusters, if there is more than the hub."""
        self.events: list[Event] = []
        self.policy_events: list[Event] = []
        self.finalizers: tuple[str, ...] | None = None
        self.status: dict[str, Any] = {}
        self.statuses = 0
        self.ledgers = Ledgers(OWNER.installation, lambda _project: None)
        self.reconciler = Reconciler(self, {"hub": self.cluster}, self, self, self.ledgers, FakeSecrets())

    def observe(self, name: str) -> Snapshot:
        """Return the world as it is by now."""
        live = {key: item for key, item in self.cluster.owned(name).items() if item.owner == OWNER}
        return replace(self.snapshot, live=live, clusters=self.clusters or {"hub": self.cluster.state})

    def condition(self, kind: str) -> dict[str, Any]:
        """Return a condition of the status that was written."""
        found: dict[str, Any] = next(item for item in self.status["conditions"] if item["type"] == kind)
        return found

    def ready(self) -> tuple[str, str]:
        """Return what was written of Ready."""
        condition = self.condition("Ready")
        return condition["status"], condition["reason"]

    async def settle(self) -> None:
        """Make passes until none asks for another."""
        while (await self.reconciler.reconcile("shop")).retry is not Retry.NO:
            pass

    async def write_status(self, _name: str, status: dict[str, Any]) -> None:
        """Keep it."""
        self.status = status
        self.statuses += 1
        self.snapshot = replace(self.snapshot, project=replace(self.snapshot.project, status=status))

    async def write_finalizers(self, _project: Any, finalizers: tuple[str, ...]) -> None:
        """Keep them."""
        self.finalizers = finalizers

    async def post_events(self, _project: Any, events: Sequence[Event]) -> None:
        """Keep them."""
        self.events += events

    async def post_policy_events(self, _uid: str, events: Sequence[Event]) -> None:
        """Keep them apart."""
        self.policy_events += events

    def follow(self, *_: Any, **__: Any) -> None:
        """Ask nobody."""

    def forget(self, _project: str) -> None:
        """Ask nobody."""
