"""Situations of a project with the condition Ready that each of them has, and the status that a reconcile writes."""

from collections.abc import Sequence
from typing import Any

from onboarding.api.conditions import Reason
from onboarding.build.kinds import RESOURCE_QUOTA, ObjectKey
from onboarding.reconcile.apply.diff import Action, Change, Rank
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.observed.snapshot import ClusterState, Snapshot
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from onboarding.reconcile.status.ready import ready_state
from onboarding.reconcile.status.status import Report, report
from tests.unit.snapshots import CLUSTERS, decided, environment, live_of_spec, policy_of, snapshot_of, spec_of

DEV, PROD, REFUSED = environment(), environment("prod", stage="prod"), environment("typo", size="vast")
HELD = environment("held", stage="prod")
VISA = {"name": "live", "opens": [{"stages": ["prod"]}], "approvals": [{"name": "visa", "actor": "poa"}]}
GATED = policy_of({"name": "build", "opens": [{"stages": ["dev"]}]}, VISA)
SUSPENDED = {"decisions": (decided("Suspend"),)}
NO_ROOM = policy_of(ceilings={"production": {"cpu": "1"}})
NO_POLICY = {"policy": None, "policy_problem": "OnboardingPolicy default: there is no size nosuch"}
LIVE = live_of_spec(spec_of(DEV))
PEOPLE = policy_of({"name": "open"}, {"name": "awareness", "approvals": [{"name": "pilot", "actor": "service-team"}]})
Status = dict[str, Any]


def status_of(
    snapshot: Snapshot, outcomes: Sequence[Outcome] = (), plan: ReconcilePlan | None = None, preview: Any = None
) -> Status:
    """Return the status that a reconcile writes."""
    return report_of(snapshot, outcomes, plan, preview).status


def report_of(
    snapshot: Snapshot, outcomes: Sequence[Outcome] = (), plan: ReconcilePlan | None = None, preview: Any = None
) -> Report:
    plan = plan or make_plan(snapshot)
    return report(snapshot, plan, outcomes, ready_state(snapshot, plan, outcomes), preview)


def conditions(status: Status) -> dict[str, Status]:
    return {item["type"]: item for item in status["conditions"]}


def outcome(result: Result, environment_: str = "dev", message: str = "words") -> Outcome:
    key = ObjectKey("hub", RESOURCE_QUOTA, f"shop-{environment_}", "onboarding")
    return Outcome(Change(Action.CREATE, key, Rank.ACCESS, environment_, "hub"), result, message)


