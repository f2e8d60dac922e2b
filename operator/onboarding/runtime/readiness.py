"""Readiness: whether the first lists are complete, and whether the watches on the hub are alive."""

import asyncio
import contextlib

from onboarding.build.kinds import HUB
from onboarding.runtime.clusters import Clusters
from onboarding.runtime.events import Events
from onboarding.runtime.platform import Platform
from onboarding.runtime.session import KopfSession

_SITES_TIMEOUT = 10.0


class Readiness:
    """Tells when the caches are synced, and what is wrong with the hub."""

    def __init__(
        self, events: Events, session: KopfSession, platform: Platform, clusters: Clusters, *, idle_timeout: float
    ) -> None:
        """Call a watch on the hub dead after two ``idle_timeout`` without a byte."""
        self._events = events
        self._session = session
        self._platform = platform
        self._clusters = clusters
        self._limit = 2 * idle_timeout
        self._hub_synced = asyncio.Event()
        self._sites_synced = asyncio.Event()

    def refresh(self) -> None:
        """Look at the caches again: a cluster has changed its state, or a list is complete."""
        states = self._clusters.states
        if states[HUB].known and self._events.synced and self._platform.warm:
            self._hub_synced.set()
            if not any(state.starting for state in states.values()):
                self._sites_synced.set()

    async def synced(self) -> None:
        """Return when the hub's caches are synced, and those of the sites or ten seconds have passed.

        A site that is slow at the start is a condition of its projects, and delays no other project for longer.
        """
        await self._hub_synced.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._sites_synced.wait(), _SITES_TIMEOUT)

    def idle_seconds(self) -> dict[str, float]:
        """Return the seconds since the last byte of the most silent watch, by cluster; all watches on the hub count."""
        idle = self._clusters.idle_seconds()
        return {**idle, HUB: max(idle[HUB], self._platform.idle_seconds, self._session.idle_seconds)}

    def problem(self) -> str:
        """Return why the operator is not ready; the empty string if it is."""
        if problem := self._platform.definitions.problem:
            return problem
        if not (self._events.synced and self._session.listening and self._platform.warm):
            return "what is declared has not been listed yet"
        if problem := self._clusters.hub.state.problem:
            return problem
        idle = self.idle_seconds()[HUB]
        return f"a watch on the hub has been silent for {idle:.0f} s" if idle > self._limit else ""
