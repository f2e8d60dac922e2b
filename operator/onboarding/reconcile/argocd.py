"""What Argo CD says of an Application: the part of its status that tells something; pure.

Argo CD writes the status at every refresh and at every step of a sync. Times of looking, numbers of attempts and names
of temporary files move without telling anything, and are left out: what is kept of an Application at rest stays equal.
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
"""Of Argo CD 3.6: what differs from one attempt to the next, and what stands before the words of whoever refused."""


class Cause(NamedTuple):
    """What Argo CD gives as a reason."""

    about: str
    """Type of a condition, or ``Kind/name`` of an object; the empty string for the operation as a whole."""
    message: str
    """One line of at most 500 bytes, the same at every attempt."""


class Application(NamedTuple):
    """What Argo CD says of an Application; a word is empty where it says nothing."""

    sync: str = ""
    """Synced, OutOfSync or Unknown."""
    health: str = ""
    """Healthy, Progressing, Degraded, Suspended, Missing or Unknown; without resources it is Healthy."""
    phase: str = ""
    """Of the last operation: Running, Terminating, Succeeded, Failed or Error."""
    revision: str = ""
    """What runs: commits by their first 12 digits, chart versions as they are; of several sources all of them."""
    deployed_at: str = ""
    """Since when that runs, in RFC 3339; a sync that deploys the same again does not move it."""
    first_sync: int | None = None
    """Seconds from the Application's creation to its first deployment, as long as Argo CD remembers that."""
    causes: tuple[Cause, ...] = ()

    @property
    def reported(self) -> bool:
        """Whether Argo CD has looked at it."""
        return bool(self.sync or self.health)

    @property
    def standing(self) -> str:
        """Its health; where nothing was ever deployed, Healthy means nothing, and it is the sync status."""
        empty = self.health == "Healthy" and not self.deployed_at
        return self.sync or self.health if empty and self.sync != "Synced" else self.health


def read_application(told: Mapping[str, Any]) -> Application:
    """Return what was kept as facts."""
    causes = tuple(Cause(*cause) for cause in told.get("causes", ()))
    return Application(**{**told, "causes": causes})


def kept_of_application(status: Mapping[str, Any], created: str) -> dict[str, Any]:
    """Return what to keep of a status, as JSON with a key for each fact; ``created`` is the Application's creation."""
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
    """Return why Argo CD cannot delete what an Application has deployed; the empty string where it does not say."""
    conditions = status.get("conditions") or ()
    return "; ".join(_plain(item["message"]) for item in conditions if item["type"] == _DELETION_ERROR)


def _revision(place: Mapping[str, Any]) -> str:
    given = place.get("revisions") or (place.get("revision"),)
    told = (revision[:_SHORT] if _COMMIT.fullmatch(revision) else revision for revision in given if revision)
    return ", ".join(told)[:_REVISION]


def _deployed_at(history: Sequence[Mapping[str, Any]]) -> str:
    """Return since when the newest deployment runs: others of the same content right before it changed nothing."""
    at = ""
    for entry in reversed(history):
        if _content(entry) != _content(history[-1]):
            break
        at = entry["deployedAt"]
    return at


def _content(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(entry.get(name) for name in ("revision", "revisions", "source", "sources"))


def _first_sync(history: Sequence[Mapping[str, Any]], created: str) -> int | None:
    """Return seconds; None once Argo CD has forgotten the first deployment, as it keeps ten."""
    if not created or not history or history[0].get("id", 0) != 0:
        return None
    took = datetime.fromisoformat(history[0]["deployedAt"]) - datetime.fromisoformat(created)
    return int(took.total_seconds())


def _causes(status: Mapping[str, Any], sync: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[Cause]:
    """Return every reason; warnings, and objects that are not Degraded, are none."""
    failures = list(_failures(operation)) if _counts(sync, operation) else []
    for condition in status.get("conditions") or ():
        repeats = condition["type"] == "SyncError" and failures
        if condition["type"].endswith("Error") and not repeats:
            yield Cause(condition["type"], _plain(condition["message"]))
    yield from failures
    for resource in status.get("resources") or ():
        health = resource.get("health") or {}
        if health.get("status") == "Degraded":
            yield Cause(_name(resource), _plain(health.get("message") or "Degraded"))


def _counts(sync: Mapping[str, Any], operation: Mapping[str, Any]) -> bool:
    """Return whether a failure of the last operation is about what is wanted now.

    Where the repository has been set back to what runs, Argo CD has nothing to do and keeps the former failure.
    """
    result = operation.get("syncResult") or {}
    return sync.get("status") != "Synced" or _revision(result) == _revision(sync)


def _failures(operation: Mapping[str, Any]) -> Iterator[Cause]:
    resources = (operation.get("syncResult") or {}).get("resources") or ()
    failed = [item for item in resources if item.get("status") in _UNDONE or item.get("hookPhase") in _UNDONE]
    for item in failed:
        yield Cause(_name(item), _plain(item.get("message", "")))
    message = operation.get("message", "")
    # While it runs, a message tells how far it is, unless it announces another attempt.
    if not failed and (operation.get("phase") in _ENDED_BADLY or _RETRIES.search(message)):
        yield Cause("", _plain(message))


def _name(item: Mapping[str, Any]) -> str:
    return f"{item.get('kind', '')}/{item.get('name', '')}"


def _plain(message: str) -> str:
    """Return the line of a message that tells the reason."""
    for noise, instead in _NOISE:
        message = noise.sub(instead, message)
    lines = (" ".join(line.split()) for line in message.splitlines())
    return cut(next((line for line in lines if line), ""), _MESSAGE)
