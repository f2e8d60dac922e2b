"""Kinds that a project's repositories may sync, and kinds that they may never sync."""

from collections.abc import Iterable, Sequence
from typing import Final

from onboarding.build.revision import Revision

GroupKind = tuple[str, str]
"""API group (the core group is the empty string) and kind."""

ACCESS_KINDS: Final[tuple[GroupKind, ...]] = (
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
)
"""Kinds that grant rights: permitted only with impersonation, because the account then has only its own rights."""

GUARD_KINDS: Final[tuple[GroupKind, ...]] = (
    ("", "LimitRange"),
    ("", "ResourceQuota"),
    ("argoproj.io", "AppProject"),
    ("argoproj.io", "Application"),
    ("argoproj.io", "ApplicationSet"),
    ("networking.k8s.io", "NetworkPolicy"),
)
"""Kinds that would let a tenant rewrite its own restrictions: never permitted."""

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
"""Kinds that are permitted by default. They include Pod and ReplicaSet because Argo CD shows children and their logs
only if the AppProject permits their kind."""


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
    """Return the permitted kinds, sorted: those of all environments; if there are none, the kinds still in use."""
    kinds = {kind for revision in revisions for kind in _kinds_of(revision)} or set(in_use) or set(USUAL_KINDS)
    if not all(revision.impersonation for revision in revisions):
        kinds -= set(ACCESS_KINDS)
    return sorted(kinds - set(GUARD_KINDS))


def refused_kinds(permitted: Iterable[GroupKind]) -> list[GroupKind]:
    """Return the refused kinds, sorted: restrictions, and the kinds that grant rights unless they are permitted."""
    return sorted({*GUARD_KINDS, *ACCESS_KINDS} - set(permitted))


def _kinds_of(revision: Revision) -> set[GroupKind]:
    allowed = {(item.group, item.kind) for item in revision.allowed_kinds} or set(USUAL_KINDS)
    return allowed | {(item.group, item.kind) for item in revision.additional_kinds}
