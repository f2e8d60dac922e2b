"""Find the candidates of a project: resolve each declared environment and check its capacity; pure.

Capacity is allocated in the order of the gates, then of the spec: an environment never lacks capacity because of one
at a later gate, which may be waiting for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from onboarding.api.quota import quota_of
from onboarding.build.appproject import governed
from onboarding.build.argocd_roles import build_roles, count_policies
from onboarding.build.kinds import NAMESPACE, RESOURCE_QUOTA, ObjectKey
from onboarding.build.place import Place, cluster_of
from onboarding.build.quota import QUOTA_NAME
from onboarding.build.revision import Owner, Revision
from onboarding.checks import reviews
from onboarding.checks.catalogue import OF_APP_PROJECTS, OF_ROOM
from onboarding.checks.continuity import MAX_POLICIES
from onboarding.checks.inputs import (
    AppProjectInputs,
    CapacityInputs,
    EnvironmentDeclaration,
    Headroom,
    ProjectInputs,
)
from onboarding.checks.totals import Totals
from onboarding.reconcile.admission.application_names import AdmittedRevisions, ApplicationNames
from onboarding.reconcile.admission.ceilings import ceiling_of, taken_by_environment
from onboarding.reconcile.admission.covered import Covering
from onboarding.reconcile.admission.declarations import declarations
from onboarding.reconcile.admission.domains import hold_taken_domains
from onboarding.reconcile.admission.resolve import Candidate, resolve, run_checks
from onboarding.reconcile.gates.decisions import Decisions
from onboarding.reconcile.observed.capacity import SiteKey, Usage, allocations_of
from onboarding.reconcile.observed.snapshot import Snapshot


def find_candidates(
    snapshot: Snapshot,
    project: ProjectInputs,
    decisions: Decisions,
    admitted: AdmittedRevisions,
    covering: Covering,
) -> list[Candidate]:
    """Return the candidate of every declared environment, in the order of the spec.

    What an approval covers and does not allow yet has its admitted values in it.
    """
    opened = reviews.flows_are_opened.id in project.attested
    names = ApplicationNames(snapshot.project.name, admitted, snapshot.live)

    def resolved_in_turn(item: EnvironmentDeclaration) -> Candidate:
        found = resolve(item, admitted, names, flows_opened=opened, covered=covering.fields(item))
        return covering.keep_admitted(found, admitted, names)

    resolved = [resolved_in_turn(item) for item in declarations(project.declared, admitted)]
    resolved = hold_large_app_projects(snapshot.owner, resolved)
    resolved = list(hold_taken_domains(snapshot, admitted, resolved))
    room = _Room(snapshot, decisions, admitted, snapshot.usage, taken_by_environment(project.policy, admitted))
    checked = {item.name: room.share(item) for item in sorted(resolved, key=lambda item: item.gate_index)}
    return [checked[item.name] for item in resolved]


def hold_large_app_projects(owner: Owner, candidates: list[Candidate]) -> list[Candidate]:
    """Return the candidates, those that differ with a finding if they lead to an AppProject with too many policies."""
    policies = _most_policies(owner, candidates)
    if not (found := run_checks(OF_APP_PROJECTS, AppProjectInputs(policies), "")):
        return candidates
    return [
        replace(item, found=item.found + tuple(replace(finding, environment=item.name) for finding in found))
        if item.differs
        else item
        for item in candidates
    ]


def _most_policies(owner: Owner, candidates: Iterable[Candidate]) -> int:
    """Return the policies of the largest AppProject; for a project of usual size no more than an upper bound."""
    served: dict[tuple[str, str], list[Revision]] = {}
    bound = 0
    for revision in (revision for candidate in candidates for revision in candidate.revisions):
        bound += len(revision.repositories) * sum(len(binding.argocd) for binding in revision.bindings)
        served.setdefault((revision.argo_cluster, revision.argocd.namespace), []).append(revision)
    if bound <= MAX_POLICIES:
        return bound
    return max(count_policies(build_roles(owner.project, governed(owner, found))) for found in served.values())


@dataclass(slots=True)
class _Room:
    """The free capacity for a project; each candidate is allocated before the next one is checked."""

    snapshot: Snapshot
    decisions: Decisions
    admitted: AdmittedRevisions
    usage: Usage
    taken: dict[str, tuple[bool, Totals]]
    """By environment: whether it serves production, and its total usage on all sites."""

    def share(self, candidate: Candidate) -> Candidate:
        """Allocate the capacity of a candidate; return the candidate with the findings about its capacity."""
        declared = candidate.declared
        found = run_checks(OF_ROOM, CapacityInputs(declared, self._headroom(declared)), candidate.name)
        candidate = replace(candidate, found=candidate.found + found) if found else candidate
        accepted = candidate.accepted
        self.usage = self.usage.admitting(allocations_of(accepted))
        whole = sum((Totals.of(revision.resources) for revision in accepted), Totals())
        production = _serves_production(declared)
        _, before = self.taken.get(candidate.name, (production, Totals()))
        self.taken[candidate.name] = (production, whole.most(before))
        return candidate

    def _headroom(self, declared: EnvironmentDeclaration) -> Headroom:
        name, production = declared.environment.name, _serves_production(declared)
        namespaces = {
            site.name: ObjectKey(cluster_of(site), NAMESPACE, "", declared.namespace) for site in declared.sites
        }
        return Headroom(
            taken={
                site.name: self.usage.taken(SiteKey.of(declared.target_name or "", site), but=namespaces[site.name])
                for site in declared.sites
            },
            committed=sum(
                (taken for other, (kind, taken) in self.taken.items() if other != name and kind == production),
                Totals(),
            ),
            ceiling=ceiling_of(declared.policy, self.decisions, production=production),
            current={
                site.name: quota_of(old.resources, old.gpu_resource, old.object_counts)
                for site in declared.sites
                if (old := self.admitted.get(Place(name, cluster_of(site))))
            },
            used={site: used for site, namespace in namespaces.items() if (used := self._used(namespace))},
        )

    def _used(self, namespace: ObjectKey) -> dict[str, str]:
        return self.snapshot.used(ObjectKey(namespace.cluster, RESOURCE_QUOTA, namespace.name, QUOTA_NAME))


def _serves_production(declared: EnvironmentDeclaration) -> bool:
    return declared.stage is not None and declared.stage.production
