"""Faults of the second day: for each, the first next action, the Warning Events and the metric that moved."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from onboarding.adapters.cluster import LOGIN_REFUSED
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.build.kinds import APP_PROJECT, APPLICATION, NAMESPACE, NETWORK_POLICY, ChildKind, ObjectKey
from onboarding.errors import ApiError
from onboarding.reconcile.observed.figures import PlatformFigures
from onboarding.reconcile.observed.ports import Event
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.runtime.gauges import MetricSources
from onboarding.runtime.metrics import Metrics
from onboarding.runtime.policy_changes import PolicyChanges
from onboarding.runtime.worker import Worker
from tests.unit.snapshots import POLICY, decided, environment, snapshot_of, spec_of
from tests.unit.stage import Stage


class Day(Stage):
    """A project in place, with its worker; Events are kept."""

    def __init__(self) -> None:
        super().__init__(snapshot_of(spec_of(environment())))
        self.events: list[Event] = []
        self.metrics = Metrics()
        self.metrics.read_from(
            MetricSources(
                ready=bool,
                depth=int,
                oldest=float,
                idle=dict,
                clusters=dict,
                applications=dict,
                platform=lambda: PlatformFigures({}, {}, {}, {}, 0),
                orphans=dict,
            )
        )
        platform: Any = SimpleNamespace(definitions=self, policy_changes=PolicyChanges(ProjectCache(), "default"))
        pool = SimpleNamespace(connected=lambda: ())
        clusters: Any = SimpleNamespace(hub=self, states={"hub": "as now"}, pool=pool, outdated=False)
        self.state = "as now"
        self.worker = Worker(
            self.reconciler,
            ProjectCache(),
            platform,
            clusters,
            self.metrics,
            clusters_changed=lambda: None,
            add_later=lambda _name, _seconds: None,
        )

    async def guards_answered(self) -> None:
        """Stand for the hub."""

    async def confirm(self) -> str:
        """Stand for the definitions."""
        return ""

    async def post_events(self, _project: Any, events: Any) -> None:
        """Keep them."""
        self.events += events

    async def pass_time(self, minutes: int = 0) -> None:
        """Reconcile now, and again after some minutes."""
        for moment in (self.snapshot.now, self.snapshot.now + timedelta(minutes=minutes)):
            self.snapshot = replace(self.snapshot, now=moment)
            for _ in range(3):
                await self.worker.reconcile("shop")

    def world(self, **fields: Any) -> None:
        """Change the world of the next snapshots."""
        self.snapshot = replace(self.snapshot, **fields)

    def declare(self, *environments: Any) -> None:
        """Change the environments that the project declares."""
        spec = spec_of(*environments)
        project = replace(self.snapshot.project, spec=spec, generation=self.snapshot.project.generation + 1)
        self.world(project=project)

    def sample(self, name: str, **labels: str) -> float | None:
        """Return a sample as Prometheus gets it."""
        return self.metrics.registry.get_sample_value(f"onboarding_{name}", labels)


def changed(**fields: Any) -> OnboardingPolicySpec:
    """Return the policy with other values."""
    return POLICY.model_copy(update=fields)


def drop(day: Day, *kinds: ChildKind) -> None:
    """Delete every object of some kinds."""
    for key in [key for key in day.cluster.objects if key.kind in kinds]:
        del day.cluster.objects[key]


def conflict(day: Day) -> None:
    day.cluster.put(ObjectKey("hub", NAMESPACE, "", "shop-next"), {"metadata": {"name": "shop-next"}})
    day.declare(environment(), environment("next"))


def argocd_gone(day: Day) -> None:
    day.cluster.state = replace(day.cluster.state, argocd=False)
    drop(day, APP_PROJECT, APPLICATION)


def guard_gone(day: Day) -> None:
    day.cluster.state = replace(day.cluster.state, guarded=False, guard_problem="policy x is not in force")
    drop(day, NETWORK_POLICY)


def refused(day: Day) -> None:
    day.cluster.broken = {("create", "NetworkPolicy"): ApiError(403, "Forbidden", "a webhook says no")}
    drop(day, NETWORK_POLICY)


def away(problem: str) -> Callable[[Day], None]:
    def happen(day: Day) -> None:
        day.cluster.state = ClusterState(problem=problem)

    return happen


class Fault(NamedTuple):
    """A fault, and what is told of it."""

    happen: Callable[[Day], None]
    action: str
    """How the first next action begins; empty if nobody has to act."""
    warning: str
    """The reason of the Warning Event; empty if there is none."""
    reason: str
    """The reason of Ready, in the metric."""
    repaired: str = ""
    """The kind whose repairs are counted."""
    minutes: int = 0


HELD = "EnvironmentsHeld"
FAULTS: dict[str, Fault] = {
    "size removed": Fault(
        lambda day: day.world(policy=changed(sizes=POLICY.sizes[1:])),
        "platform: environment dev: size 'small' is not in the policy: choose one of: large",
        "",
        HELD,
    ),
    "stage removed": Fault(
        lambda day: day.world(policy=changed(stages=POLICY.stages[1:])),
        "project: environment dev: stage 'dev' is not in the policy: choose one of: prod",
        "Refused",
        "Refused",
    ),
    "persona renamed": Fault(
        lambda day: day.world(policy=changed(personas=POLICY.personas[1:])),
        "project: environment dev: spec.team.groups names admin, which the policy does not have: use: viewer",
        "Refused",
        "Refused",
    ),
    "policy deleted": Fault(
        lambda day: day.world(policy=None, policy_problem="there is no policy"),
        "platform: there is no policy",
        "",
        HELD,
    ),
    "target deleted": Fault(
        lambda day: day.world(targets={}),
        "platform: HostingTarget main does not exist: the platform restores it, or declares its sites lost",
        "TargetMissing",
        "TargetMissing",
    ),
    "site down": Fault(
        away("no answer within 30 s"), "platform: cluster hub: no answer", "TargetUnreachable", "TargetUnreachable"
    ),
    "login refused": Fault(
        away(LOGIN_REFUSED),
        "platform: cluster hub: its login is refused: renew its kubeconfig Secret",
        "TargetUnreachable",
        "TargetUnreachable",
    ),
    "guard rails gone": Fault(
        guard_gone, "platform: cluster hub: policy x is not in force", "GuardMissing", "GuardMissing"
    ),
    "Argo CD gone": Fault(
        argocd_gone, "platform: cluster hub does not serve Argo CD's kinds", "ArgoCDMissing", "ArgoCDMissing"
    ),
    "name taken": Fault(conflict, "platform: Namespace shop-next exists", "Conflict", "Conflict"),
    "NetworkPolicy deleted": Fault(
        lambda day: drop(day, NETWORK_POLICY), "", "DriftRepaired", "Ready", "NetworkPolicy"
    ),
    "write refused": Fault(refused, "", "", "Retrying"),
    "write refused for long": Fault(
        refused,
        "platform: create of NetworkPolicy shop-dev/default-deny was refused: 403 Forbidden: a webhook says no: this",
        "",
        "Retrying",
        minutes=6,
    ),
    "suspended": Fault(
        lambda day: day.world(decisions=(decided("Suspend"),)), "platform: Suspend by pat: I say so", "", "Suspended"
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_fault_is_told_by_action_event_and_metric(fault: Fault) -> None:
    day = Day()
    await day.pass_time()
    assert day.sample("projects", reason="Ready") == 1
    assert not [event for event in day.events if event.warning]
    fault.happen(day)
    await day.pass_time(fault.minutes)
    (action, *_) = [f"{item['actor']}: {item['action']}" for item in day.status.get("nextActions", ())] or [""]
    warnings = [event.reason for event in day.events if event.warning]
    assert action.startswith(fault.action)
    assert bool(action) == bool(fault.action)
    assert warnings == [fault.warning] * bool(fault.warning)
    assert day.sample("projects", reason=fault.reason) == 1
    assert bool(day.sample("repairs_total", kind=fault.repaired)) == bool(fault.repaired)
