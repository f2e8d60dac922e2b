"""Start of the operator: serve health, wait until the hub answers, then run."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import TypeVar

import structlog

from onboarding.adapters.client import Client
from onboarding.adapters.hub import count_declared, installation_id
from onboarding.backoff import Backoff
from onboarding.build.kinds import HUB
from onboarding.errors import OnboardingError
from onboarding.runtime.assemble import FirstAnswers
from onboarding.runtime.health import Health, build_app, serve
from onboarding.runtime.metrics import Metrics
from onboarding.runtime.service import Service
from onboarding.settings import Settings

_KINDS = ("projectonboardings", "onboardingpolicies", "hostingtargets", "onboardingdecisions")
T = TypeVar("T")
_RETRY_FIRST = 0.5
_RETRY_LAST = 15.0

log = structlog.get_logger(__name__)


async def run(settings: Settings) -> None:
    """Run the operator until SIGTERM; OnboardingError without a login or an address to listen on, or if a task dies."""
    metrics, health = Metrics(), Health()
    kubeconfig = str(settings.kubeconfig) if settings.kubeconfig else None
    hub = await Client.from_environment(kubeconfig, request_timeout=settings.request_timeout)
    try:
        http = await serve(build_app(health, metrics.registry), settings.listen)
    except OnboardingError:
        await hub.close()
        raise
    try:
        service = await _until_stopped(_prepare(settings, hub, metrics, health))
        if service is not None:
            health.ready = service.not_ready
            await service.run()
    finally:
        await hub.close()
        await http.cleanup()


async def _prepare(settings: Settings, hub: Client, metrics: Metrics, health: Health) -> Service:
    """Return the service once the hub has answered the questions of the start."""
    first = await _answered(partial(_first_answer, hub, settings.namespace), health)
    service = Service(settings, hub, metrics, first)
    await _answered(service.look, health)
    return service


async def _first_answer(hub: Client, namespace: str) -> FirstAnswers:
    declared = await count_declared(hub, _KINDS)
    installation = await installation_id(hub, namespace)
    return FirstAnswers(installation, nothing_declared=declared["projectonboardings"] == 0)


async def _answered(ask: Callable[[], Awaitable[T]], health: Health) -> T:
    """Ask until there is an answer; meanwhile readiness says why there is none."""
    backoff, told = Backoff(_RETRY_FIRST, _RETRY_LAST), ""
    while True:
        try:
            return await ask()
        except OnboardingError as error:
            health.ready = partial(str, error)
            if told != str(error):
                told = str(error)
                log.warning("cluster unreachable", cluster=HUB, error=told)
        await asyncio.sleep(backoff.next())


async def _until_stopped(waiting: Coroutine[None, None, T]) -> T | None:
    """Wait for an answer; None if SIGTERM comes first, which process 1 of a container ignores without a handler."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(waiting)
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await asyncio.wait([task])
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        task.cancel()
    return None if task.cancelled() else task.result()
