"""Sync windows of an AppProject, from the windows of its environments."""

from collections.abc import Container, Iterable
from typing import Any, Final, NamedTuple

from onboarding.api.delivery import Window, WindowKind
from onboarding.build.revision import Revision

_LONGEST: Final = 255
"""Longest description that Argo CD accepts, in bytes."""


_SUSPENDED: Final = Window(
    kind=WindowKind.DENY,
    schedule="* * * * *",
    duration="24h",
    description="The environment is suspended: an OnboardingDecision holds it",
)
"""The window of a suspended environment: it begins every minute, so that it is always in force."""


class _Span(NamedTuple):
    """The identity of a window in Argo CD, which refuses a second one for the same destinations."""

    kind: WindowKind
    schedule: str
    duration: str
    time_zone: str


def sync_windows(revisions: Iterable[Revision], suspended: Container[str] = ()) -> list[dict[str, Any]]:
    """Return the sync windows of environments, sorted, each for the namespaces of one cluster.

    The cluster is part of each window, because a namespace may exist on several clusters. The environments in
    ``suspended`` get one more, which refuses every sync, also by hand.
    """
    grouped: dict[tuple[_Span, bool, str, str], set[str]] = {}
    for revision in revisions:
        windows = (*revision.windows, _SUSPENDED) if revision.environment in suspended else revision.windows
        for span, (manual, description) in _spans(windows).items():
            key = (span, manual, description, revision.argocd.destination_server)
            grouped.setdefault(key, set()).add(revision.namespace)
    return [_entry(*key, sorted(namespaces)) for key, namespaces in sorted(grouped.items())]


def _spans(windows: Iterable[Window]) -> dict[_Span, tuple[bool, str]]:
    """Return each span once; if two windows have the same span, the stricter one counts."""
    spans: dict[_Span, tuple[bool, str]] = {}
    for window in windows:
        span = _Span(window.kind, window.schedule, window.duration, window.time_zone)
        manual, description = spans.get(span, (True, ""))
        spans[span] = (manual and window.manual, description or window.description)
    return spans


def _entry(span: _Span, manual: bool, description: str, server: str, namespaces: list[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "kind": span.kind.value.lower(),
        "schedule": span.schedule,
        "duration": span.duration,
        "timeZone": span.time_zone,
        "clusters": [server],
        "namespaces": namespaces,
        "andOperator": True,
    }
    if manual:
        entry["manualSync"] = True
    if description:
        entry["description"] = description.encode()[:_LONGEST].decode(errors="ignore")
    return entry
