"""A connection to a cluster as the operator has it, whose guard rails a test changes and asks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from onboarding.adapters.client import Client
from onboarding.adapters.cluster import KubeCluster
from onboarding.adapters.identity import PinnedClient
from onboarding.build.kinds import HUB
from onboarding.reconcile.observed.capacity import CapacityLedger
from onboarding.reconcile.observed.snapshot import ClusterState


class Guarded:
    """A connected cluster; ``told`` is set whenever its state may be another."""

    def __init__(self, cluster: KubeCluster, told: asyncio.Event) -> None:
        self.cluster = cluster
        self._told = told

    async def until(self, condition: Callable[[ClusterState], object], *, within: float = 30) -> ClusterState:
        """Wait until the state is as wanted, hearing of it in the same way as the operator does."""
        try:
            async with asyncio.timeout(within):
                while not condition(self.cluster.state):
                    self._told.clear()
                    await self._told.wait()
        except TimeoutError:
            raise AssertionError(f"not within {within:.0f} s: {self.cluster.state}") from None
        return self.cluster.state

    async def until_guarded(self, *, within: float = 30) -> None:
        """Wait until all policies have proven to be in force."""
        await self.until(lambda state: state.known and state.guarded, within=within)

    async def until_told(self, words: str, *, unknown: bool = False, within: float = 30) -> None:
        """Wait until the guard rails are said to be missing, or not known, in these words."""
        await self.until(
            lambda state: words in state.guard_problem and state.guard_unknown is unknown and not state.guarded,
            within=within,
        )


@asynccontextmanager
async def connected_to(kubeconfig: Path, *projects: str, name: str = HUB) -> AsyncIterator[Guarded]:
    """Connect as the operator does; the policy on projects is asked by these."""
    plain = await Client.from_environment(str(kubeconfig), request_timeout=10)
    await plain.close()
    told = asyncio.Event()

    async def confirm(_uid: str) -> None:
        """Take the cluster for the one that is meant."""

    client = PinnedClient(plain.configuration, request_timeout=10, confirm=confirm, changed=told.set)
    cluster = KubeCluster(
        name,
        client,
        ledger=CapacityLedger("test", freed=lambda _name: None),
        idle_timeout=75,
        writes_in_flight=8,
        project_changed=lambda _name: None,
        state_changed=told.set,
        on_write=lambda *_words: None,
    )
    cluster.probe_projects(lambda: iter(projects))
    cluster.start()
    try:
        yield Guarded(cluster, told)
    finally:
        # At once and by force: a polite end of TLS would outlast the event loop of the test.
        await client._session.connector.close(abort_ssl=True)
        await cluster.close()
        for _ in range(10):
            await asyncio.sleep(0)
