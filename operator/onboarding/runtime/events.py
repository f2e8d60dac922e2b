"""Kopf: the watch on projects. A handler does nothing but keep what was seen and ask for a pass."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import kopf
from kubernetes.aio import client as kubernetes

from onboarding import names
from onboarding.reconcile.declared import Declared

_LOGIN_LIFETIME = timedelta(minutes=10)
"""Tokens of service accounts rotate within the hour; logging in again reads the current one."""

_UNUSED_FINALIZER = f"{names.GROUP}/kopf"

_PROJECTS = "projectonboardings"


class Events:
    """Keeps ``declared`` up to date with projects and tells which to look at again."""

    def __init__(
        self,
        declared: Declared,
        *,
        changed: Callable[[str], None],
        listed: Callable[[], None],
        nothing_declared: bool,
    ) -> None:
        """Call ``listed`` once, when every project has been seen; where there is none, no event will say so."""
        self._declared = declared
        self._changed = changed
        self._listed = listed
        self.synced = nothing_declared
        """Whether every project has been seen once."""

    def keep(self, body: Mapping[str, Any]) -> None:
        """Take in a project that exists, and ask for a pass where that is news.

        Both at once: until Kopf calls the handler of the event, the answer to a write of ours may have come, and what
        somebody changed before that write would look like its echo.
        """
        if self._declared.put_project(body):
            self._changed(body["metadata"]["name"])

    def tell(self, kind: str | None, body: Mapping[str, Any]) -> None:
        """Take in that every project has been listed, and that one is gone."""
        if not self.synced:
            self.synced = True
            self._listed()
        if kind == "DELETED":
            self._declared.drop_incarnation(body)
            self._changed(body["metadata"]["name"])


def build_registry(
    events: Events, configuration: kubernetes.Configuration, clean_up: Callable[[], Awaitable[None]]
) -> kopf.OperatorRegistry:
    """Return the handlers.

    The index holds nothing: Kopf fills it with every project before it tells of the first event. ``clean_up`` ends
    the tasks that are younger than Kopf, for which it would else wait 5 s.
    """
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry, id="login")
    async def log_in(**_: Any) -> kopf.ConnectionInfo:
        return await connection(configuration)

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


async def connection(configuration: kubernetes.Configuration) -> kopf.ConnectionInfo:
    """Return the official client's configuration in Kopf's form."""
    token = await configuration.get_api_key_with_prefix("BearerToken")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        scheme="Bearer" if token else None,
        token=token.removeprefix("Bearer ") if token else None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        trust_env=False,
        expiration=datetime.now(UTC) + _LOGIN_LIFETIME,
    )


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
    settings.networking.error_backoffs = (0.5, 1, 1, 2, 2, 3, 3, 5, 5, 5, 5, 5)  # Back soon after an outage.
    # Kopf takes its own finalizer off an object whose handlers need none, so it must never be called like ours.
    settings.persistence.finalizer = _UNUSED_FINALIZER
    return settings
