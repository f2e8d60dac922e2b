"""Events from the change of one status to the next, so that each state is told once; pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from onboarding import names
from onboarding.api.conditions import ConditionType, Reason
from onboarding.api.status import EnvironmentState, GateState
from onboarding.reconcile.observed.former_sites import FormerSite
from onboarding.reconcile.observed.ports import Event

_WARNINGS: Final = frozenset(
    {
        Reason.CONFLICT,
        Reason.DRIFTED,
        Reason.FORMER_INCARNATION,
        Reason.DRIFTED,
        Reason.FOREIGN_GUARDS,
        Reason.GUARD_MISSING,
        Reason.ARGOCD_MISSING,
        Reason.TARGET_UNREACHABLE,
        Reason.TARGET_MISSING,
        Reason.NAMESPACE_GONE,
        Reason.REFUSED,
        Reason.NEWER_THAN_OPERATOR,
        Reason.TEARDOWN_HELD,
    }
)
"""Reasons of Ready that somebody has to know of."""
_STEPS: Final = frozenset({Reason.AWAITING_CONFIRMATION, Reason.TEARING_DOWN})
"""Reasons of Ready that are steps of a removal."""
_LONGEST: Final = 1024
TORN_DOWN: Final = Event("TornDown", "every object of the project is detached or deleted")


def events_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Event]:
    """Return the Events for the change from one status of a project to the next."""
    return [*_gate_events(before, after), *_ready_events(before, after), *_removal_events(before, after)]


def platform_events(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Event]:
    """Return the Events for the change from one status of a policy or target to the next.

    The same reason is told again for another generation of the spec only: the words of an outage may vary.
    """
    return [*_usable_events(_ready(before), _ready(after)), *_change_events(before, after)]


def _usable_events(former: Mapping[str, Any], ready: Mapping[str, Any]) -> Iterator[Event]:
    if ready["status"] == "False":
        same = (former.get("reason"), former.get("observedGeneration"))
        if same != (ready["reason"], ready["observedGeneration"]):
            yield Event(ready["reason"], ready["message"], warning=True)
    elif former.get("status") == "False" and ready["status"] == "True":
        yield Event(ready["reason"], ready["message"])


def _change_events(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Event]:
    """Yield the Event of a change of the policy that holds every project, once for each generation."""
    former, change = before.get("lastChange") or {}, after.get("lastChange") or {}
    told = former.get("holdsEveryProject") and former.get("generation") == change.get("generation")
    if change.get("holdsEveryProject") and not told:
        named = ", ".join(change["named"])
        note = (
            f"generation {change['generation']} holds every project: {change['environmentsHeld']} environments of "
            f"{change['projects']} projects get nothing new, what is admitted stays; correct the policy, or apply its "
            f"former version; first projects: {named}"
        )
        yield Event("EveryProjectHeld", note[:_LONGEST], warning=True)


def loss_events(left: Mapping[str, Sequence[FormerSite]]) -> list[Event]:
    """Return an Event for each lost site, by name, with the namespaces that are left there."""
    return [
        Event("SiteLost", f"{site} is declared lost; left there: {_listed(spaces)}"[:1024], warning=True)
        for site, spaces in left.items()
    ]


def orphan_event(project: str, counts: Mapping[str, int]) -> Event:
    """Return the Event about the objects of a project that does not exist, by the number of them on each cluster."""
    places = ", ".join(f"{count} on {cluster}" for cluster, count in counts.items())
    note = (
        f"objects are left of project {project}, which does not exist: {places}. Nobody governs them, and nobody may "
        "change them. Create the project again and give them to it, or delete them, with the verb bypass on "
        f"guardrails.{names.GROUP}: docs/off-boarding.md, If the operator is gone"
    )
    return Event("Orphaned", note[:_LONGEST], warning=True)


def _listed(spaces: Sequence[FormerSite]) -> str:
    return ", ".join(f"Namespace {item.namespace}" for item in spaces) or "nothing that the status has listed"


def _gate_events(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Event]:
    passed, held = set(_passed(before)), _held(before)
    yield from (Event("GateOpened", f"gate {name} is open") for name in _passed(after) if name not in passed)
    for name, reasons in _held(after).items():
        if name not in held:
            yield Event("GateHeld", f"gate {name} is held: {'; '.join(reasons)}"[:_LONGEST])


def _passed(status: Mapping[str, Any]) -> list[str]:
    """Return the gates up to the stage that the project has reached."""
    names = [gate["name"] for gate in status.get("gates", ())]
    stage = status.get("stage")
    return names[: names.index(stage) + 1] if stage in names else []


def _held(status: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Return the gates that are held while something waits behind them, each with its reasons."""
    gates = (gate for gate in status.get("gates", ()) if gate["state"] == GateState.HELD)
    return {gate["name"]: gate["waitingFor"] for gate in gates if gate.get("waitingFor")}


def _ready_events(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Event]:
    """Yield the Event of a new reason of Ready, if it is a warning or a step of a removal."""
    former, ready = _ready(before), _ready(after)
    reason = ready.get("reason")
    if reason != former.get("reason") and reason in _WARNINGS | _STEPS:
        yield Event(reason, ready["message"], warning=reason in _WARNINGS)


def _removal_events(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Event]:
    """Yield an Event for each environment whose removal begins or has ended."""
    former, removing = _removing(before), _removing(after)
    for name in sorted(removing - former):
        yield Event("Removing", f"environment {name} is being removed")
    for name in sorted(former - {item["name"] for item in after.get("environments", ())}):
        yield Event("Removed", f"environment {name} is removed")


def _ready(status: Mapping[str, Any]) -> Mapping[str, Any]:
    conditions = status.get("conditions") or ()
    return next((item for item in conditions if item["type"] == ConditionType.READY), {})


def _removing(status: Mapping[str, Any]) -> set[str]:
    return {
        environment["name"]
        for environment in status.get("environments", ())
        if any(site["state"] == EnvironmentState.REMOVING for site in environment.get("sites", ()))
    }
