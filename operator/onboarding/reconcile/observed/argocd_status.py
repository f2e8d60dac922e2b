"""Excerpt of an Application's status: sync, health, deployed revision and errors; pure.

Argo CD writes the status at every refresh and at every step of a sync. Times of refreshes, numbers of attempts and
names of temporary files change without any meaning and are left out, so that the excerpt of an idle Application stays
equal.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from onboarding.api.text import cut

_CAUSES = 3
_MESSAGE = 500
_REVISION = 100
_SHORT = 12

_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_UNDONE: Final = ("SyncFailed", "Failed", "Error")
_ENDED_BADLY: Final = ("Failed", "Error")
_DELETION_ERROR: Final = "DeletionError"
_ERRORS: Final = ("Error", "SharedResourceWarning")
"""Ends of the types of conditions that are errors; this warning is one: two Applications undo each other's changes."""
_RETRIES: Final = re.compile(r"\.? Retrying attempt #\d+ at .*$")

_NOISE: Final = (
    (_RETRIES, ""),
    (re.compile(r" \(retried \d+ times\)\.?$"), ""),
    (re.compile(r"^.*from server for: \"[^\"]*\": ", re.DOTALL), ""),
    (re.compile(r"^Failed to load target state: "), ""),
    (re.compile(r"^failed to (?:generate manifest|evaluate revision changes) for source \d+ of \d+: "), ""),
    (re.compile(r"rpc error: code = \w+ desc = "), ""),
    (re.compile(r"failed to execute helm template command: .*?failed exit status \d+: ", re.DOTALL), "helm template: "),
    (re.compile(r"`kustomize build.*?failed exit status \d+: ", re.DOTALL), "kustomize build: "),
    (re.compile(r"/(?:tmp|dev/shm)/[^\s\"':]+"), "…"),
    (re.compile(r":\d+->"), "->"),
)
"""Patterns of Argo CD 3.6: parts that differ from one attempt to the next, and prefixes of the original error."""


class Cause(NamedTuple):
    """An error that Argo CD reports."""

    about: str
    """The type of a condition, or ``Kind/name`` of an object; the empty string for the operation as a whole."""
    message: str
    """One line of at most 500 bytes, the same at every attempt."""


class Application(NamedTuple):
    """The status of an Application; a field is empty if Argo CD has not set it."""

    sync: str = ""
    """Synced, OutOfSync or Unknown."""
    health: str = ""
    """Healthy, Progressing, Degraded, Suspended, Missing or Unknown; without resources it is Healthy."""
    phase: str = ""
    """Phase of the last operation: Running, Terminating, Succeeded, Failed or Error."""
    revision: str = ""
    """The deployed revisions of all sources: commits by their first 12 digits, chart versions in full."""
    deployed_at: str = ""
    """The time of its deployment, in RFC 3339; a sync that deploys the same revision again does not change it."""
    first_sync: int | None = None
    """Seconds from the Application's creation to its first deployment; None if Argo CD no longer lists that."""
    causes: tuple[Cause, ...] = ()

    @property
    def reported(self) -> bool:
        """Whether Argo CD has reported on it."""
        return bool(self.sync or self.health)

    @property
    def effective_health(self) -> str:
        """Its health; its sync status if nothing was ever deployed, since an empty Application is Healthy."""
        never_deployed = self.health == "Healthy" and not self.deployed_at and self.sync != "Synced"
        if never_deployed and self.sync:
            return self.sync
        return self.health


def read_application(kept: Mapping[str, Any]) -> Application:
    """Parse the JSON of `kept_of_application`."""
    causes = tuple(Cause(*cause) for cause in kept.get("causes", ()))
    return Application(**{**kept, "causes": causes})


