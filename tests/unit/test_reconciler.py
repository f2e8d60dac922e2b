"""A pass goes on by itself until nothing is left to do: no event tells of what it has brought about itself."""

from dataclasses import replace
from typing import Any

from onboarding.build.kinds import APP_PROJECT
from onboarding.build.wanted import build_wanted
from onboarding.reconcile.ledger import Ledger
from onboarding.reconcile.observe import Observer
from onboarding.reconcile.reconciler import Reconciler, Retry
from onboarding.reconcile.world import ClusterState, World
from tests.unit.fakes import FakeCluster, FakeSecrets
from tests.unit.worlds import OWNER, environment, revisions, spec_of, world_of

SPEC = spec_of(environment())


class Stage(Observer):
    """One project on one cluster; it is the observer, and keeps what is written about the project."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cluster = FakeCluster()
        self.finalizers: tuple[str, ...] | None = None
        self.status: dict[str, Any] = {}
        ledger = Ledger(OWNER.installation, lambda _project: None)
        self.reconciler = Reconciler(self, {"hub": self.cluster}, self, self, ledger, FakeSecrets())

    def observe(self, name: str) -> World:
        """Return the world as it is by now."""
        return replace(self.world, live=self.cluster.owned(name), clusters={"hub": self.cluster.state})

    async def settle(self) -> None:
        """Make passes until none asks for another."""
        while (await self.reconciler.reconcile("shop")).retry is not Retry.NO:
            pass

    async def write_status(self, _name: str, status: dict[str, Any]) -> None:
        """Keep it."""
        self.status = status

    async def write_finalizers(self, _project: Any, finalizers: tuple[str, ...]) -> None:
        """Keep them."""
        self.finalizers = finalizers

    async def announce(self, *_: Any) -> None:
        """Tell nobody."""

    def follow(self, *_: Any, **__: Any) -> None:
        """Ask nobody."""

    def forget(self, _project: str) -> None:
        """Ask nobody."""


async def test_a_teardown_of_which_only_the_app_project_is_left_comes_to_its_end() -> None:
    """So it is where a cluster was away while the environments left: the AppProject waits until all is known."""
    stage = Stage(world_of(SPEC, deleting=True))
    for item in build_wanted(OWNER, revisions(SPEC)):
        if item.key.kind is APP_PROJECT:
            stage.cluster.put(item.key, item.manifest)
    stage.cluster.state = ClusterState(problem="away")
    assert (await stage.reconciler.reconcile("shop")).retry is Retry.NO
    assert stage.cluster.objects

    stage.cluster.state = ClusterState()
    assert (await stage.reconciler.reconcile("shop")).retry is Retry.SOON
    assert not stage.cluster.objects
    assert (await stage.reconciler.reconcile("shop")).retry is Retry.NO
    assert stage.finalizers == ()


async def test_a_project_is_narrowed_once_its_application_is_gone() -> None:
    """The deletion is our own work, so that no event tells of it."""
    first, second = ({"name": name, "url": f"https://git.example.org/{name}.git"} for name in ("web", "batch"))
    stage = Stage(world_of(spec_of(environment(), repositories=[first, second])))
    await stage.settle()
    stage.world = world_of(spec_of(environment(), repositories=[first]))
    await stage.settle()
    (project,) = (item for key, item in stage.cluster.objects.items() if key.kind is APP_PROJECT)
    assert project["spec"]["sourceRepos"] == [first["url"]]
