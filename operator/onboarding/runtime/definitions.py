"""CustomResourceDefinitions of our kinds: the operator writes nothing while the served ones are older than itself.

The API server prunes fields that a definition lacks, so that a spec may arrive without fields that its author declared.
The definitions are watched. Because each watch may lag behind the others, the definition is read again before the
operator acts on a spec that has arrived since.
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
"""Seconds for the API servers to load a definition; Kubernetes waits as long before it calls one established."""
_LATE: Final = 900.0
"""Seconds after which every watch has been opened since a change: the server ends each within ten minutes."""
_SHOWN: Final = 3

log = structlog.get_logger(__name__)

Identity = tuple[str, int]
"""UID and generation of a definition, which change whenever its schema does."""


class Definitions:
    """Compares the served definitions with ours, and has every spec read again after a change."""

    def __init__(
        self,
        client: Client,
        *,
        idle_timeout: float,
        reads: Callable[[], Mapping[str, int]],
        read_again: Callable[[], Awaitable[object]],
        changed: Callable[[], None],
    ) -> None:
        """Call ``changed`` when ``problem`` or ``teardown_hold`` changes.

        ``reads`` returns how many specs have been read, by plural; ``read_again`` lists all objects of our kinds again.
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
        """Whether a definition has changed since all objects were listed."""
        self.problem = ""
        """Why the operator may not write; the empty string if it may."""
        self.teardown_hold = ""
        """Why no project is torn down: the CustomResourceDefinition is being deleted, and every project with it."""
        self.informers = [
            Informer(client, self._feed(name), idle_timeout=idle_timeout, changed=lambda: None) for name in self._ours
        ]

    def start(self) -> list[asyncio.Task[None]]:
        """Start the watches, and the task that lists all objects again after a change."""
        watches = [asyncio.create_task(informer.run(), name="definitions") for informer in self.informers]
        return [*watches, asyncio.create_task(self._keep(), name="definitions, read again")]

    def changed_lately(self) -> bool:
        """Return whether a watch that ends now may have ended because a definition has changed."""
        return time.monotonic() - self._changed_at < _LATE

    async def look(self) -> None:
        """Get every definition, before any object of our kinds is read."""
        for name in self._ours:
            self._take(name, await self._get(name))

    async def confirm(self) -> str:
        """Return why the operator may not write; if specs were read since, get their definitions first."""
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
        """List all objects again whenever the definitions have changed and lack nothing."""
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
        """Compare a definition with ours; None if there is none."""
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
        """Return the fields that the definitions lack, as a sentence."""
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
