"""The clusters that the targets name: the hub, and a connection per kubeconfig Secret."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import structlog
import yaml

from onboarding.adapters.cluster import LOGIN_REFUSED, KubeCluster
from onboarding.backoff import Backoff
from onboarding.build.kinds import HUB, ChildKind, Manifest, ObjectKey
from onboarding.errors import ApiError, OnboardingError, UnreachableError
from onboarding.reconcile.observed.admitted import GoneNamespace
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.foreign import ForeignObject
from onboarding.reconcile.observed.ports import Cluster
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.repeats import Repeats

_BACKOFF_FIRST = 1.0
_BACKOFF_LAST = 15.0
"""Short, so that a cluster that is back, or a Secret that was renewed, is noticed soon."""
_FILES = frozenset({"tokenFile", "client-certificate", "client-key", "certificate-authority"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KubeconfigRules:
    """Exceptions that the platform allows in kubeconfigs: login commands, and servers that are not verified."""

    commands: bool = False
    unverified: bool = False


STRICT = KubeconfigRules()


class DisconnectedCluster:
    """A cluster without a connection: it tells the reason, and refuses writes."""

    def __init__(self, problem: str, *, starting: bool = False) -> None:
        self._problem = problem
        self._starting = starting

    @property
    def state(self) -> ClusterState:
        """The problem."""
        return ClusterState(problem=self._problem, starting=self._starting)

    def cached(self, key: ObjectKey) -> CachedObject | None:  # noqa: ARG002
        """Know nothing."""
        return None

    def follow(self, key: ObjectKey, project: str) -> CachedObject | None:  # noqa: ARG002
        """Know nothing; that it is connected to at last is news to every project."""
        return None

    def unfollow(self, project: str) -> None:
        """Forget nothing."""

    def owned(self, project: str) -> dict[ObjectKey, CachedObject]:  # noqa: ARG002
        """Know nothing."""
        return {}

    def gone(self, project: str) -> Mapping[ObjectKey, GoneNamespace]:  # noqa: ARG002
        """Know nothing."""
        return {}

    def forget_gone(self, project: str, keys: Iterable[ObjectKey]) -> None:
        """Forget nothing."""

    def foreign(self, namespace: str) -> tuple[ForeignObject, ...]:  # noqa: ARG002
        """Know nothing."""
        return ()

    async def create(self, key: ObjectKey, manifest: Manifest) -> CachedObject:  # noqa: ARG002
        """Refuse."""
        self._refuse()

    async def change(self, key: ObjectKey, patch: Manifest, live: CachedObject) -> CachedObject:  # noqa: ARG002
        """Refuse."""
        self._refuse()

    async def delete(self, key: ObjectKey, live: CachedObject) -> bool:  # noqa: ARG002
        """Refuse."""
        self._refuse()

    async def read(self, key: ObjectKey) -> Manifest | None:  # noqa: ARG002
        """Refuse."""
        self._refuse()

    async def list_in(self, kind: ChildKind, namespace: str) -> Sequence[Manifest]:  # noqa: ARG002
        """Refuse."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise UnreachableError(self._problem)


