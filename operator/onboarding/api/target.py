"""HostingTarget: one place to run, of one or more sites, as the platform describes it."""

from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import Field

from onboarding.api.addresses import DnsAddress, NetworkCidr, ZoneMap
from onboarding.api.capacity import Budget
from onboarding.api.common import (
    LABEL_KEY_RULE,
    Cidr,
    Day,
    Exposure,
    LabelValue,
    Model,
    ObjectName,
    Port,
    SecretKey,
    ShortName,
    SiteName,
    Text,
    ZoneName,
)
from onboarding.api.identity import GroupNames
from onboarding.api.markers import AtomicList, MapList, SetList
from onboarding.api.placement import Reservation, Trust


class ArgoLocation(StrEnum):
    """On which cluster the Argo CD runs that serves a site."""

    HUB = "Hub"
    SITE = "Site"


class ArgoCD(Model):
    """The Argo CD that deploys to a site."""

    location: ArgoLocation = Field(default=ArgoLocation.HUB, description="Cluster on which that Argo CD runs.")
    namespace: ObjectName = Field(default="argocd", description="Namespace of that Argo CD.")
    destination_server: Annotated[str, Field(max_length=253, pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]+)?$")] = Field(
        default="https://kubernetes.default.svc", description="URL of the site's cluster as that Argo CD knows it."
    )
    identity: GroupNames | None = Field(
        default=None, description="Form of groups in that Argo CD. Default: as the identity provider names them."
    )


class Site(Model):
    """One cluster of a target."""

    name: SiteName = Field(description="Name of the site within the target.")
    kubeconfig_secret: SecretKey | None = Field(
        default=None,
        description="Secret with the kubeconfig of the operator's least-privilege account there. Default: the hub.",
    )
    argocd: ArgoCD = Field(default_factory=ArgoCD, description="The Argo CD that serves this site.")
    identity: GroupNames | None = Field(
        default=None,
        description="Form of groups at the API server of this site. Default: that of the policy's identity.",
    )
    capacity: Budget = Field(
        default_factory=Budget, description="Sum that the quotas of all projects on this site may reach."
    )
    lost: bool = Field(
        default=False,
        description="Whether the cluster is gone for good: nothing is written there, and no deletion waits for it.",
    )


Zones = Annotated[tuple[ZoneName, ...], Field(max_length=10), SetList()]
Labels = Annotated[dict[str, LabelValue], Field(max_length=10), LABEL_KEY_RULE]
Namespaces = Annotated[tuple[ObjectName, ...], Field(max_length=10), SetList()]


class Dns(Model):
    """DNS resolver of the cluster, which pods may query over UDP and TCP."""

    namespace: ObjectName = Field(default="kube-system", description="Namespace of the resolver.")
    pod_labels: Labels = Field(
        default_factory=dict, description="Labels of the resolver's pods. Default: every pod of that namespace."
    )
    port: Port = Field(default=53, description="Port of the resolver's pods.")
    addresses: Annotated[tuple[DnsAddress, ...], Field(max_length=10), AtomicList()] = Field(
        default=(),
        description="Addresses of node-local DNS, such as 169.254.20.10, that pods may query at port 53; also "
        "link-local ones. Default: none.",
    )


class ApiServer(Model):
    """API server addresses behind the service address."""

    cidrs: Annotated[tuple[Cidr, ...], Field(min_length=1, max_length=20), AtomicList()] = Field(
        description="Networks of the API servers."
    )
    port: Port = Field(default=6443, description="Port of the API servers.")


class NetworkZone(Model):
    """A part of the outside world that declared flows may lead to or come from."""

    name: ZoneName = Field(description="Name of the zone, as flows and exposures use it, such as rie or internet.")
    cidrs: Annotated[tuple[NetworkCidr, ...], Field(min_length=1, max_length=50), AtomicList()] = Field(
        description="Networks of the zone, without link-local and metadata addresses and without narrower networks "
        "that another zone names."
    )
    attested: bool = Field(
        default=False,
        description="Whether a flow gets its NetworkPolicy only once the network team has attested FlowsOpened.",
    )


class Holes(Model):
    """Exceptions to the default deny of every namespace; absent data means no exception."""

    dns: Dns | None = Field(default=None, description="DNS resolver that pods may query.")
    api_server: ApiServer | None = Field(default=None, description="API server that pods may call.")
    ingress_namespaces: Namespaces = Field(
        default=(),
        description="Namespaces of ingress controllers, by name. Default: none; on OpenShift those with its label "
        "network.openshift.io/policy-group: ingress.",
    )
    monitoring_namespaces: Namespaces = Field(default=(), description="Namespaces of monitoring, by name.")
    logging_namespaces: Namespaces = Field(default=(), description="Namespaces of log collectors, by name.")


