"""Kopf: watches on our own kinds. A handler does nothing but keep what was seen and ask for passes."""

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

PLURALS = ("projectonboardings", "onboardingpolicies", "hostingtargets", "onboardingdecisions")


class Events:
    """Keeps ``declared`` up to date and tells what to look at again."""

    def __init__(
        self,
        declared: Declared,
        *,
        project_changed: Callable[[str], None],
        platform_changed: Callable[[], None],
        nothing_declared: bool,
    ) -> None:
        """Call ``platform_changed`` when a policy or a target changed, which may concern every project."""
        self._declared = declared
        self._project_changed = project_changed
        self._platform_changed = platform_changed
        self.synced = nothing_declared
        """Whether everything that is declared has been seen once."""

    def keep(self, plural: str, body: Mapping[str, Any]) -> None:
        """Take in an object that exists."""
        name, spec = body["metadata"]["name"], body.get("spec", {})
        match plural:
            case "projectonboardings":
                self._declared.put_project(body)
            case "onboardingpolicies":
                self._declared.put_policy(name, spec)
            case "hostingtargets":
                self._declared.put_target(name, spec)
            case "onboardingdecisions":
                self._declared.put_decision(name, spec)

    def tell(self, plural: str, kind: str | None, body: Mapping[str, Any]) -> None:
        """Take in an event and ask for the passes that it calls for."""
        if not self.synced:
            self.synced = True
            self._platform_changed()
        name = body["metadata"]["name"]
        gone = kind == "DELETED"
        match plural:
            case "projectonboardings":
                if gone:
                    self._declared.drop_project(name)
                elif self._declared.is_echo(body):
                    return
                self._project_changed(name)
            case "onboardingdecisions":
                project = self._declared.put_decision(name, None if gone else body.get("spec", {}))
                if project:
                    self._project_changed(project)
            case "onboardingpolicies" | "hostingtargets":
                if gone:
                    self._forget(plural, name)
                self._platform_changed()

    def _forget(self, plural: str, name: str) -> None:
        (self._declared.put_policy if plural == "onboardingpolicies" else self._declared.put_target)(name, None)


def build_registry(
    events: Events, configuration: kubernetes.Configuration, clean_up: Callable[[], Awaitable[None]]
) -> kopf.OperatorRegistry:
    """Return the handlers.

    The indices hold nothing: Kopf fills all of them before it tells of the first event. ``clean_up`` ends the tasks
    that are younger than Kopf, for which it would else wait 5 s.
    """
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry, id="login")
    async def log_in(**_: Any) -> kopf.ConnectionInfo:
        return await connection(configuration)

    @kopf.on.cleanup(registry=registry, id="clean-up")
    async def close(**_: Any) -> None:
        await clean_up()

    for plural in PLURALS:
        _register(registry, events, plural)
    return registry


def _register(registry: kopf.OperatorRegistry, events: Events, plural: str) -> None:
    # Asynchronous, though they wait for nothing: Kopf runs plain functions in threads, and our state is the loop's.
    @kopf.index(names.GROUP, names.VERSION, plural, registry=registry, id=f"keep-{plural}")
    async def keep(body: kopf.Body, **_: Any) -> None:
        events.keep(plural, dict(body))

    @kopf.on.event(names.GROUP, names.VERSION, plural, registry=registry, id=f"tell-{plural}")
    async def tell(event: kopf.RawEvent, **_: Any) -> None:
        events.tell(plural, event["type"], event["object"])


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
