"""A pass goes on by itself until nothing is left to do: no event tells of what it has brought about itself."""

from onboarding.build.kinds import APP_PROJECT
from onboarding.build.wanted import build_wanted
from onboarding.reconcile.reconciler import Retry
from onboarding.reconcile.world import ClusterState
from tests.unit.stage import Stage
from tests.unit.worlds import OWNER, environment, revisions, spec_of, world_of

SPEC = spec_of(environment())


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
