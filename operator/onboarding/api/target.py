"""HostingTarget: one place to run, of one or more sites, as the platform describes it."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from onboarding.api.common import LABEL_KEY_RULE, Cidr, LabelValue, Model, ObjectName, Port, ShortName, SiteName, Text
from onboarding.api.markers import AtomicList, MapList, SetList


class ArgoLocation(StrEnum):
    """On which cluster the Argo CD runs that serves a site."""

    HUB = "Hub"
    SITE = "Site"


class ArgoCD(Model):
    """The Argo CD that deploys to a site."""

    location: ArgoLocation = Field(default=ArgoLocation.HUB, description="Where that Argo CD runs.")
    namespace: ObjectName = Field(default="argocd", description="Namespace of that Argo CD.")
    destination_server: Annotated[str, Field(max_length=253, pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]+)?$")] = Field(
        default="https://kubernetes.default.svc", description="URL of the site's cluster as that Argo CD knows it."
    )


class SecretKey(Model):
    """One key of a Secret in the operator's namespace."""

    name: ObjectName = Field(description="Name of the Secret.")
    key: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._-]+$")] = Field(
        default="kubeconfig", description="Key within the Secret."
    )


class Site(Model):
    """One cluster of a target."""

    name: SiteName = Field(description="Name of the site within the target.")
    kubeconfig_secret: SecretKey | None = Field(
        default=None,
        description="Kubeconfig of the operator's own least-privilege identity there. Default: the operator's cluster.",
    )
    argocd: ArgoCD = Field(default_factory=ArgoCD, description="The Argo CD that serves this site.")


Labels = Annotated[dict[str, LabelValue], Field(max_length=10), LABEL_KEY_RULE]
Namespaces = Annotated[tuple[ObjectName, ...], Field(max_length=10), SetList()]


class Dns(Model):
    """The cluster's resolver, which pods may ask over UDP and TCP."""

    namespace: ObjectName = Field(default="kube-system", description="Namespace of the resolver.")
    pod_labels: Labels = Field(
        default_factory=dict, description="Labels of the resolver's pods. Default: every pod of that namespace."
    )
    port: Port = Field(default=53, description="Port of the resolver's pods.")


class ApiServer(Model):
    """Where pods reach the Kubernetes API, behind the service address."""

    cidrs: Annotated[tuple[Cidr, ...], Field(min_length=1, max_length=20), AtomicList()] = Field(
        description="Networks of the API servers."
    )
    port: Port = Field(default=6443, description="Port of the API servers.")


class Network(Model):
    """The holes in every namespace's default deny; where data is absent there is no hole."""

    dns: Dns | None = Field(default=None, description="The resolver that pods may ask.")
    api_server: ApiServer | None = Field(default=None, description="The API server that pods may call.")
    ingress_namespaces: Namespaces = Field(default=(), description="Namespaces of ingress controllers, by name.")
    monitoring_namespaces: Namespaces = Field(default=(), description="Namespaces of monitoring, by name.")
    logging_namespaces: Namespaces = Field(default=(), description="Namespaces of log collectors, by name.")


class HostingTargetSpec(Model):
    """What the platform says of one place to run."""

    description: Text = Field(default="", description="What this target is, in a sentence.")
    stages: Annotated[tuple[ShortName, ...], Field(max_length=20), SetList()] = Field(
        default=(), description="Stages that may run here. Default: every stage."
    )
    sites: Annotated[tuple[Site, ...], Field(min_length=1, max_length=10), MapList("name")] = Field(
        description="The clusters of this target."
    )
    network: Network = Field(default_factory=Network, description="Holes in the default deny of every namespace.")
    gpu_resource: Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9.-]+/[a-z0-9.-]+$")] = Field(
        default="nvidia.com/gpu", description="Name of the extended resource that a GPU is."
    )
