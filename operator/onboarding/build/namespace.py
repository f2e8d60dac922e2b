"""Namespace of an environment, with ownership labels, Pod Security labels and the admitted revision."""

from onboarding import names
from onboarding.build.kinds import NAMESPACE, Manifest
from onboarding.build.naming import head, ownership_labels
from onboarding.build.revision import Owner, Revision


def build_namespace(owner: Owner, revision: Revision) -> Manifest:
    """Return the namespace of one environment."""
    labels = revision.labels | ownership_labels(owner, revision) | {names.LABEL_STAGE: revision.stage}
    manifest = head(NAMESPACE, revision.namespace, labels | _pod_security(revision))
    manifest["metadata"]["annotations"] = {names.ANNOTATION_ADMITTED: revision.canonical.decode()}
    return manifest


def _pod_security(revision: Revision) -> dict[str, str]:
    levels = revision.pod_security
    labels: dict[str, str] = {}
    for mode, level in (("enforce", levels.enforce), ("warn", levels.warn), ("audit", levels.audit)):
        labels[f"{names.POD_SECURITY_PREFIX}{mode}"] = level.value
        labels[f"{names.POD_SECURITY_PREFIX}{mode}-version"] = levels.version
    return labels
