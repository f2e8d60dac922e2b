"""Restore the admitted revisions of namespaces that went while the operator did not watch; pure.

Only their digests are left, in the status: a revision is restored if the spec still resolves to one of that digest.
"""

from collections.abc import Mapping
from dataclasses import replace

from onboarding.build.place import Place, cluster_of
from onboarding.build.revision import Revision, digest
from onboarding.checks import reviews
from onboarding.checks.inputs import EnvironmentDeclaration, Former, ProjectInputs
from onboarding.reconcile.admission.application_names import AdmittedRevisions, ApplicationNames, Live
from onboarding.reconcile.admission.covered import Covering
from onboarding.reconcile.admission.declarations import declarations
from onboarding.reconcile.admission.resolve import resolve
from onboarding.reconcile.observed.former_sites import FormerSite


def restore(
    project: ProjectInputs,
    admitted: AdmittedRevisions,
    live: Live,
    missing: Mapping[Place, FormerSite],
    covering: Covering,
) -> AdmittedRevisions:
    """Return the admitted revisions, with the missing ones that the spec still resolves to."""
    names = ApplicationNames(project.declared.name, admitted, live)
    opened, lacking = reviews.flows_are_opened.id in project.attested, {place.environment for place in missing}
    found: dict[Place, Revision | None] = dict(admitted)
    for declared in declarations(project.declared, admitted):
        if declared.environment.name in lacking:
            covered, assumed = covering.fields(declared), _as_admitted(declared, missing)
            for revision in resolve(assumed, admitted, names, flows_opened=opened, covered=covered).revisions:
                place = Place(revision.environment, revision.cluster)
                if place in missing and (same := _of_digest(revision, missing[place].revision)):
                    found[place] = same
    return dict(sorted(found.items()))


def _as_admitted(declared: EnvironmentDeclaration, missing: Mapping[Place, FormerSite]) -> EnvironmentDeclaration:
    """Return an environment as if it had been admitted on the missing sites as it is declared: its digest tells."""
    environment = declared.environment
    assumed = (
        Former(declared.target_name or "", declared.namespace, environment.stage, site.name, environment.labels)
        for site in declared.sites
        if Place(environment.name, cluster_of(site)) in missing
    )
    return replace(declared, former=(*declared.former, *assumed))


def _of_digest(revision: Revision, wanted: str | None) -> Revision | None:
    """Return a revision that has a digest, with or without its declared fields and its domains; None if none has.

    One that was admitted before an approval covered it has no declared fields, and one of before domains were claimed
    records none.
    """
    bare = revision.with_values(declared={})
    forms = (revision, bare, *(form.with_values(domains=None) for form in (revision, bare)))
    return next((form for form in forms if digest(form.canonical) == wanted), None)
