"""What an environment waits for at its gate: the approvals that it lacks, and the changes that they cover; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from onboarding.api.gates import Approval, Coverage
from onboarding.reconcile.gates.approvals import Approvals, Key, describe
from onboarding.reconcile.gates.coverage import Fields
from onboarding.reconcile.gates.digest import approval_digest


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A reason why a gate or an environment is held, with the remedy and the actor."""

    actor: str
    message: str
    remedy: str
    quiet: bool = False
    """Whether it is left out of the status, because a start only repeats a probe that it waits for."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A declared environment behind a gate, with the approvals that the gate requires."""

    name: str
    gate: str
    asked: tuple[Approval, ...]
    admitted: Sequence[Mapping[Coverage, Fields]] = ()
    """Its declared fields as admitted, in the groups that approvals cover, one for each site."""
    changes: Mapping[Coverage, str] | None = None
    """The groups that differ from what is admitted, each with its differences; None if nothing is admitted."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an environment waits for at its gate."""

    missing: tuple[Approval, ...] = ()
    """The approvals that do not cover what is declared."""
    obstacles: tuple[Obstacle, ...] = ()
    """The rejections, and what asks for the missing approvals."""
    changes: tuple[str, ...] = ()
    """A sentence for each group of fields that keeps its admitted values."""
    held: frozenset[Coverage] = frozenset()
    """Those groups."""
    blocks: bool = False
    """Whether nothing new gets into the environment; otherwise only the held groups wait."""
    passes: bool = True
    """Whether each approval is there for what is declared, or for what is admitted."""


def waiting_for(approvals: Approvals, behind: Behind) -> Waiting:
    """Return what an environment waits for at its gate."""
    rejections = tuple(_rejections(approvals, behind))
    missing = tuple(_missing(approvals, behind))
    held = frozenset(group for item in missing for group in item.covered if _changed(behind, group))
    return Waiting(
        missing,
        (*rejections, *(_ask(approvals, item, behind) for item in missing)),
        tuple(_sentence(behind, missing, group) for group in Coverage if group in held),
        held,
        blocks=bool(rejections) or (behind.changes is None and bool(missing)),
        passes=not rejections and all(_covers_admitted(approvals, item, behind) for item in missing),
    )


def _missing(approvals: Approvals, behind: Behind) -> Iterator[Approval]:
    return (item for item in behind.asked if not _is_given(approvals, item, behind))


def _changed(behind: Behind, group: Coverage) -> bool:
    return behind.changes is not None and group in behind.changes


def rejection_of(approval: Approval, text: str, reason: str) -> Obstacle:
    """Return the obstacle of a rejection."""
    remedy = "resolve it with its author, who then deletes the OnboardingDecision"
    return Obstacle(approval.actor, f"{text}: {reason}", remedy)


def _rejections(approvals: Approvals, behind: Behind) -> Iterator[Obstacle]:
    for approval in behind.asked:
        if rejection := approvals.rejected.get(Key(behind.gate, approval.name, behind.name)):
            yield rejection_of(approval, f"environment {behind.name}: {describe(rejection)}", rejection.reason)


def _is_given(approvals: Approvals, approval: Approval, behind: Behind) -> bool:
    """Return whether an approval covers what is declared.

    One of a former release covers what is admitted, as long as no group that the approval covers now changes.
    """
    if approvals.there(Key(behind.gate, approval.name, behind.name)):
        return True
    unchanged = behind.changes is not None and not behind.changes.keys() & approval.covered
    return unchanged and _is_former(approvals, approval, behind)


def _covers_admitted(approvals: Approvals, approval: Approval, behind: Behind) -> bool:
    """Return whether an approval covers what is admitted."""
    if not behind.changes:
        return False
    if _is_former(approvals, approval, behind):
        return True
    key = Key(behind.gate, approval.name, behind.name)
    digests = (approval_digest(behind.name, approval, groups) for groups in behind.admitted)
    return any(approvals.covers(key, digest) for digest in digests)


def _is_former(approvals: Approvals, approval: Approval, behind: Behind) -> bool:
    return Key(behind.gate, approval.name) in approvals.former


def _sentence(behind: Behind, missing: Sequence[Approval], group: Coverage) -> str:
    """Return the sentence about a group that keeps its admitted values."""
    names = " and ".join(item.name for item in missing if group in item.covered)
    return f"{group} waits for approval {names} of gate {behind.gate}: {(behind.changes or {})[group]}"


def _ask(approvals: Approvals, approval: Approval, behind: Behind) -> Obstacle:
    subject, name = f"approval {approval.name} of gate {behind.gate}", behind.name
    message = f"{subject} for environment {name} is missing"
    if behind.changes is None and _is_former(approvals, approval, behind):
        message += ": that of a former release covers what was admitted then"
    covered = ((group, text) for group, text in (behind.changes or {}).items() if group in approval.covered)
    if changed := " and ".join(f"{group} ({text})" for group, text in covered):
        message = f"environment {name}: {subject} does not cover the change of {changed}"
    remedy = (
        f"review environment {name} and create an OnboardingDecision Approve for gate {behind.gate}, approval "
        f"{approval.name}, environment {name}, with its digest in status.gates"
    )
    return Obstacle(approval.actor, message, remedy)
