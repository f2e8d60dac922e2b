"""Kopf's watch on ProjectOnboardings. A handler only updates the cache and adds the project to the work queue."""

import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import kopf

from onboarding import names
from onboarding.reconcile.observed.projects import ProjectCache

_UNUSED_FINALIZER = f"{names.GROUP}/kopf"

_PROJECTS = "projectonboardings"

KOPF_IDENTITY: Any = names.MANAGER
"""Identity for peering, which is off: without one Kopf looks up the user name, which a container's user may lack."""


class Events:
    """Updates the cache of projects, and asks for reconciles."""

    def __init__(
        self,
        declared: ProjectCache,
        *,
        changed: Callable[[str], None],
        listed: Callable[[], None],
        nothing_declared: bool,
    ) -> None:
        """Call ``listed`` once, when every project has been seen; no event says so if ``nothing_declared``."""
        self._declared = declared
        self._changed = changed
        self._listed = listed
        self.synced = nothing_declared
        """Whether every project has been seen once."""

    def keep(self, body: Mapping[str, Any]) -> None:
        """Update the cache with a project that exists, and ask for a reconcile if it is newer than the known one.

        Both at once: until Kopf calls the handler of the event, the answer to our own write may have come, and a change
        that somebody made before that write would look like its echo.
        """
        if self._declared.put_project(body):
            self._changed(body["metadata"]["name"])

    def tell(self, kind: str | None, body: Mapping[str, Any]) -> None:
        """Handle an event: the first one shows that every project has been listed; DELETED drops the project."""
        if not self.synced:
            self.synced = True
            self._listed()
        if kind == "DELETED":
            self._declared.lose_project(body)
            self._changed(body["metadata"]["name"])


def build_registry(
    events: Events, log_in: Callable[[], kopf.AiohttpSession], clean_up: Callable[[], Awaitable[None]]
) -> kopf.OperatorRegistry:
    """Return the registry of the handlers.

    The index stores nothing: Kopf indexes every project before it calls the first event handler. ``clean_up`` ends the
    tasks that are younger than Kopf, for which Kopf would wait 5 s.
    """
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry, id="login")
    async def open_session(**_: Any) -> kopf.AiohttpSession:
        return log_in()

    @kopf.on.cleanup(registry=registry, id="clean-up")
    async def close(**_: Any) -> None:
        await clean_up()

    # Asynchronous, though they wait for nothing: Kopf runs plain functions in threads, and our state is the loop's.
    @kopf.index(names.GROUP, names.VERSION, _PROJECTS, registry=registry, id="keep")
    async def keep(body: kopf.Body, **_: Any) -> None:
        events.keep(dict(body))

    @kopf.on.event(names.GROUP, names.VERSION, _PROJECTS, registry=registry, id="tell")
    async def tell(event: kopf.RawEvent, **_: Any) -> None:
        events.tell(event["type"], event["object"])

    return registry


class _Backoffs:
    """Seconds between attempts of one request: short after a short outage, and endless through a long one."""

    def __iter__(self) -> Iterator[float]:
        return itertools.chain((0.5, 1, 1, 2, 2, 3, 3), itertools.repeat(5.0))


def build_settings() -> kopf.OperatorSettings:
    """Return Kopf's settings; each differs from its default for the reason beside it."""
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True  # Our kinds are checked at the start; no watch on CRDs and namespaces.
    settings.peering.standalone = True  # One replica; peering is no lock.
    settings.posting.enabled = False  # Events are a user interface, not a copy of the log.
    settings.watching.server_timeout = 600  # A belt beside the inactivity time-out of 70 s (nolar/kopf#585, #957).
    settings.watching.client_timeout = 660
    settings.watching.chunk_size = 100  # Keeps the peak of the first list down.
    settings.networking.request_timeout = 30  # The default of 5 minutes hides a hanging server.
    settings.networking.error_backoffs = _Backoffs()  # The default gives up, and then the operator ends.
    # Kopf takes its own finalizer off an object whose handlers need none, so it must never be called like ours.
    settings.persistence.finalizer = _UNUSED_FINALIZER
    return settings
