"""When Argo CD may sync: the windows of the environments as sync windows of their AppProject."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from onboarding.api.delivery import Window, WindowKind
from onboarding.build.revision import Revision

_LONGEST: Final = 255
"""Bytes of a description that Argo CD takes."""


class _Span(NamedTuple):
    """What makes a window the same to Argo CD; it refuses a second one like it for the same places."""

    kind: WindowKind
    schedule: str
    duration: str
    time_zone: str


def sync_windows(revisions: Iterable[Revision]) -> list[dict[str, Any]]:
    """Return the sync windows of environments, sorted, each for the namespaces of one cluster.

    A namespace alone would not do, because it may exist on several clusters.
    """
    grouped: dict[tuple[_Span, bool, str, str], set[str]] = {}
    for revision in revisions:
        for span, (manual, description) in _spans(revision.windows).items():
            key = (span, manual, description, revision.argocd.destination_server)
            grouped.setdefault(key, set()).add(revision.namespace)
    return [_entry(*key, sorted(namespaces)) for key, namespaces in sorted(grouped.items())]


def _spans(windows: Iterable[Window]) -> dict[_Span, tuple[bool, str]]:
    """Return each span once; of two windows with the same one, the stricter counts."""
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