class TargetNetwork(Holes):
    """The network of a target: the holes of every namespace, and the zones that declared flows lead to or come from."""

    zones: Annotated[tuple[NetworkZone, ...], Field(max_length=20), MapList("name")] = Field(
        default=(), description="Zones that declared flows may lead to or come from."
    )
    own: Annotated[tuple[NetworkCidr, ...], Field(max_length=20), AtomicList()] = Field(
        default=(),
        description="Networks of the clusters themselves: pods, nodes and services. No flow reaches them through a "
        "wider zone. Default: none.",
    )

    @cached_property
    def holes(self) -> Holes:
        """The holes alone: what every environment has, whatever flows it declares."""
        return Holes.model_construct(**{name: getattr(self, name) for name in Holes.model_fields})

    @cached_property
    def map(self) -> ZoneMap:
        """Which zone each address belongs to."""
        server = self.api_server.cidrs if self.api_server else ()
        return ZoneMap(((zone.name, zone.cidrs) for zone in self.zones), self.own, server)

    def zone(self, name: str | None) -> NetworkZone | None:
        """Return the zone of this name, if there is one."""
        return next((zone for zone in self.zones if zone.name == name), None)


class Flavour(StrEnum):
    """What kind of Kubernetes the clusters are."""

    KUBERNETES = "Kubernetes"
    OPENSHIFT = "OpenShift"


class DomainRule(Model):
    """A suffix that domains may end in."""

    suffix: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")] = Field(
        description="Suffix without the leading dot, such as interieur.gouv.fr."
    )
    exposure: Exposure | None = Field(
        default=None, description="Only for environments with this exposure. Default: for all."
    )


class Contract(Model):
    """When the target may be ordered."""

    available_from: Day | None = Field(default=None, description="First day on which environments open.")
    ends_on: Day | None = Field(default=None, description="Last day on which environments open.")


class HostingTargetSpec(Model):
    """Description of one place to run, by the platform."""

    description: Text = Field(default="", description="Description of the target, in a sentence.")
    stages: Annotated[tuple[ShortName, ...], Field(max_length=20), SetList()] = Field(
        default=(), description="Stages that may run here. Default: every stage."
    )
    sites: Annotated[tuple[Site, ...], Field(min_length=1, max_length=10), MapList("name")] = Field(
        description="Clusters of this target."
    )
    flavour: Flavour = Field(default=Flavour.KUBERNETES, description="Kind of Kubernetes of the clusters.")
    provider: Text = Field(default="", description="Provider that runs the target, such as OVH.")
    zones: Zones = Field(
        default=(), description="Sensitivity zones of projects that may run here, such as NP. Default: every zone."
    )
    residency: Annotated[str, Field(max_length=10, pattern=r"^[A-Z]*$")] = Field(
        default="", description="Territory that data does not leave, such as FR or EU. Default: no promise."
    )
    exposures: Annotated[tuple[Exposure, ...], Field(max_length=10), SetList()] = Field(
        default=(), description="Networks that environments may be exposed to. Default: none."
    )
    profiles: Annotated[tuple[ShortName, ...], Field(max_length=10), SetList()] = Field(
        default=(), description="Workload profiles that may run here. Default: every profile."
    )
    domains: Annotated[tuple[DomainRule, ...], Field(max_length=20), AtomicList()] = Field(
        default=(), description="Suffixes that domains may end in. Default: any."
    )
    trust: Trust | None = Field(
        default=None, description="How far the platform trusts the target with sensitive data. Default: 0."
    )
    # Without defaults of the definition: a former release would not know the fields of what is stored.
    external: bool | None = Field(
        default=None,
        description="Whether the target belongs to an outside provider: it takes no zone, exposure and profile that it "
        "does not list. Default: no.",
    )
    reserved_for: Reservation | None = Field(
        default=None, description="The only projects that may open environments here. Default: every project."
    )
    closed: bool | None = Field(
        default=None,
        description="Whether no new environment opens here; what is there stays and may change. Default: no.",
    )
    contract: Contract = Field(
        default_factory=Contract, description="Days between which environments open on the target."
    )
    network: TargetNetwork = Field(
        default_factory=TargetNetwork,
        description="Exceptions to the default deny of every namespace, and zones of declared flows.",
    )
    gpu_resource: Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9.-]+/[a-z0-9.-]+$")] = Field(
        default="nvidia.com/gpu", description="Name of the extended resource that counts GPUs."
    )