def kept_of_application(status: Mapping[str, Any], created: str) -> dict[str, Any]:
    """Return the excerpt of a status as JSON with a key per field; ``created`` is the Application's creation time."""
    sync, operation = status.get("sync") or {}, status.get("operationState") or {}
    history = status.get("history") or ()
    running = sync if sync.get("status") == "Synced" else history[-1] if history else {}
    causes = sorted(_causes(status, sync, operation), key=lambda cause: ("/" in cause.about, cause))
    return {
        "sync": sync.get("status"),
        "health": (status.get("health") or {}).get("status"),
        "phase": operation.get("phase"),
        "revision": _revision(running),
        "deployed_at": _deployed_at(history),
        "first_sync": _first_sync(history, created),
        "causes": [[*cause] for cause in causes[:_CAUSES]],
    }


def refused_deletion(status: Mapping[str, Any]) -> str:
    """Return Argo CD's error about deleting an Application's resources; the empty string if there is none."""
    conditions = status.get("conditions") or ()
    return "; ".join(_plain(item["message"]) for item in conditions if item["type"] == _DELETION_ERROR)


def _revision(part: Mapping[str, Any]) -> str:
    revisions = part.get("revisions") or (part.get("revision"),)
    short = (revision[:_SHORT] if _COMMIT.fullmatch(revision) else revision for revision in revisions if revision)
    return ", ".join(short)[:_REVISION]


def _deployed_at(history: Sequence[Mapping[str, Any]]) -> str:
    """Return the time of the newest deployment; of several in a row with the same content, the time of the first."""
    at = ""
    for entry in reversed(history):
        if _content(entry) != _content(history[-1]):
            break
        at = entry["deployedAt"]
    return at


def _content(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(entry.get(name) for name in ("revision", "revisions", "source", "sources"))


def _first_sync(history: Sequence[Mapping[str, Any]], created: str) -> int | None:
    """Return seconds; None if the history no longer has the first deployment, since Argo CD keeps ten."""
    if not created or not history or history[0].get("id", 0) != 0:
        return None
    took = datetime.fromisoformat(history[0]["deployedAt"]) - datetime.fromisoformat(created)
    return int(took.total_seconds())


def _causes(status: Mapping[str, Any], sync: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[Cause]:
    """Yield the errors; other warnings, and the health of objects that are not Degraded, are left out."""
    failures = list(_failures(operation)) if _counts(sync, operation) else []
    for condition in status.get("conditions") or ():
        repeats = condition["type"] == "SyncError" and failures
        if condition["type"].endswith(_ERRORS) and not repeats:
            yield Cause(condition["type"], _plain(condition["message"]))
    yield from failures
    for resource in status.get("resources") or ():
        health = resource.get("health") or {}
        if health.get("status") == "Degraded":
            yield Cause(_name(resource), _plain(health.get("message") or "Degraded"))


def _counts(sync: Mapping[str, Any], operation: Mapping[str, Any]) -> bool:
    """Return whether a failure of the last operation concerns the revision that is wanted now.

    If the repository was reset to the deployed revision, Argo CD starts no new operation and keeps the former failure.
    """
    result = operation.get("syncResult") or {}
    return sync.get("status") != "Synced" or _revision(result) == _revision(sync)


def _failures(operation: Mapping[str, Any]) -> Iterator[Cause]:
    resources = (operation.get("syncResult") or {}).get("resources") or ()
    failed = [item for item in resources if item.get("status") in _UNDONE or item.get("hookPhase") in _UNDONE]
    for item in failed:
        yield Cause(_name(item), _plain(item.get("message", "")))
    message = operation.get("message", "")
    # The message of a running operation is its progress, unless it announces another attempt.
    if not failed and (operation.get("phase") in _ENDED_BADLY or _RETRIES.search(message)):
        yield Cause("", _plain(message))


def _name(item: Mapping[str, Any]) -> str:
    return f"{item.get('kind', '')}/{item.get('name', '')}"


def _plain(message: str) -> str:
    """Return the first line of a message, without noise."""
    for pattern, replacement in _NOISE:
        message = pattern.sub(replacement, message)
    lines = (" ".join(line.split()) for line in message.splitlines())
    return cut(next((line for line in lines if line), ""), _MESSAGE)
