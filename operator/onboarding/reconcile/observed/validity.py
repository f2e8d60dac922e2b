"""Problems of policies and targets, and their status; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from onboarding.api.addresses import network
from onboarding.api.conditions import Condition, ConditionType, PlatformStatus, PolicyChange, PolicyStatus, Reason

_LONGEST = 512
_UPDATE = "run a newer operator, or remove it"


class Problem(NamedTuple):
    """A field that breaks a rule."""

    field: str
    """Its path as in the manifest, such as ``spec.gates[2].opens[0].stages``."""
    rule: str
    """The value and the rule that it breaks."""
    remedy: str
    """How to fix it; the empty string if the rule says it already."""
    newer: bool = False
    """Whether the field is valid for a newer operator only."""

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}" + (f"; {self.remedy}" if self.remedy else "")


class RoleState(StrEnum):
    """Whether a ClusterRole can be given to projects."""

    USABLE = "Usable"
    MISSING = "Missing"
    UNBINDABLE = "Unbindable"
    """The operator lacks the verb ``bind`` on it."""


class Validity(NamedTuple):
    """The condition Ready of a policy or target."""

    ready: bool
    reason: Reason
    message: str


def summarize(problems: Sequence[Problem]) -> str:
    """Return the first problem and the number of others, in at most 512 characters.

    A field for a newer operator comes first, because other problems may follow from it.
    """
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    text = str(next((problem for problem in problems if problem.newer), problems[0]))
    room = _LONGEST - len(more)
    return (text if len(text) <= room else f"{text[: room - 1]}…") + more


def unreadable(error: ValidationError, root: str = "spec") -> tuple[Problem, ...]:
    """Return the problems of a spec that does not match its schema, without the values in it."""
    errors = error.errors(include_input=False, include_url=False, include_context=False)
    return tuple(_problem(item, root) for item in errors)


def is_newer(problems: Iterable[Problem]) -> bool:
    """Return whether one of the problems is that the operator is too old."""
    return any(problem.newer for problem in problems)


def reason_of(problems: Iterable[Problem]) -> Reason:
    """Return the reason of the condition Ready for these problems."""
    return Reason.NEWER_THAN_OPERATOR if is_newer(problems) else Reason.INVALID


def _problem(error: ErrorDetails, root: str) -> Problem:
    field = root + _path(error["loc"])
    if error["type"] == "extra_forbidden":
        return Problem(field, "this operator does not know the field", _UPDATE, newer=True)
    if error["type"] in ("enum", "literal_error"):
        rule = error["msg"].removeprefix("Input should be ")
        return Problem(field, f"this operator does not know the value, only {rule}", _UPDATE, newer=True)
    return Problem(field, error["msg"].removeprefix("Value error, "), "")


def _path(location: Iterable[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def repeated(field: str, key: str, names: Iterable[str]) -> Iterator[Problem]:
    """Find names that a list contains twice; ``key`` is the field of its items, the empty string for plain values."""
    seen = set[str]()
    for index, name in enumerate(names):
        if name in seen:
            path = f"{field}[{index}]" + (f".{key}" if key else "")
            yield Problem(path, f"{name} is listed twice", "remove or rename one")
        seen.add(name)


def cidr_problems(field: str, cidrs: Iterable[str]) -> Iterator[Problem]:
    """Find invalid CIDRs: wrong form, host bits set, or IPv4-mapped IPv6."""
    for index, cidr in enumerate(cidrs):
        try:
            network(cidr)
        except ValueError as error:
            yield Problem(f"{field}[{index}]", f"{cidr}: {error}", "")


def status_due(
    validity: Validity,
    generation: int,
    before: Mapping[str, Any],
    now: datetime,
    argocd: Validity | None = None,
) -> dict[str, Any] | None:
    """Return the status to write on a target; None if ``before`` is up to date.

    ``argocd`` is its condition ArgoCDSafe; if that is not known yet, the former one stays.
    """
    safe = _argocd_condition(argocd, generation, before, now)
    conditions = (*((safe,) if safe else ()), *_conditions(validity, generation, before, now))
    return _unless_same(PlatformStatus(observed_generation=generation, conditions=conditions), before)


def policy_status_due(
    validity: Validity, generation: int, before: Mapping[str, Any], now: datetime, change: PolicyChange | None
) -> dict[str, Any] | None:
    """Return the status to write on a policy; None if ``before`` is up to date.

    The effect of its last ``change`` stays as it was written if None is known, as after a start.
    """
    conditions = _conditions(validity, generation, before, now)
    last_change = change or _former_change(before)
    status = PolicyStatus(observed_generation=generation, conditions=conditions, last_change=last_change)
    return _unless_same(status, before)


def _former_change(before: Mapping[str, Any]) -> PolicyChange | None:
    """Return the effect of a change as a status shows it; None if it shows none that can be read."""
    try:
        return PolicyChange.model_validate(before.get("lastChange"))
    except ValidationError:
        return None


def _unless_same(status: PlatformStatus, before: Mapping[str, Any]) -> dict[str, Any] | None:
    wanted = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    shown = {key: before.get(key) for key in ("observedGeneration", "conditions", "lastChange") if key in before}
    return None if shown == wanted else wanted


def _conditions(validity: Validity, generation: int, before: Mapping[str, Any], now: datetime) -> tuple[Condition, ...]:
    """Return the conditions of a policy or target.

    Beside Ready, it has Stalled if a person has to act, and Reconciling if the operator tries again by itself, with the
    same reason and message, as on a project.
    """
    former = {item.get("type"): item for item in before.get("conditions") or ()}
    states = {ConditionType.READY: "True" if validity.ready else "False"}
    if not validity.ready:
        retried = validity.reason is Reason.TARGET_UNREACHABLE
        states[ConditionType.RECONCILING if retried else ConditionType.STALLED] = "True"
    return tuple(
        _condition(kind, status, validity, generation, former.get(kind, {}), now)
        for kind, status in sorted(states.items())
    )


def _argocd_condition(
    argocd: Validity | None, generation: int, before: Mapping[str, Any], now: datetime
) -> Condition | None:
    shown: Mapping[str, Mapping[str, Any]] = {item.get("type"): item for item in before.get("conditions") or ()}
    former = shown.get(ConditionType.ARGOCD_SAFE, {})
    if argocd is None:
        return Condition.model_validate(former) if former else None
    states = {Reason.SETTINGS_SAFE: "True", Reason.SETTINGS_UNSAFE: "False"}
    status = states.get(argocd.reason, "Unknown")
    return _condition(ConditionType.ARGOCD_SAFE, status, argocd, generation, former, now)


def _condition(
    kind: ConditionType, status: str, validity: Validity, generation: int, former: Mapping[str, Any], now: datetime
) -> Condition:
    since = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Condition(
        type=kind,
        status=status,
        reason=validity.reason,
        message=validity.message[:_LONGEST],
        observed_generation=generation,
        last_transition_time=former["lastTransitionTime"] if former.get("status") == status else since,
    )
