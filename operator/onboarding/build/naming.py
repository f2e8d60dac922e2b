"""Names and labels of our objects, derived from identities and never from positions in a list."""

from onboarding import names
from onboarding.api.project import Environment
from onboarding.build.kinds import ChildKind, Manifest
from onboarding.build.revision import Owner, Revision


def namespace_of(project: str, environment: Environment) -> str:
    """Return the name of an environment's namespace: the declared one, or else ``<project>-<environment>``."""
    return environment.namespace or f"{project}-{environment.name}"


def application_name(owner: Owner, revision: Revision, repository: str) -> str:
    """Return the name of the Application of a repository; it contains the site if the target has several."""
    site = () if revision.sole_site else (revision.site,)
    return "-".join((owner.project, revision.environment, *site, repository))


def ownership_labels(owner: Owner, revision: Revision | None = None) -> dict[str, str]:
    """Return the labels that prove our ownership; an object of several environments has no environment label."""
    labels = {
        names.LABEL_MANAGED_BY: names.MANAGER,
        names.LABEL_INSTALLATION: owner.installation,
        names.LABEL_PROJECT: owner.project,
        names.LABEL_PROJECT_UID: owner.uid,
    }
    return labels if revision is None else labels | {names.LABEL_ENVIRONMENT: revision.environment}


def head(kind: ChildKind, name: str, labels: dict[str, str], namespace: str = "") -> Manifest:
    """Return the beginning of a manifest: kind and metadata."""
    metadata: Manifest = {"name": name, "labels": labels}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
