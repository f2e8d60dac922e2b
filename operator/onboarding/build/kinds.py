"""Kinds of the objects that the operator creates, and their API paths."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import quote

Manifest = dict[str, Any]
"""A Kubernetes object as JSON."""

HUB: Final = "hub"
"""The cluster that the operator runs on."""


@dataclass(frozen=True, slots=True, eq=False)
class ChildKind:
    """A kind that the operator creates; each kind is one constant, compared by identity."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The ``apiVersion`` in manifests."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return the URL path of an object, or of a collection if the name, or also the namespace, is empty."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{root}{scope}/{self.plural}" + (f"/{quote(name)}" if name else "")


NAMESPACE: Final = ChildKind("", "v1", "Namespace", "namespaces", namespaced=False)
RESOURCE_QUOTA: Final = ChildKind("", "v1", "ResourceQuota", "resourcequotas")
LIMIT_RANGE: Final = ChildKind("", "v1", "LimitRange", "limitranges")
SERVICE_ACCOUNT: Final = ChildKind("", "v1", "ServiceAccount", "serviceaccounts")
NETWORK_POLICY: Final = ChildKind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
ROLE_BINDING: Final = ChildKind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
APP_PROJECT: Final = ChildKind("argoproj.io", "v1alpha1", "AppProject", "appprojects")
APPLICATION: Final = ChildKind("argoproj.io", "v1alpha1", "Application", "applications")

CHILD_KINDS: Final = (
    NAMESPACE,
    RESOURCE_QUOTA,
    LIMIT_RANGE,
    SERVICE_ACCOUNT,
    NETWORK_POLICY,
    ROLE_BINDING,
    APP_PROJECT,
    APPLICATION,
)
ARGO_KINDS: Final = (APP_PROJECT, APPLICATION)


class ObjectKey(NamedTuple):
    """Key of an object: cluster (``hub`` or the name of a connection), kind, namespace ('' if none) and name."""

    cluster: str
    kind: ChildKind
    namespace: str
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        where = "" if self.cluster == HUB else f" on {self.cluster}"
        return f"{self.kind.kind} {place}{where}"


class Wanted(NamedTuple):
    """A desired object, in the form that the API server stores."""

    key: ObjectKey
    manifest: Manifest
    cluster: str
    """The cluster whose state it depends on: for an Application that of its environment, else that of its key."""
