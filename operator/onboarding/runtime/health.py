"""Liveness, readiness and metrics over HTTP.

The operator is alive if the event loop answers; if one of its tasks dies, the process ends. It is ready if its caches
of the hub are up to date; an unreachable site is a condition of the projects on it.
"""

import os
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from onboarding.errors import OnboardingError

_Handler = Callable[[web.Request], Awaitable[web.Response]]


class Health:
    """Readiness as the kubelet asks for it."""

    def __init__(self) -> None:
        self.ready: Callable[[], str] = lambda: "the hub has not been asked yet"
        """Returns why the operator is not ready; the empty string if it is."""

    def ask(self) -> str:
        """Return why the operator is not ready; the empty string if it is."""
        return self.ready()


def build_app(health: Health, registry: CollectorRegistry) -> web.Application:
    """Return the HTTP application with /healthz, /readyz and /metrics."""
    app = web.Application()
    app.router.add_get("/healthz", _probe(lambda: ""))
    app.router.add_get("/readyz", _probe(health.ask))
    app.router.add_get("/metrics", _metrics(registry))
    return app


async def serve(app: web.Application, listen: str) -> web.AppRunner:
    """Serve on ``host:port``; return the runner, whose cleanup stops the server.

    Raises OnboardingError if the address cannot be used.
    """
    host, _, port = listen.rpartition(":")
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, int(port)).start()
    except OSError as error:
        await runner.cleanup()
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else "the host has no address"
        raise OnboardingError(
            f"cannot listen on {listen} ({why}): end the program that uses the port, or set ONBOARDING_LISTEN"
        ) from None
    return runner


def _probe(ask: Callable[[], str]) -> _Handler:
    async def handle(_request: web.Request) -> web.Response:
        problem = ask()
        return web.Response(text=f"{problem or 'ok'}\n", status=503 if problem else 200)

    return handle


def _metrics(registry: CollectorRegistry) -> _Handler:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return handle
