"""Resolve a declared environment to its candidate: the revisions to admit, and the findings that hold them; pure.

The result depends on the declaration, on the admitted revisions, and on the attestation that flows are opened. It does
not depend on capacity, probe results, the time of day or other decisions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from onboarding.api.gates import Actor, Coverage
from onboarding.api.target import Site
from onboarding.build.naming import namespace_of
from onboarding.build.place import Place, cluster_of
from onboarding.build.revision import Binding, Revision
from onboarding.checks import capacity
from onboarding.checks.catalogue import OF_DECLARATION, OF_REVISIONS, REFUSING
from onboarding.checks.deployed import deployed, value_repositories
from onboarding.checks.finding import Check, GateFinding
from onboarding.checks.inputs import EnvironmentDeclaration, RevisionInputs
from onboarding.checks.journey import gate_index_of
from onboarding.reconcile.admission.application_names import AdmittedRevisions, ApplicationNames
from onboarding.reconcile.admission.flows import resolve_flows
from onboarding.reconcile.admission.revocation import revoke
from onboarding.reconcile.admission.windows import windows
from onboarding.reconcile.gates.coverage import Fields
from onboarding.reconcile.gates.waiting import Waiting
from onboarding.reconcile.observed.capacity import SiteKey

InputsT = TypeVar("InputsT")
_NOTHING: AdmittedRevisions = MappingProxyType({})
_UNCOVERED: Mapping[Coverage, Fields] = MappingProxyType({})


class Taken(NamedTuple):
    """A domain that an environment lacks because another project has it."""

    domain: str
    environment: str
    holder: str
    """The project that has it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A declared environment with the revisions that would be admitted."""

    declared: EnvironmentDeclaration
    gate_index: int
    """Index of its gate in the policy; -1 if it has none."""
    found: tuple[GateFinding, ...] = ()
    """The findings about the environment itself: they hold it even if its gate is open."""
    revisions: tuple[Revision, ...] = ()
    """One per site; empty if the declaration cannot be resolved."""
    differs: bool = False
    """Whether the revisions differ from the admitted ones."""
    warnings: tuple[GateFinding, ...] = ()
    """The findings about what it has been admitted with: they hold nothing."""
    taken: tuple[Taken, ...] = ()
    """The domains that it lacks."""
    waiting: Waiting | None = None
    """What it waits for at its gate; None if that requires no approval."""

    @property
    def name(self) -> str:
        """The name of the environment."""
        return self.declared.environment.name

    @property
    def accepted(self) -> tuple[Revision, ...]:
        """The revisions that no finding holds: a finding about one site holds that site alone."""
        held = {item.site for item in self.found}
        return () if "" in held else tuple(revision for revision in self.revisions if revision.site not in held)

    @property
    def refused(self) -> str:
        """Why the declaration is refused: only a change of the spec resolves it; the empty string if it is not."""
        refusals = (item for item in self.found if item.check in REFUSING and item.actor == Actor.PROJECT)
        return next((item.finding.message for item in refusals), "")

    @property
    def new(self) -> bool:
        """Whether it waits for its gate: it differs, and no finding holds it on all sites."""
        return self.differs and all(item.site for item in self.found)

    @property
    def full(self) -> list[SiteKey]:
        """The sites without capacity for it."""
        if not any(item.check is capacity.sites_have_room for item in self.found):
            return []
        return [SiteKey.of(self.declared.target_name or "", site) for site in self.declared.sites]


def resolve(
    declared: EnvironmentDeclaration,
    admitted: AdmittedRevisions,
    names: ApplicationNames,
    *,
    flows_opened: bool = False,
    covered: Mapping[Coverage, Fields] = _UNCOVERED,
) -> Candidate:
    """Return the candidate of a declared environment, with the findings about its declaration.

    ``covered`` are its declared fields that approvals of its gate cover. Environments that come earlier in the spec
    must be resolved before, with the same ``names``.
    """
    name = declared.environment.name
    gate_index = gate_index_of(declared.policy, declared.environment.stage, declared.target_name or "")
    findings = run_checks(OF_DECLARATION, declared, name)
    warnings = tuple(item for item in findings if not item.holds)
    if found := tuple(item for item in findings if item.holds):
        return Candidate(declared, gate_index, found, warnings=warnings)
    resolved = resolve_revisions(declared, admitted, flows_opened=flows_opened)
    if covered:
        resolved = [revision.with_values(declared=dict(covered)) for revision in resolved]
    candidate = candidate_of(declared, gate_index, resolved, admitted, names)
    return replace(candidate, warnings=warnings) if warnings else candidate


def candidate_of(
    declared: EnvironmentDeclaration,
    gate_index: int,
    resolved: Iterable[Revision],
    admitted: AdmittedRevisions,
    names: ApplicationNames,
) -> Candidate:
    """Return the candidate with these revisions, in which each Application has its name."""
    # The admitted object instead of an equal one: it has its canonical JSON cached, and compares by identity.
    named = map(names.give, resolved)
    revisions = tuple(_admitted(revision, admitted) or revision for revision in named)
    largest = max((len(revision.canonical) for revision in revisions), default=0)
    found = run_checks(OF_REVISIONS, RevisionInputs(largest), declared.environment.name)
    differs = not all(_stands(revision, admitted, declared) for revision in revisions)
    return Candidate(declared, gate_index, found, revisions, differs)


def run_checks(checks: Iterable[Check[InputsT]], inputs: InputsT, environment: str) -> tuple[GateFinding, ...]:
    """Run checks on an environment and return their findings."""
    return tuple(
        GateFinding(check, finding, severity=finding.severity, environment=environment, site=finding.site)
        for check in checks
        if (finding := check.run(inputs))
    )


def resolve_revisions(
    declared: EnvironmentDeclaration, admitted: AdmittedRevisions = _NOTHING, *, flows_opened: bool = False
) -> list[Revision]:
    """Return the revision of a declared environment on each of its sites; its declaration checks must have passed.

    Flows of zones that require an attestation are included if ``flows_opened``. Otherwise the revision keeps those of
    the admitted revision, so that running workloads are not cut off.
    """
    environment, stage, target = declared.environment, declared.stage, declared.target
    if stage is None or target is None:
        raise ValueError("an environment that does not pass its checks has no candidate")
    resources = declared.resources
    if resources is None:
        raise ValueError("an environment that does not pass its checks has no resources")
    return [
        Revision(
            environment=environment.name,
            stage=stage.name,
            target=declared.target_name or "",
            site=site.name,
            cluster=cluster_of(site),
            sole_site=len(target.sites) == 1,
            namespace=namespace_of(declared.project.name, environment),
            description=declared.spec.description,
            labels=environment.labels,
            resources=resources,
            gpu_resource=target.gpu_resource,
            container=declared.policy.container,
            object_counts=declared.policy.object_counts,
            pod_security=declared.policy.pod_security,
            bindings=_bindings(declared),
            **_group_names(declared, site),
            flavour=target.flavour,
            network=target.network.holes,
            flows=resolve_flows(declared, cluster_of(site), flows_opened, admitted),
            argocd=site.argocd,
            repositories=deployed(declared.spec, environment),
            value_repositories=value_repositories(declared.spec, environment),
            auto_sync=not stage.production if environment.auto_sync is None else environment.auto_sync,
            windows=windows(declared),
            impersonation=declared.policy.delivery.impersonation,
            allowed_kinds=declared.policy.delivery.allowed_kinds,
            additional_kinds=declared.policy.delivery.additional_kinds,
            domains=_domains(declared, admitted.get(Place(environment.name, cluster_of(site)))),
        )
        for site in declared.sites
    ]


def _domains(declared: EnvironmentDeclaration, old: Revision | None) -> tuple[str, ...] | None:
    """Return the declared domains; None if there are none and the admitted revision records none either."""
    domains = tuple(sorted(declared.environment.domains))
    return domains if domains or (old is not None and old.domains is not None) else None


def _group_names(declared: EnvironmentDeclaration, site: Site) -> dict[str, Any]:
    """Return the prefix of groups on a site, and all that a declared group may have already; none without any."""
    policy, here, argocd = declared.policy.identity, site.identity, site.argocd.identity
    everywhere = (policy.group_prefix if policy else None) or ""
    on_site = everywhere if here is None or here.group_prefix is None else here.group_prefix
    known = {everywhere, on_site, (argocd.group_prefix if argocd else None) or ""} - {""}
    return {"group_prefix": on_site, "group_prefixes": tuple(sorted(known))}


def _bindings(declared: EnvironmentDeclaration) -> tuple[Binding, ...]:
    """Return the groups of each persona with its rights in the stage; a persona without rights there is left out."""
    groups, stage = declared.spec.groups_in(declared.environment), declared.environment.stage
    named = [persona for persona in declared.policy.personas if groups.get(persona.name)]
    return tuple(
        Binding(
            persona=persona.name,
            cluster_role=right.cluster_role or "",
            groups=tuple(sorted(groups[persona.name])),
            argocd=tuple(sorted(right.argocd)),
            own=persona.name in declared.environment.groups,
        )
        for persona in named
        if (right := persona.right_in(stage)) and (right.cluster_role or right.argocd)
    )


def _admitted(revision: Revision, admitted: AdmittedRevisions) -> Revision | None:
    """Return the admitted revision if it equals this one; else None."""
    old = admitted.get(Place(revision.environment, revision.cluster))
    return old if old is not None and _alike(old, revision) else None


def _stands(revision: Revision, admitted: AdmittedRevisions, declared: EnvironmentDeclaration) -> bool:
    """Return whether a revision equals the admitted one, or the admitted one after revocation.

    The declared fields do not count: nothing is built from them.
    """
    old = admitted.get(Place(revision.environment, revision.cluster))
    if old is None or old is revision:
        return old is not None
    left = revoke(old, declared.spec, declared.policy, declared.project.name)
    if left.declared != revision.declared:
        left = left.with_values(declared=revision.declared)
    return _alike(left, revision)


def _alike(one: Revision, other: Revision) -> bool:
    """Return whether two revisions have the same canonical JSON; equal objects do."""
    return one == other or one.canonical == other.canonical
