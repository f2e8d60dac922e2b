"""Informer: lists and watches one kind on one cluster for as long as the operator lives.

A list that asks for no resource version is a consistent read: no older than anything that the server has told before.
One that is older all the same shows that the server went back, as after a restore of etcd. Events, bookmarks and
answers to writes may lag behind, so that they prove nothing; they only raise the highest version that was seen.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from onboarding.adapters.client import METADATA_ONLY, Client
from onboarding.backoff import Backoff, uniform
from onboarding.build.kinds import HUB, Manifest
from onboarding.errors import ApiError, OnboardingError, UnreachableError, WentBackError

_PAGE = 200
_BACKOFF_FIRST = 0.5
_BACKOFF_LAST = 15.0
"""Short, so that Argo CD's kinds are noticed soon after they appear and a cluster soon after it is back."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Feed:
    """A kind to watch, and the callbacks that get its objects."""

    kind: str
    path: str
    query: Mapping[str, str]
    metadata_only: bool
    on_update: Callable[[Manifest], None]
    """Called with each object that is listed, added or modified."""
    on_list: Callable[[AbstractSet[tuple[str, str]], int], None]
    """Called after a complete list, with namespace and name of each object in it, and with its version."""
    on_delete: Callable[[Manifest], None]
    """Called with each object that is deleted, or matches the query no longer."""
    cluster: str = HUB
    known: Callable[[Manifest], int] = lambda _item: 0
    """Returns the known version of a listed object; 0 if it is not known."""
    seen: Callable[[], int] = lambda: 0
    """Returns the highest version of this kind that others have seen."""
    relist: Callable[[], bool] = lambda: False
    """Returns whether to list again before the next watch: a changed definition may have ended the last one."""
    followed: Callable[[], Awaitable[None]] | None = None
    """Returns when the watch of another client, as Kopf, is opened again; this feed then lists and does not watch."""

    @property
    def resource(self) -> str:
        """Cluster and kind, as errors name them."""
        return f"{self.cluster} {self.kind}"