BAD = [outcome(result) for result in Result if result not in (Result.DONE, Result.SKIPPED)]
SITUATIONS: dict[str, tuple[Snapshot, Sequence[Outcome], str, Reason, set[str]]] = {
    "in place": (snapshot_of(spec_of(DEV), LIVE), (), "True", Reason.READY, set()),
    "some held": (snapshot_of(spec_of(DEV, HELD), LIVE, policy=GATED), (), "True", Reason.ENVIRONMENTS_HELD, set()),
    "nothing admitted": (snapshot_of(spec_of(HELD), policy=GATED), (), "False", Reason.HELD, set()),
    "one refused": (snapshot_of(spec_of(DEV, REFUSED), LIVE), (), "False", Reason.REFUSED, {"Stalled"}),
    "one in place refused": (
        snapshot_of(spec_of({**DEV, "size": "vast"}), LIVE),
        (),
        "False",
        Reason.REFUSED,
        {"Stalled"},
    ),
    "all refused": (snapshot_of(spec_of(REFUSED)), (), "False", Reason.REFUSED, {"Stalled"}),
    "refused in a plan": (snapshot_of(spec_of(REFUSED, mode="Plan")), (), "False", Reason.REFUSED, {"Stalled"}),
    "full": (snapshot_of(spec_of(DEV, PROD), LIVE, policy=NO_ROOM), (), "True", Reason.ENVIRONMENTS_HELD, set()),
    "one suspended": (
        snapshot_of(spec_of(DEV), LIVE, decisions=(decided("Suspend", environment="dev"),)),
        (),
        "True",
        Reason.ENVIRONMENTS_HELD,
        set(),
    ),
    "suspended": (snapshot_of(spec_of(DEV), LIVE, **SUSPENDED), (), "False", Reason.SUSPENDED, {"Suspended"}),
    "suspended, and a conflict": (
        snapshot_of(spec_of(DEV), LIVE, **SUSPENDED),
        [outcome(Result.CONFLICT)],
        "False",
        Reason.CONFLICT,
        {"Stalled", "Suspended"},
    ),
    "suspended, and the policy is broken": (
        snapshot_of(spec_of(DEV), LIVE, **SUSPENDED, **NO_POLICY),
        (),
        "False",
        Reason.SUSPENDED,
        {"Suspended"},
    ),
    "suspended, and deleted": (
        snapshot_of(spec_of(DEV), LIVE, deleting=True, **SUSPENDED),
        (),
        "Unknown",
        Reason.TEARING_DOWN,
        {"Reconciling", "Suspended"},
    ),
    "nothing declared yet, and a gate waits": (snapshot_of(spec_of(), policy=PEOPLE), (), "False", Reason.HELD, set()),
    "nothing declared yet, and every gate is open": (
        snapshot_of(spec_of(), policy=policy_of({"name": "open"})),
        (),
        "True",
        Reason.READY,
        set(),
    ),
    "nothing declared, and no gates": (snapshot_of(spec_of()), (), "True", Reason.READY, set()),
    "planned": (snapshot_of(spec_of(DEV, mode="Plan")), (), "False", Reason.PLANNED, set()),
    "no policy": (snapshot_of(spec_of(DEV), **NO_POLICY), (), "False", Reason.HELD, set()),
    "no policy beside what is in place": (
        snapshot_of(spec_of(DEV), LIVE, **NO_POLICY),
        (),
        "True",
        Reason.ENVIRONMENTS_HELD,
        set(),
    ),
    "no policy, and deleted": (
        snapshot_of(spec_of(DEV), LIVE, deleting=True, **NO_POLICY),
        (),
        "False",
        Reason.HELD,
        set(),
    ),
    "kept though not declared": (
        snapshot_of(spec_of(mode="Plan"), LIVE),
        (),
        "True",
        Reason.READY,
        set(),
    ),
    "refused": (snapshot_of(None, problem="spec.owner"), (), "False", Reason.REFUSED, {"Stalled"}),
    "removing": (snapshot_of(spec_of(), LIVE), (), "Unknown", Reason.REMOVING, {"Reconciling"}),
    "removal unconfirmed": (
        snapshot_of(spec_of(deletionPolicy="Delete"), LIVE),
        (),
        "True",
        Reason.AWAITING_CONFIRMATION,
        set(),
    ),
    "tearing down": (
        snapshot_of(spec_of(DEV), LIVE, deleting=True),
        (),
        "Unknown",
        Reason.TEARING_DOWN,
        {"Reconciling"},
    ),
    "teardown unconfirmed": (
        snapshot_of(spec_of(DEV, deletionPolicy="Delete"), LIVE, deleting=True),
        (),
        "False",
        Reason.AWAITING_CONFIRMATION,
        set(),
    ),
    "teardown held": (
        snapshot_of(spec_of(DEV), LIVE, deleting=True, teardown_hold="a flood"),
        (),
        "False",
        Reason.TEARDOWN_HELD,
        set(),
    ),
    "teardown waits for a cluster": (
        snapshot_of(
            spec_of(DEV), LIVE, deleting=True, clusters={**CLUSTERS, "site-b/kubeconfig": ClusterState(problem="down")}
        ),
        (),
        "False",
        Reason.TARGET_UNREACHABLE,
        {"Reconciling"},
    ),
    "conflict": (snapshot_of(spec_of(DEV)), [outcome(Result.CONFLICT)], "False", Reason.CONFLICT, {"Stalled"}),
    "guard": (snapshot_of(spec_of(DEV)), [outcome(Result.GUARD_MISSING)], "False", Reason.GUARD_MISSING, {"Stalled"}),
    "Argo CD": (
        snapshot_of(spec_of(DEV)),
        [outcome(Result.ARGOCD_MISSING)],
        "False",
        Reason.ARGOCD_MISSING,
        {"Stalled"},
    ),
    "failed": (snapshot_of(spec_of(DEV)), [outcome(Result.FAILED)], "False", Reason.RETRYING, {"Reconciling"}),
    "unreachable": (
        snapshot_of(spec_of(DEV)),
        [outcome(Result.UNREACHABLE)],
        "False",
        Reason.TARGET_UNREACHABLE,
        {"Reconciling"},
    ),
    "waiting": (snapshot_of(spec_of(DEV)), [outcome(Result.WAITING)], "Unknown", Reason.APPLYING, {"Reconciling"}),
    "conflict before all else": (snapshot_of(spec_of(DEV)), BAD[::-1], "False", Reason.CONFLICT, {"Stalled"}),
}
