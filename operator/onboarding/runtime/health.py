"""Liveness, readiness and metrics over HTTP. Both probes look at the hub only: a remote cluster is a condition."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

_Handler = Callable[[web.Request], Awaitable[web.Response]]


def build_app(*, alive: Callable[[], str], ready: Callable[[], str], registry: CollectorRegistry) -> web.Application:
    """Return the application; ``alive`` and ``ready`` return what is wrong, or the empty string."""
    app = web.Application()
    app.router.add_get("/healthz", _probe(alive))
    app.router.add_get("/readyz", _probe(ready))
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
