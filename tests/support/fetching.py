"""One question to a server in an internet of the tests."""

from aiohttp import web

from onboarding.adapters.probes.http import HttpLogin, Reply
from tests.support.internet import LOOPBACK, Handler, Internet

LIMIT = 64 * 1024


async def fetch(
    internet: Internet,
    url: str,
    *,
    limit: int = LIMIT,
    seconds: float = 5,
    allowed: tuple[str, ...] = LOOPBACK,
    login: HttpLogin | None = None,
) -> Reply:
    """Return the answer to a GET; ``limit`` is in bytes, ``seconds`` in seconds."""
    async with internet.web(allowed=allowed, timeout=seconds).session() as session:
        return await session.fetch(url, limit=limit, login=login)


def say(status: int = 200, body: bytes = b"", **headers: str) -> Handler:
    """Return what gives one answer to everything; in names of headers ``_`` stands for a hyphen."""

    async def answer(_request: web.BaseRequest) -> web.Response:
        return web.Response(
            status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    return answer
