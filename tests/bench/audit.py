"""Requests as the API server recorded them. Nothing is counted by a client."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import orjson

from tests.support.waiting import wait_until

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_STORED_NOWHERE = frozenset(
    {
        "selfsubjectaccessreviews",
        "selfsubjectreviews",
        "selfsubjectrulesreviews",
        "serviceaccounts/token",
        "subjectaccessreviews",
        "tokenreviews",
    }
)
"""Questions that are asked by creating an object."""
_LONGEST_LINE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request that the API server has answered."""

    user: str
    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    dry: bool
    """Whether it was a dry run, of which nothing is stored: the operator asks the guard rails so."""
    received: float
    """Seconds since the epoch, to the microsecond."""
    answered: float

    @classmethod
    def read(cls, line: bytes) -> Self:
        """Read one line of the log."""
        event: dict[str, Any] = orjson.loads(line)
        target = event.get("objectRef") or {}
        return cls(
            user=event["user"].get("username", ""),
            verb=event["verb"],
            resource=target.get("resource", ""),
            subresource=target.get("subresource", ""),
            namespace=target.get("namespace", "") if target.get("resource") != "namespaces" else "",
            name=target.get("name", ""),
            code=(event.get("responseStatus") or {}).get("code", 0),
            dry="dryRun=All" in event["requestURI"],
            received=_seconds(event["requestReceivedTimestamp"]),
            answered=_seconds(event["stageTimestamp"]),
        )

    @property
    def writes(self) -> bool:
        """Whether it asks for a change of what is stored, whatever the answer was."""
        return self.verb in WRITES and self.what not in _STORED_NOWHERE and not self.dry

    @property
    def done(self) -> bool:
        """Whether the server did as asked."""
        return self.code < 400

    @property
    def stores(self) -> bool:
        """Whether the server stored something for it, or found that it was stored already."""
        return self.writes and self.done

    @property
    def what(self) -> str:
        """Resource and subresource."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    @property
    def place(self) -> tuple[str, str, str]:
        """The object: resource, namespace and name."""
        return self.resource, self.namespace, self.name


class Tail:
    """Reads an audit log from one point on, as it grows."""

    def __init__(self, path: Path, offset: int | None = None) -> None:
        """Begin at an offset, or else at the present end."""
        self._path = path
        self.offset = end_of(path) if offset is None else offset

    def poll(self, *needles: bytes) -> list[Request]:
        """Return what came since the last call and holds all needles; other lines are not even parsed."""
        with self._path.open("rb") as file:
            file.seek(self.offset)
            content = file.read()
        complete = content.rfind(b"\n") + 1
        self.offset += complete
        lines = content[:complete].splitlines()
        return [Request.read(line) for line in lines if all(needle in line for needle in needles)]


def end_of(path: Path) -> int:
    """Return the offset after the last complete line; the server may be in the middle of another."""
    size = path.stat().st_size
    start = max(0, size - _LONGEST_LINE)
    with path.open("rb") as file:
        file.seek(start)
        return start + file.read(size - start).rfind(b"\n") + 1


def requests_of(user: str, path: Path, start: int) -> list[Request]:
    """Return the requests of one identity that were answered after an offset of the log."""
    return [item for item in Tail(path, start).poll(user.encode()) if item.user == user]


def fence(path: Path, ask: Callable[[str], object], label: str) -> None:
    """Return when every request answered so far is in the log: when a request of our own, asked now, is in it."""
    tail = Tail(path)
    ask(label)
    wait_until(lambda: tail.poll(label.encode()), what=f"the request {label} is in the audit log")


def count(requests: Iterable[Request]) -> dict[str, int]:
    """Return the number of requests by what and verb, most first; refused ones apart."""
    counts: dict[str, int] = {}
    for item in requests:
        refused = "" if item.done else f" (refused {item.code})"
        key = f"{item.verb} {item.what}{' (dry run)' if item.dry else ''}{refused}"
        counts[key] = counts.get(key, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()
