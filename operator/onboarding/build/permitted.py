"""Which kinds of objects a project's repositories may sync, and which never."""

from collections.abc import Iterable, Sequence
from typing import Final

from onboarding.build.revision import Revision

GroupKind = tuple[str, str]
"""API group (the core group is the empty string) and kind."""

ACCESS_KINDS: Final[tuple[GroupKind, ...]] = (
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
)
"""With these a tenant would give rights away: only for an account that holds none but its own, by impersonation."""

GUARD_KINDS: Final[tuple[GroupKind, ...]] = (
    ("", "LimitRange"),
    ("", "ResourceQuota"),
    ("argoproj.io", "AppProject"),
    ("argoproj.io", "Application"),
    ("argoproj.io", "ApplicationSet"),
    ("networking.k8s.io", "NetworkPolicy"),
)
"""With these a tenant would rewrite its own guard rails: never."""

USUAL_KINDS: Final[tuple[GroupKind, ...]] = (
    ("", "ConfigMap"),
    ("", "PersistentVolumeClaim"),
    ("", "Pod"),
    ("", "Secret"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("batch", "CronJob"),
    ("batch", "Job"),
    ("bitnami.com", "SealedSecret"),
    ("cert-manager.io", "Certificate"),
    ("external-secrets.io", "ExternalSecret"),
    ("gateway.networking.k8s.io", "GRPCRoute"),
    ("gateway.networking.k8s.io", "HTTPRoute"),
    ("gateway.networking.k8s.io", "TLSRoute"),
    ("monitoring.coreos.com", "PodMonitor"),
    ("monitoring.coreos.com", "PrometheusRule"),
    ("monitoring.coreos.com", "ServiceMonitor"),
    ("networking.k8s.io", "Ingress"),
    ("policy", "PodDisruptionBudget"),
    ("route.openshift.io", "Route"),
    *ACCESS_KINDS,
)
"""What may be synced where the platform says nothing. Pod and ReplicaSet are among them because Argo CD shows children,
and their logs, only of kinds that their project permits."""


CLUSTER_KINDS: Final[frozenset[GroupKind]] = frozenset(
    {
        ("", "Namespace"),
        ("", "Node"),
        ("", "PersistentVolume"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("apiregistration.k8s.io", "APIService"),
        ("cert-manager.io", "ClusterIssuer"),
        ("external-secrets.io", "ClusterExternalSecret"),
        ("external-secrets.io", "ClusterSecretStore"),
        ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
        ("gateway.networking.k8s.io", "GatewayClass"),
        ("networking.k8s.io", "IngressClass"),
        ("node.k8s.io", "RuntimeClass"),
        ("policy.networking.k8s.io", "AdminNetworkPolicy"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("security.openshift.io", "SecurityContextConstraints"),
        ("snapshot.storage.k8s.io", "VolumeSnapshotClass"),
        ("storage.k8s.io", "CSIDriver"),
        ("storage.k8s.io", "StorageClass"),
    }
)
"""Kinds without a namespace, of Kubernetes and of common add-ons: none of them lives in an environment."""

_NAMES_OF_THE_CORE_GROUP: Final = ("v1", "core")


def kind_problem(group: str, kind: str) -> str:
    """Return why a kind cannot be an object of a namespace; the empty string if it can, or if it is not known."""
    if (group, kind) in CLUSTER_KINDS:
        return f"{kind} has no namespace"
    return core_group_problem(group)


def core_group_problem(group: str) -> str:
    """Return the mistake in the name of an API group if it means the core group; else the empty string."""
    return f"the core group is written '', not {group!r}" if group in _NAMES_OF_THE_CORE_GROUP else ""


def permitted_kinds(revisions: Sequence[Revision], in_use: Iterable[GroupKind]) -> list[GroupKind]:
    """Return what may be synced, sorted: of all the environments; where none is left, what is still in use."""
    kinds = {kind for revision in revisions for kind in _kinds_of(revision)} or set(in_use) or set(USUAL_KINDS)
    if not all(revision.impersonation for revision in revisions):
        kinds -= set(ACCESS_KINDS)
    return sorted(kinds - set(GUARD_KINDS))


def refused_kinds(permitted: Iterable[GroupKind]) -> list[GroupKind]:
    """Return what is never synced, sorted: the guard rails, and access where it is not permitted."""
    return sorted({*GUARD_KINDS, *ACCESS_KINDS} - set(permitted))


def _kinds_of(revision: Revision) -> set[GroupKind]:
    allowed = {(item.group, item.kind) for item in revision.allowed_kinds} or set(USUAL_KINDS)
    return allowed | {(item.group, item.kind) for item in revision.additional_kinds}
