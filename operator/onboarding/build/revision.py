"""Revision: the resolved inputs of all objects of one environment on one site.

The admitted revision is the only stored state, as canonical JSON in an annotation on the namespace. The JSON leaves out
defaults, so that a new optional field does not change revisions that do not use it.
"""

import hashlib
from functools import cached_property, lru_cache
from typing import Annotated, Any, Final, NamedTuple

import orjson
from pydantic import Field

from onboarding.api.addresses import NetworkCidr
from onboarding.api.common import Model, Resources
from onboarding.api.delivery import Repository, ResourceKind, Window
from onboarding.api.gates import Coverage
from onboarding.api.hosting import Direction, Protocol
from onboarding.api.identity import GroupPrefix, GroupPrefixes, group_with
from onboarding.api.personas import ArgoAction
from onboarding.api.policy import ContainerDefaults, PodSecurity
from onboarding.api.target import ArgoCD, ArgoLocation, Flavour, Holes
from onboarding.build.canonical import compact, dump
from onboarding.build.kinds import HUB


class Owner(NamedTuple):
    """Owner of an object: the installation of the operator, the project's name and its UID."""

    installation: str
    project: str
    uid: str


class Binding(Model):
    """The groups of a persona, with its ClusterRole and its actions in Argo CD in one environment."""

    persona: str
    cluster_role: str = ""
    """The empty string if it has rights in Argo CD only."""
    groups: tuple[str, ...]
    """As the project declares them."""
    argocd: tuple[ArgoAction, ...] = ()
    own: bool = False
    """Whether the groups are those of the environment, instead of the team's."""


class ResolvedFlow(Model):
    """A declared flow of one environment on one cluster, resolved to the networks or namespaces at its other end."""

    name: str
    direction: Direction = Direction.EGRESS
    """The direction from the point of view of this environment."""
    port: int
    protocol: Protocol = Protocol.TCP
    zone: str = ""
    networks: dict[NetworkCidr, tuple[NetworkCidr, ...]] = Field(default_factory=dict)
    """Networks of the zone, each with its sub-networks that belong to other zones."""
    peers: dict[str, str] = Field(default_factory=dict)
    """The environments of the project at the other end, each with its namespace."""
    answers: bool = False
    """Whether the peers need the flow and this environment only allows it."""

    @property
    def identity(self) -> tuple[object, ...]:
        """The identifying fields: a flow that differs in one of them has nothing in common with this one."""
        return self.name, self.answers, self.direction, self.port, self.protocol


class Revision(Model):
    """The inputs of the builders for one environment on one site."""

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
    group_prefix: GroupPrefix = ""
    """Prefix of groups at the API server of the site."""
    group_prefixes: GroupPrefixes = ()
    """The prefixes that a declared group may have already."""
    flavour: Flavour = Flavour.KUBERNETES
    network: Holes = Holes()
    flows: tuple[ResolvedFlow, ...] = ()
    argocd: ArgoCD = ArgoCD()
    repositories: tuple[Repository, ...] = ()
    """The repositories that get an Application, with the overrides of the environment."""
    value_repositories: tuple[Repository, ...] = ()
    """The repositories that only hold value files: name, URL, revision and credentials."""
    application_names: dict[str, str] = Field(default_factory=dict)
    """The names of Applications, by repository, that are not joined of project, environment, site and repository."""
    auto_sync: bool = True
    windows: tuple[Window, ...] = ()
    """The sync windows of the environment, already combined with those of the platform."""
    impersonation: bool = True
    """Whether Argo CD syncs as the ServiceAccount of the environment."""
    allowed_kinds: tuple[ResourceKind, ...] = ()
    """The permitted kinds; if empty, the default workload kinds."""
    additional_kinds: tuple[ResourceKind, ...] = ()
    domains: tuple[str, ...] | None = None
    """The domains that it claims, sorted; nothing is built from them. None if it records none: it was admitted before
    domains were claimed, or has never declared any."""
    declared: dict[Coverage, dict[str, Any]] = Field(default_factory=dict)
    """The declared fields that approvals of its gate cover, by group and path; nothing is built from them."""

    def value_repository(self, repository: Repository) -> Repository | None:
        """Return the repository with the value files of another one; None if that has its own."""
        named = (values for values in self.value_repositories if values.name == repository.values_from)
        return next(named, None)

    def groups_on_site(self, binding: Binding) -> tuple[str, ...]:
        """Return the groups of a binding as the API server of the site names them, sorted and unique."""
        return self._named(binding, self.group_prefix)

    def groups_in_argocd(self, binding: Binding) -> tuple[str, ...]:
        """Return the groups of a binding as Argo CD names them, sorted and unique."""
        identity = self.argocd.identity
        return self._named(binding, (identity.group_prefix if identity else None) or "")

    def _named(self, binding: Binding, prefix: str) -> tuple[str, ...]:
        if not prefix and not self.group_prefixes:
            return binding.groups
        return tuple(sorted({group_with(prefix, group, self.group_prefixes) for group in binding.groups}))

    @property
    def argo_cluster(self) -> str:
        """The cluster of the environment's AppProject and Applications."""
        return HUB if self.argocd.location is ArgoLocation.HUB else self.cluster

    @cached_property
    def canonical(self) -> bytes:
        """The canonical JSON: sorted keys, no white space, no defaults."""
        content = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return compact(dump(content))

    def with_values(self, **values: Any) -> "Revision":
        """Return a copy with other values."""
        copy = self.model_copy(update=values)
        # A copy includes cached properties, and this one would be that of the original.
        copy.__dict__.pop("canonical", None)
        return copy

    @classmethod
    def parse(cls, text: str) -> "Revision":
        """Parse a revision from its annotation; pydantic's ValidationError if it is invalid."""
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
"""Parts that many revisions share, because they come from few policies, sizes and targets."""


@lru_cache(maxsize=1024)
def _one(model: type[Model], content: bytes) -> Model:
    """Return one object for all revisions with the same part."""
    return model.model_validate_json(content)


def digest(canonical: bytes) -> str:
    """Return the short digest of a revision: the first 12 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(canonical).hexdigest()[:12]
