"""Domains that projects declare, and those that they are presumed to be admitted with; pure.

A revision of before domains were claimed records none. As long as its project has not changed since its last status,
the environment is presumed to have what it declares; its next reconcile records it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from onboarding.api.gates import Severity
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.build.place import Place
from onboarding.build.revision import Revision
from onboarding.checks.domains import Claim, Since, domains_are_free
from onboarding.reconcile.observed.domain_ledger import DomainLedger
from onboarding.reconcile.observed.snapshot import Project


class DeclaredDomains:
    """The projects that declare each domain."""

    def __init__(self) -> None:
        self._declared: dict[str, frozenset[str]] = {}
        self._projects: defaultdict[str, set[str]] = defaultdict(set)

    def put(self, project: str, spec: ProjectOnboardingSpec | None) -> None:
        """Update the domains of a project; None if it is gone, or its spec cannot be read."""
        before, now = self._declared.pop(project, frozenset()), frozenset(declared_domains(spec))
        if now:
            self._declared[project] = now
        for domain in now - before:
            self._projects[domain].add(project)
        for domain in before - now:
            self._projects[domain].discard(project)
            if not self._projects[domain]:
                del self._projects[domain]

    def declaring(self, domain: str) -> frozenset[str]:
        """Return the names of the projects that declare a domain."""
        return frozenset(self._projects.get(domain, ()))


def declared_domains(spec: ProjectOnboardingSpec | None) -> set[str]:
    """Return the domains of all environments of a project."""
    return {domain for environment in spec.environments for domain in environment.domains} if spec else set()


def with_domains(project: Project, admitted: Mapping[Place, Revision | None]) -> dict[Place, Revision | None]:
    """Return admitted revisions that record their domains, where the project declares some.

    One of before is presumed to have them, unless the project has changed since: then it has none of them yet.
    """
    if project.spec is None or project.deleting:
        return dict(admitted)
    declared = {item.name: tuple(sorted(item.domains)) for item in project.spec.environments if item.domains}
    found = dict(admitted)
    for place, revision in admitted.items():
        if revision is not None and revision.domains is None and place.environment in declared:
            domains = declared[place.environment] if _is_as_reported(project, place.environment) else ()
            found[place] = revision.with_values(domains=domains)
    return found


def presumes(project: Project, domain: str, ledger: DomainLedger) -> bool:
    """Return whether a project is presumed to be admitted with a domain that it declares.

    So it is if an environment that declares it is in place without a record: with a revision of before, or, by the
    status, on a site that cannot be read, or where its namespace is to be built again.
    """
    if project.spec is None or project.deleting:
        return False
    recorded = ledger.recorded(project.name)
    reported = {
        item["name"]
        for item in project.status.get("environments", ())
        if any(site.get("revision") for site in item.get("sites", ()))
    }
    declaring = (item.name for item in project.spec.environments if domain in item.domains)
    return any(not recorded.get(name, name not in reported) and _is_as_reported(project, name) for name in declaring)


def _is_as_reported(project: Project, environment: str) -> bool:
    """Return whether the last status is about what an environment declares now, and does not say that it lacks some."""
    lacking = (item for item in project.known.get("checks", ()) if item["id"] == domains_are_free.id)
    blocked = {item.get("environment") for item in lacking if item.get("severity") == Severity.BLOCKING}
    return bool(project.known) and environment not in blocked


def first_claims(
    name: str, domains: Iterable[str], ledger: DomainLedger, declaring: Mapping[str, Iterable[Project]]
) -> dict[str, Claim]:
    """Return the first claim of another project on each of these domains; ``declaring`` has the projects by domain."""
    recorded = ledger.others(name, domains)
    found = {}
    for domain in domains:
        claims = recorded.get(domain, [])
        known = {claim.project for claim in claims}
        presumed = (item for item in declaring.get(domain, ()) if item.name not in known)
        claims += [Claim(item.name, Since(item.created, "")) for item in presumed if presumes(item, domain, ledger)]
        if claims:
            found[domain] = min(claims, key=lambda claim: (claim.since.order, claim.project))
    return found
