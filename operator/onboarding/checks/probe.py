"""What a check may ask of the outside world, and the facts that come back. The adapters ask; checks only read.

A request is a value: two checks that ask the same share one probe. Facts are definite; where a probe could not find
out (time-out, no such host, a server's own error) there are none, and ``problem`` says why: that is Unknown, never a
failed check.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar

Facts_co = TypeVar("Facts_co", covariant=True)


class Request(Generic[Facts_co]):
    """A question to the outside world; equal questions share their answer."""

    __slots__ = ()
    soon: ClassVar[bool] = False
    """Whether the answer is expected to change soon: it is asked again after seconds, then later and later."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[Facts_co]):
    """The newest answer to a request."""

    facts: Facts_co | None
    """None where the probe could not find out."""
    problem: str
    """Why not, in words without a secret or a foreign text; the empty string where there are facts."""
    at: datetime
    """When the facts were found, or when it was last tried."""


class Answers(Protocol):
    """The newest answers."""

    def get(self, request: Request[Any], /) -> Answer[Any] | None:
        """Return the newest answer to a request; None where there is none yet."""


def no_answers() -> Answers:
    """Return nothing known."""
    return dict[Request[Any], Answer[Any]]()


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """A Git repository as a client without a clone sees it."""

    found: bool
    """False where the server says that there is none, or refuses our login."""
    refusal: str = ""
    """Why not, such as ``401 Unauthorized``."""
    commit: str = ""
    """The commit that the revision stands for; the empty string where there is no such revision."""
    path_found: bool = False
    """Whether the path exists in that commit."""


@dataclass(frozen=True, slots=True)
class RepositoryRequest(Request[RepositoryFacts]):
    """Whether the repository answers, has this revision, and has this path in it."""

    url: str
    revision: str
    path: str


@dataclass(frozen=True, slots=True)
class DnsFacts:
    """What a name resolves to."""

    addresses: tuple[str, ...]
    """Sorted IPv4 and IPv6 addresses, at most 16; empty where the name does not exist or has none."""


@dataclass(frozen=True, slots=True)
class DnsRequest(Request[DnsFacts]):
    """Whether the host name resolves."""

    host: str


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """The certificate that a server shows for a host."""

    names: tuple[str, ...]
    """DNS names of the certificate, sorted, at most 100."""
    matches: bool
    """Whether one of the names covers the host."""
    not_after: datetime
    trusted: bool
    """Whether its chain ends at an authority that we trust."""
    problem: str = ""
    """What is wrong with the chain, in the TLS library's words."""


@dataclass(frozen=True, slots=True)
class CertificateRequest(Request[CertificateFacts]):
    """Which certificate the server shows for this host."""

    host: str
    port: int = 443


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """How a health endpoint answers."""

    status: int
    """The HTTP status after redirects."""


@dataclass(frozen=True, slots=True)
class EndpointRequest(Request[EndpointFacts]):
    """How this URL answers a GET."""

    url: str


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """Whether the identity provider knows a group."""

    found: bool


@dataclass(frozen=True, slots=True)
class GroupRequest(Request[GroupFacts]):
    """Whether the identity provider knows this group."""

    group: str


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """An image as its registry knows it."""

    found: bool
    """False where the registry says that there is none, or refuses our login."""
    digest: str = ""
    platforms: tuple[str, ...] = ()
    """``os/architecture`` of each image behind the reference, sorted, at most 32."""


@dataclass(frozen=True, slots=True)
class ImageRequest(Request[ImageFacts]):
    """Whether the registry has this image."""

    reference: str


@dataclass(frozen=True, slots=True)
class WorkloadContainer:
    """A container of a workload, as far as a check cares."""

    name: str
    image: str
    readiness: bool = False
    liveness: bool = False
    requests: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    run_as_non_root: bool | None = None
    """Of the container, else of its pod."""
    run_as_user: int | None = None
    privileged: bool = False
    """Privileged, or allowed to escalate."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload of an environment, as far as a check cares."""

    kind: str
    """Deployment, StatefulSet, DaemonSet or CronJob."""
    name: str
    labels: Mapping[str, str]
    """Labels of its pods."""
    containers: tuple[WorkloadContainer, ...]
    replicas: int = 1
    spread: bool = False
    """Whether topology spread constraints or pod anti-affinity keep its pods apart."""
    host_path: bool = False
    replica_failure: str = ""
    """Why its pods cannot be made, such as a quota that refuses them; the empty string where nothing says so."""


@dataclass(frozen=True, slots=True)
class WorkloadsFacts:
    """What runs in the namespace of an environment; kinds that the cluster does not serve are named."""

    workloads: tuple[Workload, ...] = ()
    """At most 200, sorted by kind and name."""
    omitted: int = 0
    """Workloads beyond that."""
    not_served: tuple[str, ...] = ()
    """Kinds of the list below that the cluster does not serve, such as ``ServiceMonitor``."""
    protected: tuple[str, ...] = ()
    """``Kind/name`` of workloads that a PodDisruptionBudget selects."""
    monitors: tuple[str, ...] = ()
    """``Kind/name`` of ServiceMonitors and PodMonitors."""
    certificates: Mapping[str, bool] = field(default_factory=dict)
    """cert-manager Certificates by name: whether each is ready."""
    schedules: tuple[str, ...] = ()
    """Names of Velero Schedules that include this namespace and are not paused."""


@dataclass(frozen=True, slots=True)
class WorkloadsRequest(Request[WorkloadsFacts]):
    """What runs in this namespace of this cluster."""

    cluster: str
    namespace: str


@dataclass(frozen=True, slots=True)
class RefusedPodsRequest(WorkloadsRequest):
    """The same, while something there waits for its pods: they may be refused from one moment to the next."""

    soon: ClassVar[bool] = True
