"""Each reconcile ends as a result that is counted, and is asked for again as it has ended."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from onboarding.api.conditions import Reason
from onboarding.errors import ApiError, OnboardingError, StatusError, UnreachableError
from onboarding.reconcile.observed.platform import POLICIES
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import PolicyVersion
from onboarding.reconcile.reconciler import ReconcileResult, Retry
from onboarding.reconcile.status.policy_outcome import PolicyOutcome
from onboarding.runtime.metrics import Metrics
from onboarding.runtime.policy_changes import PolicyChanges
from onboarding.runtime.queue import Requeue
from onboarding.runtime.worker import Worker
from tests.unit.snapshots import decided, offer

READY: Any = SimpleNamespace(reason=Reason.READY)
SHOP = {"metadata": {"name": "shop", "uid": "u", "resourceVersion": "1", "generation": 1}, "spec": {}}


class Hub:
    """A hub whose guard rails have answered."""

    state = "as now"

    async def guards_answered(self) -> None:
        """Have nothing to wait for."""


class Stage:
    """A worker, and the answers of those whom it asks."""

    def __init__(self) -> None:
        self.metrics, self.declared = Metrics(), ProjectCache()
        self.declared.put_project(SHOP)
        self.changes = PolicyChanges(self.declared, "default", lambda: self.now)
        self.outdated = ""
        self.answer: Callable[[], ReconcileResult] = lambda: ReconcileResult(ready=READY)
        self.later: list[tuple[str, float]] = []
        self.told = 0
        self.now = 0.0
        self.clusters = SimpleNamespace(
            hub=Hub(), states={"hub": Hub.state}, pool=SimpleNamespace(connected=lambda: iter(())), outdated=False
        )
        whoever: Any = self
        self.worker = Worker(
            whoever,
            self.declared,
            SimpleNamespace(definitions=whoever, policy_changes=self.changes),  # type: ignore[arg-type]
            self.clusters,  # type: ignore[arg-type]
            self.metrics,
            clusters_changed=self._tell,
            add_later=lambda name, seconds: self.later.append((name, seconds)),
            clock=lambda: self.now,
        )

    def _tell(self) -> None:
        self.told += 1

    async def confirm(self) -> str:
        """Stand for the definitions."""
        return self.outdated

    async def reconcile(self, _name: str) -> ReconcileResult:
        """Stand for the reconciler."""
        return self.answer()

    def counted(self, result: str) -> float | None:
        """Return how many reconciles ended so."""
        return self.metrics.registry.get_sample_value("onboarding_reconcile_total", {"result": result})


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize(
    ("retry", "requeue"),
    [
        (Retry.NO, Requeue.NO),
        (Retry.SOON, Requeue.SOON),
        (Retry.LATER, Requeue.BACK_OFF),
        (Retry.FOR_A_PERSON, Requeue.FOR_A_PERSON),
    ],
)
async def test_a_reconcile_is_counted_by_the_reason_of_ready(stage: Stage, retry: Retry, requeue: Requeue) -> None:
    stage.answer = lambda: ReconcileResult(ready=READY, retry=retry, states={"dev": "Ready"})
    assert await stage.worker.reconcile("shop") is requeue
    assert stage.counted("Ready") == 1
    assert stage.metrics.states == {"shop": {"dev": "Ready"}}


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (UnreachableError("away"), "Error"),
        (StatusError("refused"), "StatusNotWritten"),
        (ApiError(403, "Forbidden", "no"), "Error"),
        (ValueError("a bug"), "Panic"),
    ],
)
async def test_a_failure_backs_off_and_keeps_the_project(stage: Stage, error: Exception, result: str) -> None:
    def fail() -> ReconcileResult:
        raise error

    stage.answer = fail
    assert await stage.worker.reconcile("shop") is Requeue.BACK_OFF
    assert stage.counted(result) == 1
    assert list(stage.declared.names()) == ["shop"]


async def test_a_project_that_the_server_does_not_know_is_dropped(stage: Stage) -> None:
    def fail() -> ReconcileResult:
        raise ApiError(404, "NotFound", "no shop")

    stage.answer = fail
    await stage.worker.reconcile("shop")
    assert list(stage.declared.names()) == []


async def test_nothing_is_reconciled_under_definitions_that_are_older_than_the_operator(stage: Stage) -> None:
    def fail() -> ReconcileResult:
        raise OnboardingError("reconciled all the same")

    stage.answer, stage.outdated = fail, "apply crds/"
    assert await stage.worker.reconcile("shop") is Requeue.NO
    assert stage.counted("OldDefinitions") == 1


async def test_a_project_that_is_gone_leaves_no_state(stage: Stage) -> None:
    await stage.worker.reconcile("shop")
    assert stage.metrics.reasons == {"shop": "Ready"}
    stage.metrics.states["shop"] = {"dev": "Ready"}
    stage.answer = lambda: ReconcileResult(ready=None)
    assert await stage.worker.reconcile("shop") is Requeue.NO
    assert (stage.counted("Gone"), stage.metrics.states, stage.metrics.reasons) == (1, {}, {})


async def test_each_repair_is_counted_by_kind(stage: Stage) -> None:
    stage.answer = lambda: ReconcileResult(ready=READY, repaired=("Namespace", "RoleBinding", "RoleBinding"))
    await stage.worker.reconcile("shop")
    registry = stage.metrics.registry
    assert registry.get_sample_value("onboarding_repairs_total", {"kind": "RoleBinding"}) == 2


async def test_the_same_failure_is_logged_once_an_hour_until_a_reconcile_goes_well(stage: Stage) -> None:
    failing = True

    def answer() -> ReconcileResult:
        if failing:
            raise UnreachableError("away")
        return ReconcileResult(ready=READY)

    stage.answer = answer
    with capture_logs() as logs:
        for seconds in (0, 60, 1800, 3700):
            stage.now = seconds
            await stage.worker.reconcile("shop")
        failing = False
        await stage.worker.reconcile("shop")
        failing = True
        await stage.worker.reconcile("shop")
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["reconcile failed"] * 3


async def test_a_reconcile_that_depends_on_the_time_comes_again(stage: Stage) -> None:
    stage.answer = lambda: ReconcileResult(ready=READY, again_at=datetime.now(UTC) - timedelta(hours=1))
    await stage.worker.reconcile("shop")
    assert stage.later == [("shop", 0.0)]


async def test_the_state_that_a_reconcile_sees_is_the_one_that_changes_are_compared_with(stage: Stage) -> None:
    await stage.worker.reconcile("shop")
    assert stage.told == 0
    stage.clusters.states = {"hub": "as before"}
    await stage.worker.reconcile("shop")
    assert stage.told == 1


async def test_decisions_of_a_project_that_is_gone_are_named_in_the_log(stage: Stage) -> None:
    stage.declared.put_decision("about-shop", decided("ConfirmDelete"))
    stage.declared.drop_project("shop")
    stage.answer = lambda: ReconcileResult(ready=None)
    with capture_logs() as logs:
        await stage.worker.reconcile("shop")
    (line,) = logs
    assert (line["project"], line["decision"]) == ("shop", ["about-shop"])


async def test_what_a_policy_does_to_a_project_is_counted_until_the_project_is_gone(stage: Stage) -> None:
    """The last project that is reconciled, or gone, makes the count final."""
    stage.declared.offered.put(POLICIES, offer("default", {"stages": []}, 1))
    assert stage.changes.report() is None
    outcome = PolicyOutcome(PolicyVersion("uid-default", 1, usable=False), ("u", 1), free=("dev",))
    stage.answer = lambda: ReconcileResult(ready=READY, policy_outcome=outcome)
    await stage.worker.reconcile("shop")
    stage.declared.offered.put(POLICIES, offer("default", {"stages": [{}]}, 2))
    held = replace(outcome, policy=PolicyVersion("uid-default", 2, usable=False), held=outcome.free, free=())
    stage.answer = lambda: ReconcileResult(ready=READY, policy_outcome=held)
    await stage.worker.reconcile("shop")
    _, count = stage.changes.report() or ("", None)
    assert count is not None
    assert (count.generation, count.environments_held, count.named, count.pending) == (2, 1, ("shop",), 0)
    stage.declared.offered.put(POLICIES, offer("default", {"stages": [{}, {}]}, 3))
    stage.declared.drop_project("shop")
    stage.answer = ReconcileResult
    await stage.worker.reconcile("shop")
    _, count = stage.changes.report() or ("", None)
    assert count is not None
    assert (count.generation, count.environments_held, count.pending) == (3, 0, 0)