class ClusterPool(Mapping[str, Cluster]):
    """The clusters by the name of their connection: ``hub`` or ``<Secret>/<key>``."""

    def __init__(
        self,
        hub: KubeCluster,
        *,
        read_secret: Callable[[str, str], Awaitable[bytes]],
        connect: Callable[[str, Mapping[str, Any]], Awaitable[KubeCluster]],
        state_changed: Callable[[], None],
        rules: KubeconfigRules = STRICT,
        repeats: Repeats | None = None,
    ) -> None:
        """Read kubeconfigs with ``read_secret(name, key)``; make clusters of them with ``connect(name, content)``."""
        self._hub = hub
        self._read_secret = read_secret
        self._connect = connect
        self._state_changed = state_changed
        self._rules = rules
        self._sites: dict[str, KubeCluster | DisconnectedCluster] = {}
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._repeats = repeats or Repeats()

    def __getitem__(self, name: str) -> Cluster:
        return self._hub if name == HUB else self._sites[name]

    def __iter__(self) -> Iterator[str]:
        return iter((HUB, *self._sites))

    def __len__(self) -> int:
        return 1 + len(self._sites)

    def connected(self) -> Iterator[KubeCluster]:
        """Return the clusters that have a connection."""
        return iter([self._hub, *(site for site in self._sites.values() if isinstance(site, KubeCluster))])

    def follow(self, connections: set[str]) -> None:
        """Open the connections that targets name, and close those that none names any more."""
        for name in connections - self._sites.keys() - {HUB}:
            self._begin(name, "it is being connected to", starting=True)
        for name in self._sites.keys() - connections:
            self._opening.pop(name).cancel()
            self._end(name, self._sites.pop(name))

    def renew(self) -> None:
        """Reconnect if a login is refused or another cluster answers: the Secret may have changed by now."""
        for name, site in tuple(self._sites.items()):
            if isinstance(site, KubeCluster) and site.reconnect_reason:
                self._end(name, site)
                self._begin(name, site.reconnect_reason)

    def _begin(self, name: str, problem: str, *, starting: bool = False) -> None:
        self._opening[name] = asyncio.create_task(self._open(name), name=f"connect {name}")
        self._sites[name] = DisconnectedCluster(problem, starting=starting)

    def _end(self, name: str, site: KubeCluster | DisconnectedCluster) -> None:
        if isinstance(site, KubeCluster):
            closing = asyncio.create_task(site.close(), name=f"close {name}")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close every connection."""
        self.follow(set())
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self._hub.close()

    async def _open(self, name: str) -> None:
        """Connect, trying again until it works."""
        backoff = Backoff(_BACKOFF_FIRST, _BACKOFF_LAST)
        while True:
            try:
                site = await self._connected(name)
            except OnboardingError as error:
                problem = LOGIN_REFUSED if isinstance(error, ApiError) and error.status == 401 else str(error)
                if self._repeats.due(name, problem):
                    log.warning("cluster unreachable", cluster=name, error=problem)
                self._sites[name] = DisconnectedCluster(problem)
                self._state_changed()
                await asyncio.sleep(backoff.next())
            else:
                self._repeats.end(name)
                self._sites[name] = site
                site.start()
                return

    async def _connected(self, name: str) -> KubeCluster:
        secret, _, key = name.partition("/")
        content = read_kubeconfig(await self._read_secret(secret, key), self._rules)
        site = await self._connect(name, content)
        try:
            await site.prove()
        except BaseException:
            await site.close()
            raise
        return site


def read_kubeconfig(content: bytes, rules: KubeconfigRules = STRICT) -> dict[str, Any]:
    """Return a kubeconfig that names no file and, unless that is allowed, runs no command and checks the server."""
    try:
        config = yaml.safe_load(content)
        users = [entry.get("user") or {} for entry in config["users"]]
        clusters = [entry["cluster"] for entry in config["clusters"]]
        problem = _login_problem(users, rules) or _server_problem(clusters, rules) or _context_problem(config)
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        problem = "cannot be read: it needs clusters, users and contexts"
    if problem:
        raise UnreachableError(f"its kubeconfig {problem}")
    return dict(config)


def _login_problem(users: Sequence[Mapping[str, Any]], rules: KubeconfigRules) -> str:
    """Return what is wrong with the users of a kubeconfig; the empty string if nothing is."""
    if not users:
        return "names no user"
    commands = {"auth-provider"} if rules.commands else {"auth-provider", "exec"}
    if any(commands & user.keys() for user in users):
        return "runs a command to log in: use a token or a client certificate"
    return _file_problem(users)


def _server_problem(clusters: Sequence[Mapping[str, Any]], rules: KubeconfigRules) -> str:
    """Return what is wrong with the clusters of a kubeconfig; the empty string if nothing is."""
    if not clusters:
        return "names no cluster"
    if not rules.unverified and any(cluster.get("insecure-skip-tls-verify") for cluster in clusters):
        return "skips the check of the server's certificate: give its CA"
    if not all(str(cluster.get("server", "")).startswith("https://") for cluster in clusters):
        return "names a server without https"
    return _file_problem(clusters)


def _context_problem(config: Mapping[str, Any]) -> str:
    """Return what is wrong with the current context of a kubeconfig; the empty string if nothing is."""
    current = next((item for item in config["contexts"] if item["name"] == config.get("current-context")), None)
    if current is None:
        return "has no context of the name that current-context gives: correct current-context"
    for part in ("cluster", "user"):
        if not any(item["name"] == current["context"].get(part) for item in config[f"{part}s"]):
            return f"has no {part} of the name that its current context gives: correct the context"
    return ""


def _file_problem(parts: Iterable[Mapping[str, Any]]) -> str:
    found = any(_FILES & part.keys() for part in parts)
    return "names files, which would be the operator's own: embed the data" if found else ""
