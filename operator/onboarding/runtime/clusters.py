"""The clusters of this operator: the hub, a connection per kubeconfig Secret of a target, and their states."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from onboarding.adapters.client import Client
from onboarding.adapters.cluster import KubeCluster
from onboarding.adapters.identity import ClusterIdentities, PinnedClient
from onboarding.adapters.pool import ClusterPool, KubeconfigRules
from onboarding.adapters.secrets import read_secret_key
from onboarding.build.kinds import HUB
from onboarding.reconcile.observed.ledgers import NamespaceLedger
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.settings import Settings


class Clusters:
    """Makes the clusters by the settings, and keeps their states."""

    def __init__(
        self,
        settings: Settings,
        client: Client,
        ledger: NamespaceLedger,
        *,
        declared: ProjectCache,
        project_changed: Callable[[str], None],
        state_changed: Callable[[], None],
        on_write: Callable[[str, str, str], None],
    ) -> None:
        """Reach the hub as ``client`` does, and the clusters that targets and projects in ``declared`` need.

        Call ``on_write`` with cluster, kind and verb after each write.
        """
        self._settings = settings
        self._declared = declared
        self._kept: set[str] = set()
        """Connections that no target names, and that a project is still on."""
        self._ledger = ledger
        self._project_changed = project_changed
        self._state_changed = state_changed
        self._on_write = on_write
        self._identities = ClusterIdentities(client, settings.namespace)
        self.hub = self._cluster(HUB, PinnedClient(client.configuration, **self._options(HUB)))
        self.hub.probe_projects(declared.names)
        self.pool = ClusterPool(
            self.hub,
            read_secret=partial(read_secret_key, client, settings.namespace),
            connect=self._connect,
            state_changed=state_changed,
            rules=KubeconfigRules(settings.allow_login_commands, settings.allow_unverified_servers),
        )
        self._identities.connections = self.pool
        self.states: Mapping[str, ClusterState] = {}
        """The state of each cluster at the last ``refresh``."""

    def refresh(self) -> bool:
        """Reconnect to clusters that need it, and look at the states again; return whether one has changed."""
        self.hub.ask_guards()
        wanted = self._declared.clusters()
        self._kept = wanted - self._declared.offered.sites.clusters()
        self.pool.follow(wanted)
        self.pool.renew()
        former, self.states = self.states, {name: cluster.state for name, cluster in self.pool.items()}
        return self.states != former

    @property
    def outdated(self) -> bool:
        """Whether a connection that no target names is still open, and no project is on it any more."""
        return bool(self._kept) and not self._kept <= self._declared.clusters()

    def idle_seconds(self) -> dict[str, float]:
        """Return the seconds since the last byte of the most silent watch, by cluster."""
        return {cluster.name: cluster.idle_seconds for cluster in self.pool.connected()}

    def _cluster(self, name: str, client: PinnedClient) -> KubeCluster:
        return KubeCluster(
            name,
            client,
            ledger=self._ledger,
            idle_timeout=self._settings.idle_timeout,
            writes_in_flight=self._settings.writes_in_flight,
            project_changed=self._project_changed,
            state_changed=self._state_changed,
            on_write=self._on_write,
        )

    async def _connect(self, name: str, kubeconfig: Mapping[str, Any]) -> KubeCluster:
        # The hub's identity first, so that a kubeconfig that leads back to the hub is refused as such.
        await self.hub.prove()
        return self._cluster(name, await PinnedClient.from_kubeconfig(kubeconfig, **self._options(name)))

    def _options(self, name: str) -> dict[str, Any]:
        return {
            "request_timeout": self._settings.request_timeout,
            "confirm": partial(self._identities.confirm, name),
            "changed": self._state_changed,
        }
