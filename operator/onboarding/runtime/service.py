"""The operator as a whole: its parts put together, started and stopped."""

import asyncio
import contextlib
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import kopf
import structlog

from onboarding.adapters.client import Client
from onboarding.adapters.cluster import KubeCluster
from onboarding.adapters.hub import HubProjects
from onboarding.adapters.identity import Pins, ProvenClient
from onboarding.adapters.pool import ClusterPool, Leniency
from onboarding.adapters.probes.asks import build_asks
from onboarding.adapters.probes.runner import ProbeRunner
from onboarding.adapters.secrets import KubeSecrets, read_secret_key
from onboarding.adapters.workloads.ask import ask_workloads
from onboarding.api.probes import Probes
from onboarding.build.kinds import HUB
from onboarding.checks.probe import WorkloadsRequest
from onboarding.errors import ApiError, OnboardingError
from onboarding.reconcile.observed.capacity import CapacityLedger
from onboarding.reconcile.observed.observer import Observer
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.reconcile.reconciler import Reconciler, Retry
from onboarding.runtime import garbage
from onboarding.runtime.deployments import Deployments
from onboarding.runtime.ending import cause_of
from onboarding.runtime.events import KOPF_IDENTITY, Events, build_registry, build_settings
from onboarding.runtime.metrics import Metrics
from onboarding.runtime.platform import Platform
from onboarding.runtime.queue import WorkQueue
from onboarding.runtime.session import KopfSession
from onboarding.settings import Settings

_SITES_PATIENCE = 10.0

log = structlog.get_logger(__name__)


