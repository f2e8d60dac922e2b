"""Liveness, readiness and metrics over HTTP.

Alive is who answers at all: the event loop. Ready is who sees the hub; a remote cluster is a condition of its projects.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

_Handler = Callable[[web.Request], Awaitable[web.Response]]


class Answers(Protocol):
    """Who knows what is wrong; the empty string where nothing is."""

    def not_alive(self) -> str:
        """Return what only a new process mends."""

    def not_ready(self) -> str:
        """Return why the hub is not seen."""


class Starting:
    """The answers until the operator runs."""

    def __init__(self) -> None:
        self.problem = "the hub has not been asked yet"

    def not_alive(self) -> str:
        """Return nothing: waiting is no reason to begin anew."""
        return ""

    def not_ready(self) -> str:
        """Return what the start waits for."""
        return self.problem


class Health:
    """The two questions of the kubelet, passed on to who can answer them now."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def alive(self) -> str:
        """Return what only a new process mends."""
        return self.answers.not_alive()

    def ready(self) -> str:
        """Return why the hub is not seen."""
        return self.answers.not_ready()


def build_app(health: Health, registry: CollectorRegistry) -> web.Application:
    """Return the application."""
    app = web.Application()
    app.router.add_get("/healthz", _probe(health.alive))
    app.router.add_get("/readyz", _probe(health.ready))
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
