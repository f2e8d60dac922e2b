"""A pass goes on by itself until nothing is left to do: no event tells of what it has brought about itself."""

from dataclasses import replace

import pytest

from onboarding.build.kinds import APP_PROJECT, APPLICATION, NAMESPACE, ROLE_BINDING, SERVICE_ACCOUNT
from onboarding.build.wanted import build_wanted
from onboarding.errors import ApiError, OnboardingError, UnreachableError
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.reconcile.reconciler import Retry
from tests.unit.snapshots import OWNER, environment, revisions, snapshot_of, spec_of
from tests.unit.stage import Stage

SPEC = spec_of(environment())


@pytest.fixture
def stage() -> Stage:
    """A project that has just been declared."""
    return Stage(snapshot_of(SPEC))


async def test_a_teardown_of_which_only_the_app_project_is_left_comes_to_its_end() -> None:
    """So it is where a cluster was away while the environments left: the AppProject waits until all is known."""
    stage = Stage(snapshot_of(SPEC, deleting=True))
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
    stage = Stage(snapshot_of(spec_of(environment(), repositories=[first, second])))
    await stage.settle()
    stage.snapshot = snapshot_of(spec_of(environment(), repositories=[first]))
    await stage.settle()
    (project,) = (item for key, item in stage.cluster.objects.items() if key.kind is APP_PROJECT)
    assert project["spec"]["sourceRepos"] == [first["url"]]


async def test_what_a_quota_keeps_waiting_is_told_by_its_event_and_costs_no_status(stage: Stage) -> None:
    """The rest comes within moments: a status for every quota would be a write more and read by nobody."""
    stage.cluster.counting = False
    first = await stage.reconciler.reconcile("shop")
    assert (first.retry, stage.status) == (Retry.NO, {})
    assert first.again_at is not None
    stage.cluster.counting = True
    stage.cluster.count()
    done = await stage.reconciler.reconcile("shop")
    assert (done.retry, done.again_at) == (Retry.NO, None)
    assert stage.ready() == ("True", "Ready")
    assert stage.statuses == 1


async def test_a_quota_controller_that_is_away_is_told_once_and_waited_for(stage: Stage) -> None:
    """Nobody gets access, the status says so, and nothing polls."""
    stage.cluster.counting = False
    first = await stage.reconciler.reconcile("shop")
    assert first.again_at is not None
    stage.snapshot = replace(stage.snapshot, now=first.again_at)
    late = await stage.reconciler.reconcile("shop")
    assert (late.retry, late.again_at) == (Retry.NO, None)
    assert stage.ready() == ("Unknown", "Applying")
    message = stage.condition("Ready")["message"]
    assert "ResourceQuota shop-dev/onboarding is not in force" in message
    assert "kube-controller-manager" in message
    action = stage.status["nextActions"][0]
    assert (action["actor"], action["action"]) == ("platform", message)
    assert not {key.kind for key in stage.cluster.objects} & {ROLE_BINDING, SERVICE_ACCOUNT, APPLICATION}
    stage.cluster.counting = True
    stage.cluster.count()
    await stage.settle()
    assert stage.ready() == ("True", "Ready")


async def test_a_stranger_that_is_watched_is_asked_for_by_nobody(stage: Stage) -> None:
    """Only an event can mend it: no request, no timer."""
    namespace = next(item for item in build_wanted(OWNER, revisions(SPEC)) if item.key.kind is NAMESPACE)
    stage.cluster.put(namespace.key, {"metadata": {"name": namespace.key.name}})
    for _ in range(3):
        done = await stage.reconciler.reconcile("shop")
    assert (done.retry, stage.ready()) == (Retry.NO, ("False", "Conflict"))
    assert {verb for verb, key in stage.cluster.log if key.namespace in ("", "shop-dev")} == set()
    assert stage.cluster.followed[namespace.key] == {"shop"}
    del stage.cluster.objects[namespace.key]
    await stage.settle()
    assert stage.ready() == ("True", "Ready")
    assert stage.cluster.followed[namespace.key] == set()


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (ClusterState(guarded=False), "GuardMissing"),
        (ClusterState(argocd=False), "ArgoCDMissing"),
        (ClusterState(problem="no answer"), "TargetUnreachable"),
    ],
)
async def test_what_a_change_of_a_clusters_state_mends_is_not_tried_before(
    stage: Stage, state: ClusterState, reason: str
) -> None:
    """Every project is looked at when the state of a cluster changes."""
    stage.cluster.state = state
    done = await stage.reconciler.reconcile("shop")
    assert (done.retry, stage.ready()[1]) == (Retry.NO, reason)


