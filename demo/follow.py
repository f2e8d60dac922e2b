"""Following what the API server tells of a project and of the objects that carry its label."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import orjson

from demo.board import Board, Manifest
from onboarding import names
from onboarding.adapters.client import Client
from onboarding.build.kinds import CHILD_KINDS
from onboarding.errors import OnboardingError

_IDLE_TIMEOUT = 75
_PROJECTS = f"/apis/{names.API_VERSION}/projectonboardings"


class Follower:
    """Fills a board from the watches, and waits for what it shows."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.appeared: Callable[[Manifest], None] = lambda _manifest: None
        """Called for each object that was not there before."""
        self._news = asyncio.Event()

    async def until(self, reached: Callable[[], bool], seconds: float) -> None:
        """Wait until the board shows what is wanted; TimeoutError where it does not in time."""
        async with asyncio.timeout(seconds):
            while not reached():
                self._news.clear()
                await self._news.wait()

    async def watch(self, client: Client, path: str, query: dict[str, str]) -> None:
        """Hear of a kind until cancelled; what is there already is told first."""
        while True:
            with contextlib.suppress(OnboardingError):
                watch = client.watch(
                    path, query={**query, "watch": "true"}, accept="application/json", idle_timeout=_IDLE_TIMEOUT
                )
                async with watch as lines:
                    async for line in lines:
                        self._hear(orjson.loads(line))
            await asyncio.sleep(0.5)

    def _hear(self, event: Manifest) -> None:
        if event["type"] not in ("ADDED", "MODIFIED", "DELETED"):
            return
        if self.board.take(event["type"], event["object"]):
            self.appeared(event["object"])
        self._news.set()


@contextlib.asynccontextmanager
async def follow(board: Board, kubeconfig: str) -> AsyncIterator[Follower]:
    """Watch the project and every kind of its objects."""
    client = await Client.from_environment(kubeconfig, request_timeout=30)
    follower = Follower(board)
    selector = {"labelSelector": f"{names.LABEL_PROJECT}={board.name}"}
    paths = {kind.path(): selector for kind in CHILD_KINDS}
    paths[_PROJECTS] = {"fieldSelector": f"metadata.name={board.name}"}
    watches = [asyncio.create_task(follower.watch(client, path, query)) for path, query in paths.items()]
    try:
        yield follower
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
        await client.close()