class Service:
    """The running operator."""

    def __init__(
        self, settings: Settings, hub: Client, metrics: Metrics, installation: str, *, nothing_declared: bool
    ) -> None:
        self._settings = settings
        self._hub_client = hub
        self._kopf = KopfSession(hub)
        self._installation = installation
        self._metrics = metrics
        self._deployments = Deployments(self._metrics)
        self._declared = ProjectCache()
        self._queue = WorkQueue(self._work, workers=settings.workers, waited=self._metrics.wait.observe)
        self._events = Events(
            self._declared,
            changed=self._queue.add,
            listed=self._look_at_clusters,
            nothing_declared=nothing_declared,
        )
        self._platform = Platform(
            hub,
            self._declared,
            silence=settings.silence_limit,
            changed=self._platform_changed,
            project_changed=self._queue.add,
            kopf_watches=self._kopf.next_watch,
        )
        self._ledger = CapacityLedger(installation, freed=self._queue.add)
        self._pins = Pins(hub, settings.namespace, followed=lambda: self._pool)
        self._hub = self._cluster(HUB, ProvenClient(hub.configuration, **self._proof(HUB)))
        self._hub.probe_projects(self._declared.names)
        self._pool = ClusterPool(
            self._hub,
            read_secret=lambda name, key: read_secret_key(hub, settings.namespace, name, key),
            connect=self._connect,
            state_changed=self._look_at_clusters,
            leniency=Leniency(settings.allow_login_commands, settings.allow_unverified_servers),
        )
        self._states: dict[str, ClusterState] = {}
        self._hub_warm = asyncio.Event()
        self._sites_warm = asyncio.Event()
        self._stopping = False
        self._background: list[asyncio.Task[None]] = []
        self._prober = ProbeRunner(self._queue.add, asked=self._metrics.asked)
        self._probes: Probes | None = None
        observer = Observer(
            self._declared,
            self._pool,
            installation=installation,
            policy=settings.policy,
            clock=lambda: datetime.now(UTC),
            answers=self._prober,
            ledger=self._ledger,
            teardown_hold=self._teardown_hold,
        )
        self._secrets = KubeSecrets(
            hub, settings.namespace, self._pool, changed=self._look_at_all, wrote=self._wrote_object
        )
        self._reconciler = Reconciler(
            observer, self._pool, HubProjects(hub, self._wrote_project), self._prober, self._ledger, self._secrets
        )
        self._metrics.watch(
            ready=lambda: not self.not_ready(),
            depth=self._queue.depth,
            oldest=self._queue.oldest,
            silence=self._silence,
            clusters=lambda: self._states,
            applications=self._deployments.states,
        )

    async def look(self) -> None:
        """Ask for what has to be known before anything is read; OnboardingError where the hub does not answer."""
        await self._platform.definitions.look()

    async def run(self) -> None:
        """Run until a signal asks to stop; OnboardingError where a part of the operator has died."""
        # Made before Kopf starts: on its way out Kopf cancels every task that is younger than itself.
        parts = [
            asyncio.create_task(self._queue.run(), name="queue"),
            asyncio.create_task(self._secrets.run(), name="credentials"),
            *self._platform.start(),
            *self._hub.start(),
        ]
        opening = asyncio.create_task(self._open_when_warm(), name="opening")
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

    async def _shut_down(self) -> None:
        self._stopping = True
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._prober.close()
        await self._pool.close()

    async def _watch(self) -> None:
        registry = build_registry(self._events, self._kopf.open, self._shut_down)
        await kopf.operator(registry=registry, settings=build_settings(), clusterwide=True, identity=KOPF_IDENTITY)

    async def _open_when_warm(self) -> None:
        await self._hub_warm.wait()
        with contextlib.suppress(TimeoutError):
            # A site that is slow at the start is a condition of its projects, and delays nobody for longer.
            await asyncio.wait_for(self._sites_warm.wait(), _SITES_PATIENCE)
        log.info("the caches are warm", installation=self._installation, clusters=len(self._pool))
        garbage.search_what_is_new()
        self._queue.open()

    async def _work(self, name: str) -> Retry:
        """Make one pass; one project's failure never stops another's."""
        await self._hub.guards_answered()
        if self._hub.state != self._states.get(HUB):
            # What this pass sees has to be what a later change is compared with, or that would be no news.
            self._look_at_clusters()
        started = time.monotonic()
        try:
            if await self._platform.definitions.confirm():
                return self._ended("OldDefinitions", started, Retry.NO)
            done = await self._reconciler.reconcile(name)
        except OnboardingError as error:
            if isinstance(error, ApiError) and error.status == 404:
                # A pass reports refusals of children; only the project itself can be missing here, unseen by Kopf.
                self._declared.drop_project(name)
            log.warning("pass failed", project=name, error=str(error))
            return self._ended(error.outcome, started, Retry.LATER)
        except Exception:
            log.exception("pass broke", project=name)
            return self._ended("Bug", started, Retry.LATER)
        if done.ready is None:
            self._metrics.states.pop(name, None)
            self._deployments.forget(name)
            return self._ended("Gone", started, Retry.NO)
        self._metrics.states[name] = done.states
        self._deployments.look(self._declared.project(name), self._pool.connected())
        if done.again_at:
            self._queue.add_later(name, max(0.0, (done.again_at - datetime.now(UTC)).total_seconds()))
        say = log.info if done.changes else log.debug
        say("pass", project=name, reason=done.ready.reason.value, changes=len(done.changes), first=done.changes[:3])
        return self._ended(done.ready.reason.value, started, done.retry)

    def _ended(self, outcome: str, started: float, retry: Retry) -> Retry:
        self._metrics.passes.labels(outcome).inc()
        self._metrics.duration.labels(outcome).observe(time.monotonic() - started)
        return retry

    def _wrote_object(self, cluster: str, kind: str, verb: str) -> None:
        self._metrics.writes.labels(cluster, kind, verb).inc()

    def _wrote_project(self, body: Mapping[str, Any]) -> None:
        if self._declared.take_answer(body):
            self._queue.add(body["metadata"]["name"])

    def _platform_changed(self) -> None:
        self._pool.follow(self._declared.offered.clusters())
        self._configure_probes()
        self._follow_credentials()
        self._look_at_clusters()
        self._look_at_all()

    def _configure_probes(self) -> None:
        policy, _ = self._declared.policy(self._settings.policy)
        if policy is not None and policy.probes != self._probes:
            self._probes = policy.probes
            secrets = partial(read_secret_key, self._hub_client, self._settings.namespace)
            hub = os.environ.get("KUBERNETES_SERVICE_HOST")
            requests_of = build_asks(policy.probes, secrets, never=(hub,) if hub else ())
            self._prober.configure(
                policy.probes, {**requests_of, WorkloadsRequest: lambda request: ask_workloads(self._pool, request)}
            )

    def _follow_credentials(self) -> None:
        policy, _ = self._declared.policy(self._settings.policy)
        if policy is not None:
            self._secrets.follow({credential.secret for credential in policy.delivery.credentials})

    def _look_at_all(self) -> None:
        for name in self._declared.names():
            self._queue.add(name)

    def _look_at_clusters(self) -> None:
        self._hub.ask_guards()
        self._pool.renew()
        states = {name: cluster.state for name, cluster in self._pool.items()}
        if states[HUB].known and self._events.synced and self._platform.warm:
            self._hub_warm.set()
            if not any(state.starting for state in states.values()):
                self._sites_warm.set()
        if states != self._states:
            self._states = states
            self._platform.report_clusters(states)
            self._look_at_all()

    def _cluster(self, name: str, client: ProvenClient) -> KubeCluster:
        return KubeCluster(
            name,
            client,
            ledger=self._ledger,
            silence=self._settings.silence_limit,
            writes_in_flight=self._settings.writes_in_flight,
            project_changed=self._queue.add,
            state_changed=self._look_at_clusters,
            wrote=self._wrote_object,
        )

    async def _connect(self, name: str, kubeconfig: Mapping[str, Any]) -> KubeCluster:
        # Known first, so that a kubeconfig which leads back here is told for what it is.
        await self._hub.prove()
        return self._cluster(name, await ProvenClient.from_kubeconfig(kubeconfig, **self._proof(name)))

    def _proof(self, name: str) -> dict[str, Any]:
        return {
            "patience": self._settings.request_timeout,
            "confirm": partial(self._pins.confirm, name),
            "changed": self._look_at_clusters,
        }

    def _silence(self) -> dict[str, float]:
        silent = {cluster.name: cluster.silence for cluster in self._pool.connected()}
        return {**silent, HUB: max(silent[HUB], self._platform.silence, self._kopf.silence)}

    def not_ready(self) -> str:
        """Return why the operator does not see what is declared and what there is on the hub."""
        if problem := self._platform.definitions.problem:
            return problem
        if not (self._events.synced and self._kopf.listening and self._platform.warm):
            return "what is declared has not been listed yet"
        if problem := self._hub.state.problem:
            return problem
        silence, limit = self._silence()[HUB], 2 * self._settings.silence_limit
        return f"a watch on the hub has been silent for {silence:.0f} s" if silence > limit else ""

    def _teardown_hold(self) -> str:
        if hold := self._platform.definitions.teardown_hold:
            return hold
        limit = self._settings.teardown_limit
        if self._declared.deleting() > limit:
            return (
                f"{self._declared.deleting()} projects are being deleted at once, which looks like an accident: no "
                f"project is torn down. If it is meant, set ONBOARDING_TEARDOWN_LIMIT above {limit}"
            )
        return ""
