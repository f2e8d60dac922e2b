"""A reconciler on a world in memory."""

from dataclasses import replace
from typing import Any

from onboarding.reconcile.ledger import Ledger
from onboarding.reconcile.observe import Observer
from onboarding.reconcile.reconciler import Reconciler, Retry
from onboarding.reconcile.world import World
from tests.unit.fakes import FakeCluster, FakeSecrets
from tests.unit.worlds import OWNER


class Stage(Observer):
    """One project on one cluster; it is the observer, and keeps what is written about the project."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cluster = FakeCluster()
        self.finalizers: tuple[str, ...] | None = None
        self.status: dict[str, Any] = {}
        self.statuses = 0
        self.ledger = Ledger(OWNER.installation, lambda _project: None)
        self.reconciler = Reconciler(self, {"hub": self.cluster}, self, self, self.ledger, FakeSecrets())

    def observe(self, name: str) -> World:
        """Return the world as it is by now."""
        live = {key: item for key, item in self.cluster.owned(name).items() if item.owner == OWNER}
        return replace(self.world, live=live, clusters={"hub": self.cluster.state})

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
        self.world = replace(self.world, project=replace(self.world.project, status=status))

    async def write_finalizers(self, _project: Any, finalizers: tuple[str, ...]) -> None:
        """Keep them."""
        self.finalizers = finalizers

    async def announce(self, *_: Any) -> None:
        """Tell nobody."""

    def follow(self, *_: Any, **__: Any) -> None:
        """Ask nobody."""

    def forget(self, _project: str) -> None:
        """Ask nobody."""
