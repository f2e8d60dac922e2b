"""Hold the candidates whose domains another project has; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from onboarding.build.kinds import NAMESPACE
from onboarding.build.place import Place
from onboarding.checks.catalogue import OF_DOMAINS
from onboarding.checks.domains import DomainInputs, Since
from onboarding.reconcile.admission.application_names import AdmittedRevisions
from onboarding.reconcile.admission.resolve import Candidate, Taken, run_checks
from onboarding.reconcile.observed.snapshot import Snapshot


def hold_taken_domains(
    snapshot: Snapshot, admitted: AdmittedRevisions, candidates: Iterable[Candidate]
) -> Iterator[Candidate]:
    """Yield the candidates, with a finding on those that would be admitted with a domain of another project."""
    own = _own(snapshot, admitted) if snapshot.claims else {}
    for candidate in candidates:
        domains = sorted({domain for revision in candidate.revisions for domain in revision.domains or ()})
        inputs = DomainInputs(tuple(domains), own, snapshot.claims)
        found = run_checks(OF_DOMAINS, inputs, candidate.name)
        if not found:
            yield candidate
            continue
        yield replace(
            candidate,
            found=candidate.found + tuple(item for item in found if item.holds),
            warnings=candidate.warnings + tuple(item for item in found if not item.holds),
            taken=tuple(Taken(domain, candidate.name, snapshot.claims[domain].project) for domain in inputs.taken),
        )


def _own(snapshot: Snapshot, admitted: AdmittedRevisions) -> dict[str, Since]:
    """Return the domains that the project has been admitted with, each with its oldest namespace."""
    spaces = {
        Place(item.environment, key.cluster): Since(item.created, key.name)
        for key, item in snapshot.live.items()
        if key.kind is NAMESPACE
    }
    own: dict[str, Since] = {}
    for place, revision in admitted.items():
        since = spaces.get(place, Since("", ""))
        for domain in (revision.domains if revision else None) or ():
            own[domain] = min(own.get(domain, since), since, key=lambda item: item.order)
    return own
