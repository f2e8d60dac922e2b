"""Tell the platform of objects whose project does not exist: they stay frozen, and nobody governs them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

import structlog

from onboarding.reconcile.observed.orphans import Orphans, by_project
from onboarding.reconcile.observed.ports import Event
from onboarding.reconcile.status.events import orphan_event

log = structlog.get_logger(__name__)

PERIOD: Final = 10.0
"""Seconds between two counts. What both of them show is no object of which the deletion has not been heard yet."""
_AT_ONCE: Final = 20
"""Projects that are told of after one count; the others follow."""


class OrphanReporter:
    """Tells of the orphaned objects of each project once, again if there are more, and once after each start."""

    def __init__(self, count: Callable[[], Orphans], post: Callable[[Iterable[Event]], Awaitable[bool]]) -> None:
        """``count`` returns the orphans of now; ``post`` returns whether the Events could be posted."""
        self._count = count
        self._post = post
        self._seen: Mapping[str, Mapping[str, int]] = {}
        self._told: dict[str, Mapping[str, int]] = {}

    async def run(self) -> None:
        """Count again and again, for as long as the operator lives."""
        while True:
            try:
                await self.look()
            except Exception:
                # Objects that trigger a bug must not end the operator.
                log.exception("count of orphaned objects panicked")
            await asyncio.sleep(PERIOD)

    async def look(self) -> None:
        """Count once, and tell of what the last count has shown too."""
        found = by_project(self._count())
        self._told = {project: told for project, told in self._told.items() if project in found}
        news = [
            project
            for project, counts in found.items()
            if self._seen.get(project) == counts and _more(counts, self._told.get(project, {}))
        ][:_AT_ONCE]
        self._seen = found
        if news and await self._post([orphan_event(project, found[project]) for project in news]):
            self._told |= {project: found[project] for project in news}


def _more(counts: Mapping[str, int], told: Mapping[str, int]) -> bool:
    return any(count > told.get(cluster, 0) for cluster, count in counts.items())
