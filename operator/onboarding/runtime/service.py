"""The running operator: its parts started and stopped together with Kopf."""

import asyncio

import kopf
import structlog

from onboarding.adapters.client import Client
from onboarding.runtime import garbage
from onboarding.runtime.assemble import FirstAnswers, assemble
from onboarding.runtime.ending import cause_of
from onboarding.runtime.events import KOPF_IDENTITY, build_registry, build_settings
from onboarding.runtime.metrics import Metrics
from onboarding.settings import Settings

log = structlog.get_logger(__name__)


class Service:
    """The running operator."""

    def __init__(self, settings: Settings, hub: Client, metrics: Metrics, first: FirstAnswers) -> None:
        self._parts = assemble(settings, hub, metrics, first)
        self._stopping = False
        self._background: list[asyncio.Task[None]] = []

    async def look(self) -> None:
        """Get the definitions of our kinds before anything is listed; OnboardingError if the hub does not answer."""
        await self._parts.platform.definitions.look()

    def not_ready(self) -> str:
        """Return why the operator is not ready; the empty string if it is."""
        return self._parts.readiness.problem()

    async def run(self) -> None:
        """Run until a signal asks to stop; OnboardingError if a part of the operator has died."""
        # Made before Kopf starts: on its way out Kopf cancels every task that is younger than itself.
        parts = self._start()
        opening = asyncio.create_task(self._open_queue(), name="opening")
        self._background = [*parts, opening]
        watching = asyncio.create_task(self._watch(), name="kopf")
        done, _ = await asyncio.wait([watching, *parts], return_when=asyncio.FIRST_COMPLETED)
        died = None if self._stopping else done.pop()
        if died is not None:
            watching.cancel()
        await asyncio.wait([watching])
        await self._shut_down()
        if died is None and not watching.cancelled() and watching.exception():
            died = watching
        if died is not None:
            raise cause_of(died)

    def _start(self) -> list[asyncio.Task[None]]:
        parts = self._parts
        return [
            asyncio.create_task(parts.queue.run(parts.worker.reconcile), name="queue"),
            asyncio.create_task(parts.secrets.run(), name="credentials"),
            asyncio.create_task(parts.argocd.run(), name="settings of Argo CD"),
            asyncio.create_task(parts.orphans.run(), name="orphans"),
            *parts.platform.start(),
            *parts.clusters.hub.start(),
        ]

    async def _shut_down(self) -> None:
        self._stopping = True
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._parts.runner.close()
        await self._parts.clusters.pool.close()

    async def _watch(self) -> None:
        registry = build_registry(self._parts.events, self._parts.session.open, self._shut_down)
        await kopf.operator(registry=registry, settings=build_settings(), clusterwide=True, identity=KOPF_IDENTITY)

    async def _open_queue(self) -> None:
        parts = self._parts
        await parts.readiness.synced()
        log.info("caches synced", installation=parts.installation, clusters=len(parts.clusters.pool))
        garbage.search_what_is_new()
        parts.queue.open()
