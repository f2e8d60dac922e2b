"""Events: for people, so that one which is refused stops nothing."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import structlog

from onboarding import names
from onboarding.adapters.client import Client
from onboarding.errors import OnboardingError
from onboarding.reconcile.observed.ports import Event

_EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
"""Events about cluster-scoped objects live in the namespace default (Kubernetes' own rule)."""

log = structlog.get_logger(__name__)


class Regarding(NamedTuple):
    """The object of ours that an Event is about."""

    kind: str
    name: str
    uid: str


async def post(client: Client, regarding: Regarding, announcements: Iterable[Event]) -> None:
    """Post an Event for each announcement; one that cannot be posted is logged."""
    for announcement in announcements:
        try:
            await client.request("POST", _EVENTS, body=_event(regarding, announcement, datetime.now(UTC)))
        except OnboardingError as error:
            log.warning(
                "event not posted",
                kind=regarding.kind,
                name=regarding.name,
                reason=announcement.reason,
                error=str(error),
            )


def _event(regarding: Regarding, announcement: Event, now: datetime) -> dict[str, Any]:
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{regarding.name}.{uuid.uuid4().hex[:16]}", "namespace": "default"},
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "regarding": {"apiVersion": names.API_VERSION, **regarding._asdict()},
        "type": "Warning" if announcement.warning else "Normal",
        "reason": announcement.reason,
        "action": "Report" if announcement.warning else "Judge",
        "note": announcement.note,
        "reportingController": f"{names.GROUP}/{names.MANAGER}",
        "reportingInstance": names.MANAGER,
    }
