"""Rules of the platform for namespaces of projects: labels that they may set, and names that they may not take."""

from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import Field

from onboarding.api.markers import Rule, SetList

PROJECT: Final = "<project>"
"""Stands in a prefix of labels for the name of the project."""
_PART: Final = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"

LabelPrefix = Annotated[
    str,
    Field(
        max_length=100,
        # One part after the project would let the project's name make a domain of somebody else: <project>.io/.
        pattern=rf"^(<project>[.](projects|{_PART}([.]{_PART})+)|{_PART}([.]{_PART})*)/$",
    ),
    Rule(
        "!self.matches('(^|[.])(kubernetes|(x-)?k8s|openshift|argoproj|projectonboarding)[.]io/$')",
        "no project sets labels of Kubernetes, OpenShift, Argo CD and this operator (kubernetes.io, x-k8s.io, "
        "openshift.io, ...): allow a prefix of your own",
    ),
]
LabelPrefixes = Annotated[tuple[LabelPrefix, ...], Field(max_length=20), SetList()]
OWN_LABELS: Final = (f"{PROJECT}.projects/",)
"""The prefixes of a policy that names none."""

ReservedName = Annotated[str, Field(max_length=63, pattern=rf"^([*]-)?{_PART}$|^{_PART}-[*]$")]
ReservedNames = Annotated[tuple[ReservedName, ...], Field(max_length=200), SetList()]
PLATFORM_NAMES: Final = (
    "*-system",
    "amazon-*",
    "argo",
    "argo-*",
    "argocd",
    "argocd-*",
    "azure-*",
    "calico-*",
    "cattle-*",
    "cert-manager",
    "cilium",
    "cilium-*",
    "cnpg-*",
    "contour",
    "crossplane",
    "default",
    "elastic-*",
    "external-dns",
    "external-secrets",
    "falco",
    "fleet-*",
    "flux-*",
    "gatekeeper",
    "gatekeeper-*",
    "gitlab-*",
    "gke-*",
    "gpu-operator",
    "grafana",
    "haproxy-*",
    "harbor",
    "ingress",
    "ingress-*",
    "istio-*",
    "keda",
    "keycloak",
    "knative-*",
    "kong",
    "kube-*",
    "kubernetes-*",
    "kyverno",
    "kyverno-*",
    "linkerd",
    "linkerd-*",
    "logging",
    "logging-*",
    "loki",
    "longhorn-*",
    "minio",
    "monitoring",
    "monitoring-*",
    "neuvector",
    "nginx-*",
    "node-feature-discovery",
    "nvidia-*",
    "observability",
    "olm",
    "openebs",
    "openshift-*",
    "opentelemetry-*",
    "operators",
    "project-onboarding",
    "project-onboarding-*",
    "projectcontour",
    "prometheus",
    "prometheus-*",
    "rancher-*",
    "rook-*",
    "sealed-secrets",
    "tekton-*",
    "tempo",
    "tigera-*",
    "traefik",
    "traefik-*",
    "trivy-*",
    "vault",
    "velero",
)
"""The reserved names of a policy that names none: what platforms usually run beside the projects."""


def label_prefixes(entries: Iterable[str], project: str) -> tuple[str, ...]:
    """Return the prefixes of labels that a project may set."""
    return tuple(entry.replace(PROJECT, project) for entry in entries)


def reserving(entries: Iterable[str], namespace: str) -> str | None:
    """Return the first entry that reserves the name of a namespace; None if none does."""
    return next((entry for entry in entries if _reserves(entry, namespace)), None)


def _reserves(entry: str, namespace: str) -> bool:
    if entry.startswith("*"):
        return namespace.endswith(entry[1:])
    return namespace.startswith(entry[:-1]) if entry.endswith("*") else namespace == entry
