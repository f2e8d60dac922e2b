"""Liveness, readiness and metrics over HTTP.

Alive is who answers at all: the event loop, and when one of its parts dies the process ends. Ready is who sees the hub;
a remote cluster is a condition of its projects.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

_Handler = Callable[[web.Request], Awaitable[web.Response]]


class Health:
    """What the kubelet asks for: whether the operator is ready."""

    def __init__(self) -> None:
        self.ready: Callable[[], str] = lambda: "the hub has not been asked yet"
        """Returns what is wrong, or the empty string."""

    def ask(self) -> str:
        """Ask whoever knows now."""
        return self.ready()


def build_app(health: Health, registry: CollectorRegistry) -> web.Application:
    """Return the application."""
    app = web.Application()
    app.router.add_get("/healthz", _probe(lambda: ""))
    app.router.add_get("/readyz", _probe(health.ask))
    app.router.add_get("/metrics", _metrics(registry))
    return app


async def serve(app: web.Application, listen: str) -> web.AppRunner:
    """Serve on ``host:port`` and return the runner, whose cleanup ends it."""
    host, _, port = listen.rpartition(":")
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, int(port)).start()
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