RETRIED: dict[str, tuple[str, OnboardingError, Retry]] = {
    "a webhook that is down": (
        "ResourceQuota",
        ApiError(500, "InternalError", 'failed calling webhook "x": no'),
        Retry.LATER,
    ),
    "a request without an answer": ("Namespace", UnreachableError("no answer"), Retry.LATER),
    "a stranger that is not watched": ("RoleBinding", ApiError(409, "AlreadyExists", "exists"), Retry.FOR_A_PERSON),
}


@pytest.mark.parametrize(("kind", "error", "retry"), RETRIED.values(), ids=RETRIED)
async def test_what_no_event_tells_of_is_tried_again(
    stage: Stage, kind: str, error: OnboardingError, retry: Retry
) -> None:
    stage.cluster.broken = {("create", kind): error}
    if kind == "RoleBinding":
        for item in build_wanted(OWNER, revisions(SPEC)):
            if item.key.kind is ROLE_BINDING:
                stage.cluster.put(item.key, {"metadata": {"name": item.key.name, "namespace": "shop-dev"}})
    assert (await stage.reconciler.reconcile("shop")).retry is retry


UNCLEAR: dict[str, tuple[OnboardingError | None, bool]] = {
    "no answer": (UnreachableError("no answer"), True),
    "an error of the server": (ApiError(500, "InternalError", "etcdserver: request timed out"), True),
    "a stranger is there": (ApiError(409, "AlreadyExists", "exists"), False),
    "done": (None, False),
}


@pytest.mark.parametrize(("error", "kept"), UNCLEAR.values(), ids=UNCLEAR)
async def test_capacity_stays_reserved_after_a_write_without_a_clear_answer(
    stage: Stage, error: OnboardingError | None, kept: bool
) -> None:
    """The namespace may be there all the same: another project must not get its capacity (ADR 0012)."""
    if error:
        stage.cluster.broken = {("create", "Namespace"): error}
    await stage.reconciler.reconcile("shop")
    assert bool(stage.ledgers.capacity.usage("another", ()).sums) is kept
    stage.cluster.broken = {}
    await stage.settle()
    assert not stage.ledgers.capacity.usage("another", ()).sums


async def test_work_beside_a_conflict_ends(stage: Stage) -> None:
    """An environment that arrives, or something that waits to go, asks for a pass only where something was done."""
    stage.snapshot = snapshot_of(spec_of(environment(), environment("prod", stage="prod")))
    namespace = next(item for item in build_wanted(OWNER, revisions(SPEC)) if item.key.kind is NAMESPACE)
    stage.cluster.put(namespace.key, {"metadata": {"name": namespace.key.name}})
    for _ in range(10):
        if (await stage.reconciler.reconcile("shop")).retry is Retry.NO:
            break
    else:
        raise AssertionError("it asks for ever")
    assert stage.ready() == ("False", "Conflict")


async def test_an_environment_that_is_taken_back_is_looked_at_again(stage: Stage) -> None:
    """What came back with it and is wanted no more is pruned by the next pass: no event tells of our own work."""
    await stage.settle()
    stage.snapshot = snapshot_of(spec_of())
    await stage.settle()
    assert stage.cluster.owned("shop") == {}
    stage.snapshot = snapshot_of(spec_of(environment(), team={"groups": {"admin": ["shop-admins"]}}))
    assert (await stage.reconciler.reconcile("shop")).retry is Retry.SOON
    await stage.settle()
    assert stage.ready() == ("True", "Ready")
    bindings = {key.name for key in stage.cluster.objects if key.kind is ROLE_BINDING}
    assert bindings == {"admin:onboarding:admin", "sync:onboarding:sync"}
