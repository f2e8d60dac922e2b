"""The definitions of our kinds, as the API server has them: nothing is written while they are older than this operator.

A field that a definition lacks is cut from every object on its way to us, so that what is read is not what was
declared. The definitions are watched; and because each watch may lag behind the others, they are asked about before a
spec is acted on that has come since.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from importlib.metadata import version
from typing import Final

import structlog

from onboarding import names
from onboarding.adapters.client import METADATA_ONLY, Client
from onboarding.adapters.informer import Feed, Informer
from onboarding.api.handshake import Definition, definitions
from onboarding.build.kinds import Manifest
from onboarding.errors import ApiError

_CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_PROJECTS: Final = f"projectonboardings.{names.GROUP}"
_SPREAD: Final = 5.0
"""Seconds that Kubernetes, too, gives API servers to take in a definition before it calls one established."""
_LATE: Final = 900.0
"""Seconds after which every watch has been taken up since a change: the server ends each within ten minutes."""
_SHOWN: Final = 3

log = structlog.get_logger(__name__)

Identity = tuple[str, int]
"""UID and generation of a definition: with both the same it says the same."""


class Definitions:
    """What the server's definitions lack, and when specs that were read under others count again."""

    def __init__(
        self,
        client: Client,
        *,
        idle_timeout: float,
        reads: Callable[[], Mapping[str, int]],
        read_again: Callable[[], Awaitable[object]],
        changed: Callable[[], None],
    ) -> None:
        """Let ``reads`` count the specs that were read, by plural; ``read_again`` reads everything declared anew.

        Call ``changed`` when ``problem`` or ``teardown_hold`` does.
        """
        self._client = client
        self._reads = reads
        self._read_again = read_again
        self._changed = changed
        self._ours = {definition.name: definition for definition in definitions()}
        self._seen: dict[str, Identity | None] = {}
        self._lacking: dict[str, list[str]] = {}
        self._confirmed: Mapping[str, int] = {}
        self._asking = asyncio.Lock()
        self._news = asyncio.Event()
        self._changed_at = -math.inf
        self._outdated = False
        """Whether a definition has changed since everything was read."""
        self.problem = ""
        """Why nothing may be written now; the empty string where it may."""
        self.teardown_hold = ""
        """Why no project is torn down: the definition of our own kind is being deleted, and every project with it."""
        self.informers = [
            Informer(client, self._feed(name), idle_timeout=idle_timeout, changed=lambda: None) for name in self._ours
        ]

    def start(self) -> list[asyncio.Task[None]]:
        """Begin to watch; what was read under other definitions is read again."""
        watches = [asyncio.create_task(informer.run(), name="definitions") for informer in self.informers]
        return [*watches, asyncio.create_task(self._keep(), name="definitions, read again")]

    def changed_lately(self) -> bool:
        """Return whether a watch that ends now may have ended because of a change of a definition."""
        return time.monotonic() - self._changed_at < _LATE

    async def look(self) -> None:
        """Ask for every definition, before anything is read that is declared."""
        for name in self._ours:
            self._take(name, await self._get(name))

    async def confirm(self) -> str:
        """Return why nothing may be written; where specs were read since the last time, ask whether that was whole."""
        while not self.problem and self._confirmed != self._reads():
            async with self._asking:
                reads = dict(self._reads())
                moved = [plural for plural, count in reads.items() if self._confirmed.get(plural) != count]
                await asyncio.gather(*(self._ask(f"{plural}.{names.GROUP}") for plural in moved))
                self._confirmed = reads
        return self.problem

    async def _ask(self, name: str) -> None:
        found = await self._get(name, METADATA_ONLY.format(list=""))
        if self._seen[name] != _identity(found):
            self._take(name, await self._get(name))

    async def _get(self, name: str, accept: str = "application/json") -> Manifest | None:
        try:
            return await self._client.request("GET", f"{_CRDS}/{name}", accept=accept)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    async def _keep(self) -> None:
        """Read everything again whenever the definitions have changed and lack nothing."""
        while True:
            await self._news.wait()
            self._news.clear()
            if self._told() or not self._outdated:
                continue
            await asyncio.sleep(_SPREAD)
            await self._read_again()
            if not self._news.is_set():
                self._outdated = False
                self._judge()

    def _take(self, name: str, found: Manifest | None) -> None:
        """Take in a definition, or that there is none."""
        identity = _identity(found)
        if name not in self._seen or self._seen[name] != identity:
            if name in self._seen:
                self._outdated, self._changed_at = True, time.monotonic()
            self._seen[name] = identity
            self._lacking[name] = self._ours[name].lacking(found)
            self._news.set()
            self._judge()
        if name == _PROJECTS and found is not None:
            terminating = "deletionTimestamp" in found["metadata"]
            hold = f"CustomResourceDefinition {name} is being deleted: no project is torn down" if terminating else ""
            if hold != self.teardown_hold:
                self.teardown_hold = hold
                self._changed()

    def _judge(self) -> None:
        problem = self._told()
        if not problem and self._outdated:
            problem = "the definitions of our kinds have changed: everything declared is being read again"
        if problem != self.problem:
            self.problem = problem
            if problem:
                log.error("definitions outdated", error=problem)
            else:
                log.info("definitions complete")
            self._changed()

    def _told(self) -> str:
        """Return what the definitions lack, in a sentence."""
        lacking = [_lacks(self._ours[name], fields) for name, fields in self._lacking.items() if fields]
        if not lacking:
            return ""
        remedy = f"apply crds/ of version {version(names.MANAGER)}"
        return f"{remedy}, nothing is written until then: {'; '.join(lacking)}"

    def _feed(self, name: str) -> Feed:
        return Feed(
            kind="CustomResourceDefinition",
            path=_CRDS,
            query={"fieldSelector": f"metadata.name={name}"},
            metadata_only=False,
            on_update=partial(self._take, name),
            on_delete=lambda _item: self._take(name, None),
            on_list=lambda listed, _version: None if listed else self._take(name, None),
        )


def _identity(found: Manifest | None) -> Identity | None:
    return (found["metadata"]["uid"], found["metadata"]["generation"]) if found else None


def _lacks(definition: Definition, fields: list[str]) -> str:
    more = f" and {len(fields) - _SHOWN} more" if len(fields) > _SHOWN else ""
    return f"CustomResourceDefinition {definition.name} lacks {', '.join(fields[:_SHOWN])}{more}"