class Informer:
    """Lists and watches for one feed."""

    def __init__(self, client: Client, feed: Feed, *, idle_timeout: float, changed: Callable[[], None]) -> None:
        """Call ``changed`` when the feed becomes warm or breaks, and when its kind is found not to be served."""
        self._client = client
        self._feed = feed
        self._idle_timeout = idle_timeout
        self._changed = changed
        self._version: int | None = None
        self._highest = 0
        """The highest version of this kind that the server has shown."""
        self._interruptions = 0
        self._round: asyncio.Timeout | None = None
        """The list and watch under way."""
        self._awaiting: list[asyncio.Future[None]] = []
        """Callers of ``read_again`` that wait for a list that has not begun yet."""
        self._accept = METADATA_ONLY if feed.metadata_only else "application/json"
        self.warm = False
        """Whether the cache holds a complete list."""
        self.served = True
        """Whether the server knows the kind."""
        self.problem = ""
        """Why the watch cannot be opened; the empty string if it can."""
        self.last_activity = time.monotonic()
        """Monotonic time of the last list, event or bookmark."""

    async def run(self) -> None:
        """List once, then watch until cancelled; list again if the version is too old (410), or the feed wants it.

        Raises WentBackError if the server shows an older state than before.
        """
        backoff = Backoff(_BACKOFF_FIRST, _BACKOFF_LAST)
        while True:
            try:
                async with asyncio.timeout(None) as self._round:
                    await self._take_up()
                backoff.reset()
                continue
            except TimeoutError:
                continue  # It was asked to read again.
            except WentBackError:
                raise  # No other error of ours ends this.
            except ApiError as error:
                self._refused(error)
            except OnboardingError as error:
                self._broken(str(error))
            finally:
                self._round = None
            await asyncio.sleep(backoff.next())

    async def read_again(self) -> None:
        """List again now; return when a list that began later is complete."""
        complete = asyncio.get_running_loop().create_future()
        self._awaiting.append(complete)
        if self._round is not None and not self._round.expired():
            self._round.reschedule(asyncio.get_running_loop().time())
        await complete

    async def _take_up(self) -> None:
        version = self._version
        if self._must_list():
            version = self._version = await self._list()
        else:
            await self._look_back()
        if self._feed.followed is not None:
            self._alive()
            await self._feed.followed()
        elif version is not None:
            await self._watch(version)

    def _must_list(self) -> bool:
        nothing_known = self._version is None and self._feed.followed is None
        return nothing_known or bool(self._awaiting) or self._feed.relist()

    def _refused(self, error: ApiError) -> None:
        if error.status == 410:
            self._version = None
        elif error.status == 404:
            self._not_served(error)
        else:
            self._broken(str(error))

    def _not_served(self, error: ApiError) -> None:
        self._version = None
        self._interruptions = 0
        news = self.served or bool(self.problem)
        self.problem = ""
        if self.served:
            self.served = self.warm = False
            self._feed.on_list(frozenset(), sys.maxsize)
            log.warning("kind not served", cluster=self._feed.cluster, kind=self._feed.kind, error=str(error))
        if news:
            self._changed()

    def _broken(self, problem: str) -> None:
        """Report a watch that cannot be opened again; a single interruption is not reported."""
        self._interruptions += 1
        if self._interruptions > 1 and not self.problem:
            self.problem = problem
            log.warning("watch interrupted", cluster=self._feed.cluster, kind=self._feed.kind, error=problem)
            self._changed()

    def _alive(self) -> None:
        self.last_activity = time.monotonic()
        self._interruptions = 0
        if self.problem:
            self.problem = ""
            self._changed()

    async def _list(self) -> int:
        """Read the complete list and return its version."""
        awaiting, self._awaiting = self._awaiting, []
        try:
            listed, version = await self._read_pages()
        except BaseException:
            self._awaiting = awaiting + self._awaiting
            raise
        self._feed.on_list(listed, version)
        for complete in awaiting:
            if not complete.done():
                complete.set_result(None)
        news = not self.warm or not self.served
        self.warm = self.served = True
        self._alive()
        if news:
            self._changed()
        return version

    async def _read_pages(self) -> tuple[set[tuple[str, str]], int]:
        """Read the list page by page, so that no more than one is in memory."""
        seen, listed = self._seen(), set()
        accept = self._accept.format(list="List")
        query = {**self._feed.query, "limit": str(_PAGE)}
        while True:
            page = await self._client.request("GET", self._feed.path, query=query, accept=accept)
            version = self._prove_newer(page, seen)
            for item in page["items"] or ():
                listed.add((item["metadata"].get("namespace", ""), item["metadata"]["name"]))
                self._feed.on_update(item)
            if not page["metadata"].get("continue"):
                return listed, version
            query["continue"] = page["metadata"]["continue"]

    async def _look_back(self) -> None:
        """Make sure that the server has not gone back before a watch is resumed: it may accept any version."""
        seen, query = self._seen(), {**self._feed.query, "limit": "1"}
        accept = METADATA_ONLY.format(list="List")
        self._prove_newer(await self._client.request("GET", self._feed.path, query=query, accept=accept), seen)

    def _seen(self) -> int:
        return max(self._highest, self._feed.seen())

    def _prove_newer(self, page: Mapping[str, Any], seen: int) -> int:
        """Return the version of a list; WentBackError if it is lower than ``seen``, the highest before the request.

        An object that has become known since the request may be newer than the list.
        """
        version = int(page["metadata"]["resourceVersion"])
        if version < seen:
            raise WentBackError(self._feed.resource, f"its list is at version {version}, and {seen} was seen before")
        # A list of metadata that holds nothing has null in the place of its items.
        for item in page["items"] or ():
            metadata, known = item["metadata"], self._feed.known(item)
            if int(metadata["resourceVersion"]) < known <= seen:
                now = metadata["resourceVersion"]
                raise WentBackError(
                    self._feed.resource, f"{metadata['name']} is at version {now}, and {known} was seen before"
                )
        self._highest = max(self._highest, version)
        return version

    async def _watch(self, version: int) -> None:
        """Handle the events after a version until the server ends the watch."""
        query = {
            **self._feed.query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": str(version),
            "timeoutSeconds": f"{uniform(300, 600):.0f}",
        }
        accept = self._accept.format(list="")
        watch = self._client.watch(self._feed.path, query=query, accept=accept, idle_timeout=self._idle_timeout)
        async with watch as lines:
            # A quiet kind may say nothing for a minute: that it is being watched again is news enough.
            self._alive()
            async for line in lines:
                self._event(_parse(line))

    def _event(self, event: Mapping[str, Any]) -> None:
        kind, item = event["type"], event["object"]
        if kind == "ERROR":
            raise ApiError(item.get("code", 500), item.get("reason", "Unknown"), item.get("message", ""))
        self._alive()
        self._version = int(item["metadata"]["resourceVersion"])
        self._highest = max(self._highest, self._version)
        if kind == "DELETED":
            self._feed.on_delete(item)
        elif kind != "BOOKMARK":
            self._feed.on_update(item)


def _parse(line: bytes) -> dict[str, Any]:
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        event = None
    if not isinstance(event, dict) or not {"type", "object"} <= event.keys():
        raise UnreachableError("a line of the watch is not an event")
    return event
