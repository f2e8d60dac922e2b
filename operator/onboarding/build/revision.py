"""The admitted revision: the resolved inputs of everything built for one environment on one site.

It is the one thing remembered, as canonical JSON in an annotation on the environment's namespace. Defaults are left
out of that JSON, so that a new optional field changes no revision that does not use it.
"""

import hashlib
from functools import cached_property, lru_cache
from typing import Annotated, Any, Final, NamedTuple

import orjson
from pydantic import Field

from onboarding.api.addresses import NetworkCidr
from onboarding.api.common import Model, Resources
from onboarding.api.delivery import Repository, ResourceKind, Window
from onboarding.api.hosting import Direction, Protocol
from onboarding.api.policy import ArgoAction, ContainerDefaults, PodSecurity
from onboarding.api.target import ArgoCD, ArgoLocation, Flavour, Holes
from onboarding.build.canonical import compact, dump
from onboarding.build.kinds import HUB


class Owner(NamedTuple):
    """Whom an object belongs to: the installation of the operator, the project's name and its UID."""

    installation: str
    project: str
    uid: str


class Binding(Model):
    """The groups of one persona and what they may do."""

    persona: str
    cluster_role: str
    groups: tuple[str, ...]
    argocd: tuple[ArgoAction, ...] = ()


class ResolvedFlow(Model):
    """A declared flow as one environment has it on one cluster: with networks, or with namespaces, at its other end."""

    name: str
    direction: Direction = Direction.EGRESS
    """As this environment sees it."""
    port: int
    protocol: Protocol = Protocol.TCP
    zone: str = ""
    networks: dict[NetworkCidr, tuple[NetworkCidr, ...]] = Field(default_factory=dict)
    """Networks of the zone, each with the networks within it that belong to other zones."""
    peers: dict[str, str] = Field(default_factory=dict)
    """The environments of the project at the other end, each with its namespace."""
    answers: bool = False
    """Whether the peers need the flow, and this environment lets it happen."""

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes it this flow: with any of it changed, it is another one."""
        return self.name, self.answers, self.direction, self.port, self.protocol, self.zone


class Revision(Model):
    """Everything that the builders need to know of one environment on one site."""

    environment: str
    stage: str
    target: str
    site: str
    cluster: str = HUB
    sole_site: bool = True
    namespace: str
    description: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    resources: Resources
    gpu_resource: str
    container: ContainerDefaults
    object_counts: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    pod_security: PodSecurity
    bindings: tuple[Binding, ...] = ()
    flavour: Flavour = Flavour.KUBERNETES
    network: Holes = Holes()
    flows: tuple[ResolvedFlow, ...] = ()
    argocd: ArgoCD = ArgoCD()
    repositories: tuple[Repository, ...] = ()
    """Those that get an Application, as this environment deploys them."""
    value_repositories: tuple[Repository, ...] = ()
    """Those that only hold value files for them here: name, URL, revision and login."""
    auto_sync: bool = True
    windows: tuple[Window, ...] = ()
    """When Argo CD may sync: those of the environment and those of the platform, already weighed up."""
    impersonation: bool = True
    """Whether Argo CD syncs as the account of the environment."""
    allowed_kinds: tuple[ResourceKind, ...] = ()
    """Kinds that may be synced; none stands for the usual workload kinds."""
    additional_kinds: tuple[ResourceKind, ...] = ()

    def value_repository(self, repository: Repository) -> Repository | None:
        """Return the repository that holds the value files of another one; None where that holds its own."""
        named = (values for values in self.value_repositories if values.name == repository.values_from)
        return next(named, None)

    @property
    def argo_cluster(self) -> str:
        """The cluster that holds this environment's AppProject and Applications."""
        return HUB if self.argocd.location is ArgoLocation.HUB else self.cluster

    @cached_property
    def canonical(self) -> bytes:
        """The canonical JSON: sorted keys, no white space, defaults left out."""
        content = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return compact(dump(content))

    def with_values(self, **values: Any) -> "Revision":
        """Return a copy with other values."""
        copy = self.model_copy(update=values)
        # A copy carries cached properties along, and this one would tell of the original.
        copy.__dict__.pop("canonical", None)
        return copy

    @classmethod
    def parse(cls, text: str) -> "Revision":
        """Read a revision back from its annotation; pydantic's ValidationError where somebody broke it."""
        try:
            content = orjson.loads(text)
        except orjson.JSONDecodeError:
            return cls.model_validate_json(text)
        if isinstance(content, dict):
            for name in _ALIKE.keys() & content.keys():
                content[name] = _one(_ALIKE[name], dump(content[name]))
        return cls.model_validate(content)


_ALIKE: Final[dict[str, type[Model]]] = {
    "resources": Resources,
    "container": ContainerDefaults,
    "podSecurity": PodSecurity,
    "network": Holes,
    "argocd": ArgoCD,
}
"""Parts that few policies, sizes and targets give to many revisions."""


@lru_cache(maxsize=1024)
def _one(model: type[Model], content: bytes) -> Model:
    """Return one object for all revisions that have the same part."""
    return model.model_validate_json(content)


def digest(canonical: bytes) -> str:
    """Return the short name of a revision: the first 12 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(canonical).hexdigest()[:12]
