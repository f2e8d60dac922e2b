"""Keep the admitted values of what an approval covers and does not allow yet; pure.

A change of an admitted environment waits group by group: what no missing approval covers is admitted at once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from onboarding.api.gates import Approval, Coverage, Gate
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.text import cut
from onboarding.build.place import Place
from onboarding.build.revision import Revision
from onboarding.checks.inputs import EnvironmentDeclaration
from onboarding.checks.journey import JourneyInForce, gate_of
from onboarding.reconcile.admission.application_names import AdmittedRevisions, ApplicationNames
from onboarding.reconcile.admission.mixing import Held, mix, whole
from onboarding.reconcile.admission.resolve import Candidate, candidate_of
from onboarding.reconcile.admission.revocation import revoke
from onboarding.reconcile.gates.approvals import Approvals
from onboarding.reconcile.gates.coverage import Fields, changes_of, differences, gate_reads, paths_of
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.gates.waiting import Behind, waiting_for

_CHANGE_BYTES: Final = 200


@dataclass(frozen=True)
class Covering:
    """The approvals of a project, and the fields that they cover."""

    policy: OnboardingPolicySpec
    journey: JourneyInForce
    digests: Digests
    approvals: Approvals

    def fields(self, declared: EnvironmentDeclaration) -> dict[Coverage, Fields]:
        """Return the declared fields of an environment that approvals of its gate cover."""
        gate = self._gate(declared)
        covered = {group for approval in self._asked(gate) for group in approval.covered}
        if gate is None or not covered:
            return {}
        groups = self.digests.of_environment(gate, declared.environment)
        return {group: groups[group] for group in Coverage if group in covered}

    def keep_admitted(self, candidate: Candidate, admitted: AdmittedRevisions, names: ApplicationNames) -> Candidate:
        """Return a candidate in which every changed group that a missing approval covers has its admitted values."""
        gate = self._gate(candidate.declared)
        asked = self._asked(gate)
        if gate is None or not asked:
            return candidate
        old = {place: item for place, item in admitted.items() if place.environment == candidate.name and item}
        reads = gate_reads(self.policy, gate.name)
        mixer = _Mixer(candidate, old, {group: paths_of(group, reads) for group in Coverage})
        changes = mixer.changes(self.fields(candidate.declared)) if old else None
        behind = Behind(candidate.name, gate.name, asked, [item.declared for item in old.values()], changes)
        waiting = waiting_for(self.approvals, behind)
        if waiting.held and candidate.revisions:
            mixed = mixer.mixed(waiting.held)
            held = candidate_of(candidate.declared, candidate.gate_index, mixed, admitted, names)
            candidate = replace(held, warnings=candidate.warnings)
        return replace(candidate, waiting=waiting)

    def _gate(self, declared: EnvironmentDeclaration) -> Gate | None:
        return gate_of(self.policy, declared.environment.stage, declared.target_name or "")

    def _asked(self, gate: Gate | None) -> tuple[Approval, ...]:
        return self.journey.asked(gate) if gate else ()


@dataclass(frozen=True)
class _Mixer:
    """Compares and mixes a candidate with the admitted revisions of its environment."""

    candidate: Candidate
    admitted: Mapping[Place, Revision]
    paths: Mapping[Coverage, Sequence[str]]
    """The paths of each group at the gate."""

    def changes(self, declared: Mapping[Coverage, Fields]) -> dict[Coverage, str]:
        """Return the covered groups that differ from what is admitted on some site, each with its differences."""
        found: dict[Coverage, str] = {}
        for group in declared:
            texts = [text for old in self.admitted.values() for text in self._changes_of(group, declared[group], old)]
            if group is Coverage.ADMISSION:
                texts += self._new_sites()
            if text := "; ".join(dict.fromkeys(texts)):
                found[group] = cut(text, _CHANGE_BYTES)
        return found

    def _changes_of(self, group: Coverage, declared: Fields, old: Revision) -> Iterator[str]:
        if group in old.declared:
            return changes_of(group, old.declared[group], declared)
        # Admitted before an approval covered the group: what is built tells whether it has changed since.
        new = next((item for item in self.candidate.revisions if item.cluster == old.cluster), None)
        if new is None:
            return iter(())
        kept = mix(new, self._left(old), self._held({group}))
        return differences(_content(kept), _content(new))

    def _new_sites(self) -> Iterator[str]:
        """Yield the sites that are new to an environment of which it is not known for which sites it was declared."""
        if not any(Coverage.ADMISSION in old.declared for old in self.admitted.values()):
            clusters = {old.cluster for old in self.admitted.values()}
            new = (item.site for item in self.candidate.revisions if item.cluster not in clusters)
            yield from (f"environments[{self.candidate.name}].sites: {site} is new" for site in new)

    def mixed(self, held: frozenset[Coverage]) -> Iterator[Revision]:
        """Yield the revisions with the admitted values of the groups that are held."""
        for new in self.candidate.revisions:
            old = self.admitted.get(Place(new.environment, new.cluster))
            if old is None and Coverage.ADMISSION in held:
                continue
            base = self._left(old or next(iter(self.admitted.values())))
            mixed = whole(mix(new, base, self._held(held)), new, base)
            yield mixed.with_values(declared=_declared(new, base, held))

    def _held(self, groups: Iterable[Coverage]) -> Held:
        policy, paths = self.candidate.declared.policy, (path for group in groups for path in self.paths[group])
        deciding = frozenset(persona.name for persona in policy.personas if persona.decides)
        return Held(frozenset(groups), frozenset(paths), deciding)

    def _left(self, old: Revision) -> Revision:
        """Return an admitted revision after revocation."""
        declared = self.candidate.declared
        return revoke(old, declared.spec, declared.policy, declared.project.name)


def _declared(new: Revision, old: Revision, held: frozenset[Coverage]) -> dict[Coverage, Fields]:
    """Return the declared fields, of the groups that are held as admitted, if that is known."""
    kept = {group: fields for group, fields in old.declared.items() if group in held}
    others = {group: fields for group, fields in new.declared.items() if group not in held}
    return {**kept, **others}


def _content(revision: Revision) -> dict[str, Any]:
    content: dict[str, Any] = revision.with_values(declared={}).model_dump(mode="json", by_alias=True)
    return content
