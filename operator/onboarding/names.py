"""Every name that other systems may rely on: a public contract, changed only with a migration."""

from typing import Final

GROUP: Final = "projectonboarding.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"

MANAGER: Final = "project-onboarding-operator"
"""Value of ``app.kubernetes.io/managed-by``, field manager of our status, and name of our own objects."""

LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
LABEL_INSTALLATION: Final = f"{GROUP}/installation"
"""Which installation of the operator made an object; every object we make carries it, and only those."""
LABEL_PROJECT: Final = f"{GROUP}/project"
LABEL_PROJECT_UID: Final = f"{GROUP}/project-uid"
LABEL_ENVIRONMENT: Final = f"{GROUP}/environment"
LABEL_STAGE: Final = f"{GROUP}/stage"

ANNOTATION_ADMITTED: Final = f"{GROUP}/admitted"
"""On a namespace: the resolved inputs of everything built for that environment (canonical JSON, at most 64 KiB)."""
ANNOTATION_CONFIRMED: Final = f"{GROUP}/deletion-confirmed"
"""On a namespace: digest of the confirmed removal that it is part of, and its UID; written before any deletion."""
ANNOTATION_CREDENTIALS: Final = f"{GROUP}/credentials"
"""On an AppProject: the repository Secrets beside it, each with a digest of what was written last."""
ANNOTATION_INSIDERS: Final = f"{GROUP}/insiders"
"""On a ProjectOnboarding: who created it, who changed its spec and whom it ever named; admission policies write it."""
ANNOTATION_GUARD_PROBE: Final = f"{GROUP}/guard-probe"
"""On an object that the admission policy of that name refuses to everybody: its answer proves that it is in force."""
ANNOTATION_DETACHED: Final = f"{GROUP}/detached-from"
"""On a detached object: which environment it came from, for the people who find it, and for the way back."""
ANNOTATION_RELEASED: Final = f"{GROUP}/released-from"
"""The former name of that annotation: read, removed when the object comes back, and never written."""

FINALIZER: Final = f"{GROUP}/teardown"
CASCADE_FINALIZER: Final = "resources-finalizer.argocd.argoproj.io"
"""Argo CD's finalizer that deletes an Application's workload; put on just before such a deletion only."""

NAMESPACE_NAME_LABEL: Final = "kubernetes.io/metadata.name"
"""Set by the API server and equal to the namespace's name (KEP-2161), so that no tenant can claim it."""
POD_SECURITY_PREFIX: Final = "pod-security.kubernetes.io/"

INSTALLATION_CONFIGMAP: Final = "project-onboarding-installation"
"""In the operator's namespace: the identity of this installation, made once; part of the backup."""
CLUSTERS_CONFIGMAP: Final = "project-onboarding-clusters"
"""In the operator's namespace: which cluster each connection leads to, entered once; part of the backup."""
SYNC_NAMESPACE: Final = "project-onboarding-sync"
"""On every site: where the service accounts live that Argo CD syncs with, out of the tenants' reach."""
SYNC_ROLE: Final = "onboarding:sync"

GUARD_POLICIES: Final = (
    "project-onboarding-operator-account",
    "project-onboarding-managed-namespaces",
    "project-onboarding-managed-objects",
    "project-onboarding-detached-namespaces",
)
"""ValidatingAdmissionPolicies, and bindings of the same names, without which a site receives no writes."""
HUB_GUARD_POLICIES: Final = ("project-onboarding-projects", "project-onboarding-decisions")
"""Those that the hub has besides: without them it receives no writes either."""
INSIDERS_POLICY: Final = "project-onboarding-insiders"
"""The one that the hub may have besides: it lets nobody forge the annotation with the insiders of a project."""
FORMER_DETACHED_BINDING: Final = "project-onboarding-released-namespaces"
"""Binding under which a former version detached namespaces: its UID proves the former annotation, so it stays."""
GUARD_VERSION: Final = 5
"""Version of the admission policies, which their answers to the probe carry; raised whenever a rule of them changes."""
