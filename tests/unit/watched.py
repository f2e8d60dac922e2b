"""An informer on a fake API server, and the answers of one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from onboarding.adapters.informer import Feed, Informer
from onboarding.build.kinds import Manifest
from tests.unit.apiserver import Answer, FakeApiServer, connected

PATH = "/api/v1/resourcequotas"


def item(name: str, version: int) -> Manifest:
    return {"metadata": {"name": name, "resourceVersion": str(version)}}


def event(kind: str, name: str, version: int) -> dict[str, Any]:
    return {"type": kind, "object": item(name, version)}


class Watched:
    """An informer on a server, and the news that it brought; ``changes`` counts the calls of ``changed``."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        """Versions of what is known, by name."""
        self.news: list[Any] = []
        self.changes = 0
        self.elsewhere = asyncio.Queue[None]()
        """Holds an item for each time that the watch of somebody else is taken up."""
        self.informer: Informer
        self.task: asyncio.Task[None]

    def feed(self, *, metadata_only: bool = False, relist: bool = False, followed: bool = False) -> Feed:
        return Feed(
            cluster="test",
            kind="Quota",
            path=PATH,
            query={"labelSelector": "a=b"},
            metadata_only=metadata_only,
            on_list=lambda listed, version: self.news.append(("list", sorted(name for _, name in listed), version)),
            on_update=lambda found: self.news.append(("update", found["metadata"]["name"])),
            on_delete=lambda found: self.news.append(("delete", found["metadata"]["name"])),
            known=lambda found: self.known.get(found["metadata"]["name"], 0),
            seen=lambda: max(self.known.values(), default=0) if followed else 0,
            relist=lambda: relist,
            followed=self.elsewhere.get if followed else None,
        )

    def changed(self) -> None:
        self.changes += 1

    async def until(self, condition: Any) -> None:
        """Wait until something has come about; what never does fails by the time-out."""
        async with asyncio.timeout(10):
            while not condition():
                assert not self.task.done(), "the informer has ended by itself"
                await asyncio.sleep(0.005)


@asynccontextmanager
async def watching(
    server: FakeApiServer,
    *script: Answer,
    idle_timeout: float = 5,
    metadata_only: bool = False,
    relist: bool = False,
    followed: bool = False,
    **known: int,
) -> AsyncIterator[Watched]:
    """Run an informer against a script of answers; of what is ``known`` the versions are given."""
    server.script = list(script)
    watched = Watched()
    watched.known = known
    async with connected(server.url) as client:
        feed = watched.feed(metadata_only=metadata_only, relist=relist, followed=followed)
        watched.informer = Informer(client, feed, idle_timeout=idle_timeout, changed=watched.changed)
        watched.task = asyncio.create_task(watched.informer.run())
        try:
            yield watched
        finally:
            watched.task.cancel()
            await asyncio.gather(watched.task, return_exceptions=True)
            server.released.set()


def page(server: FakeApiServer, *items: Manifest, version: int = 10, more: str = "") -> Answer:
    return server.json({"metadata": {"resourceVersion": str(version), "continue": more}, "items": items})


def quiet(server: FakeApiServer, *events: Any) -> Answer:
    return server.stream(*events, silent=True)
