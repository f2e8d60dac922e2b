"""Approvals and rejections: of an environment if the gate opens environments, else of the whole project; pure.

An approval is not used up: one of several counts as soon as the fields with its digest are declared again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from onboarding.api.decision import Decision, OnboardingDecisionSpec
from onboarding.api.gates import Approval
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import Environment, ProjectOnboardingSpec
from onboarding.reconcile.gates.coverage import environments_behind
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.observed.dated import DatedDecision

OUTDATED: Final = "the fields that it covers have changed since: review them and decide again"
_FORMER: Final = "v1:"


class Key(NamedTuple):
    """An approval of a gate, for one environment or, if that is the empty string, for the whole project."""

    gate: str
    approval: str
    environment: str = ""


@dataclass(frozen=True)
class Subjects:
    """What approvals may be about: the approvals of the gates, and the environments that each gate opens."""

    spec: ProjectOnboardingSpec
    policy: OnboardingPolicySpec
    digests: Digests

    @cached_property
    def behind(self) -> Mapping[str, Mapping[str, Environment]]:
        """The declared environments that each gate opens, by name; none for a gate that opens none of them."""
        opening = (gate.name for gate in self.policy.gates if gate.opens)
        found = ((gate, environments_behind(self.spec, self.policy, gate)) for gate in opening)
        return {gate: {item.name: item for item in environments} for gate, environments in found if environments}

    def no_effect(self, decision: OnboardingDecisionSpec) -> str:
        """Return why an approval or rejection has no effect, whoever made it; the empty string if it has one."""
        if self._approval(decision) is None:
            return f"the policy requires no approval {decision.approval} at gate {decision.gate}"
        if decision.decision is Decision.APPROVE:
            return self._astray(decision) or self._unfit(decision)
        # A rejection of one environment holds all of a gate that opens none.
        return self._astray(decision) if self._opens(decision.gate) else ""

    def _astray(self, decision: OnboardingDecisionSpec) -> str:
        """Return that a gate does not open the environment of a decision; the empty string if it does."""
        gate, environment = decision.gate or "", decision.environment
        behind = self.behind.get(gate, {})
        if not environment or environment in behind:
            return ""
        known = f": name one of {', '.join(sorted(behind))}" if behind else ": leave spec.environment out"
        return f"gate {gate} opens no environment {environment} of the project{known}"

    def _unfit(self, decision: OnboardingDecisionSpec) -> str:
        """Return why the digest of an approval is not of what it names; the empty string if it may be."""
        gate, environment, former = decision.gate or "", decision.environment, _is_former(decision)
        if environment and former:
            return "its digest is of a former release and covers no environment: name the one in status.gates"
        if gate in self.behind and not environment and not former:
            return f"gate {gate} opens environments, and each is approved by itself: name one in spec.environment"
        return ""

    def key_of(self, decision: OnboardingDecisionSpec) -> Key:
        """Return what a decision with an effect is about; at a gate that opens nothing it is the whole project."""
        environment = decision.environment if self._opens(decision.gate) else None
        return Key(decision.gate or "", decision.approval or "", environment or "")

    def digests_by_key(self) -> dict[Key, str]:
        """Return the digest that each approval has to name now."""
        found = dict[Key, str]()
        for gate in self.policy.gates:
            for approval in gate.approvals:
                behind = self.behind.get(gate.name, {})
                for name, environment in behind.items():
                    found[Key(gate.name, approval.name, name)] = self.digests.of_approval(gate, approval, environment)
                if not behind:
                    found[Key(gate.name, approval.name)] = self.digests.of_gate(gate.name)
        return found

    def _opens(self, name: str | None) -> bool:
        return any(gate.name == name and gate.opens for gate in self.policy.gates)

    def _approval(self, decision: OnboardingDecisionSpec) -> Approval | None:
        gates = (gate for gate in self.policy.gates if gate.name == decision.gate)
        return next((item for gate in gates for item in gate.approvals if item.name == decision.approval), None)


@dataclass(slots=True)
class Approvals:
    """The approvals and rejections of a project, by the people who may give them."""

    digests: dict[Key, str] = field(default_factory=dict)
    """The digest that each approval has to name now."""
    given: dict[Key, set[str]] = field(default_factory=dict)
    """The digests of the approvals that were given."""
    former: set[Key] = field(default_factory=set)
    """Approvals that a former release took, of all environments that a gate opens: each counts for what was admitted
    then, until that changes."""
    rejected: dict[Key, DatedDecision] = field(default_factory=dict)
    void: list[tuple[DatedDecision, str]] = field(default_factory=list)
    """Approvals of other fields than the present ones, if no other approval counts in their place."""
    unknown_authors: str = ""
    """Why the people who wrote the spec are not all known, so that an approval may be theirs; empty if they are."""
    authors_hold: bool = False
    """Whether gates with approvals are held for that."""

    @classmethod
    def of(cls, decisions: Iterable[DatedDecision], subjects: Subjects) -> "Approvals":
        """Return the approvals and rejections among decisions that have an effect."""
        found, outdated = cls(subjects.digests_by_key()), list[tuple[Key, DatedDecision]]()
        for decision in decisions:
            key = subjects.key_of(decision)
            if decision.decision is Decision.REJECT:
                found.rejected[key] = decision
            elif not found._add(key, decision.digest or "", subjects.digests):
                outdated.append((key, decision))
        shown = (item for item in outdated if item[0] not in found.former and not found.there(item[0]))
        found.void = [(decision, OUTDATED) for _, decision in shown]
        return found

    def _add(self, key: Key, digest: str, digests: Digests) -> bool:
        """Keep an approval; return whether it covers the present fields."""
        present = self.digests.get(key)
        if not digest.startswith(_FORMER):
            self.given.setdefault(key, set()).add(digest)
            return digest == present
        # No former release took one of an environment, and that digest holds less than the approval covers.
        if key.environment or not digests.former_at_gate(key.gate, digest):
            return False
        if present is None:
            self.former.add(key)
        else:
            self.given.setdefault(key, set()).add(present)
        return True

    def there(self, key: Key) -> bool:
        """Return whether an approval of the present fields is there."""
        return self.covers(key, self.digests.get(key, ""))

    def covers(self, key: Key, digest: str) -> bool:
        """Return whether somebody has approved the fields with this digest."""
        return digest in self.given.get(key, ())


def describe(decision: OnboardingDecisionSpec) -> str:
    """Format a decision with its subject and its author, such as ``Attest RunAcknowledged by pat``."""
    subject = decision.check or "/".join(part for part in (decision.gate, decision.approval) if part)
    return " ".join(part for part in (decision.decision, subject, "by", decision.by.username) if part)


def _is_former(decision: OnboardingDecisionSpec) -> bool:
    return (decision.digest or "").startswith(_FORMER)
