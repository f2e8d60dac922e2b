"""Record every version of every project while a suite runs, and hold the statuses against the rules of conditions."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

from devcluster import ControlPlane
from onboarding.build.kinds import Manifest
from tests.support.api import Api, RefusedError
from tests.support.conditions import contradictions, flux_problems
from tests.support.hub import PROJECTS

EXEMPT = frozenset({"forged", "f21", "f21b"})
"""Projects whose status a test writes itself, or whose server goes back to an earlier state."""


class StatusRecorder:
    """Reads the history of the projects in a thread, because the API server keeps it for some minutes only."""

    def __init__(self, cluster: ControlPlane) -> None:
        self._api = Api(cluster)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._record, name="status recorder", daemon=True)
        self.reached = False
        """Whether the history has been read at all."""
        self.problems: list[str] = []

    def start(self) -> None:
        """Record from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Record what has been written so far, and end."""
        self._over.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _record(self) -> None:
        since = ""
        while True:
            last = self._over.is_set()
            try:
                since = since or self._now()
                for item in self._api.history(PROJECTS, since):
                    since = self._take(item)
                self.reached = True
            except (OSError, HTTPException, ValueError, RefusedError):
                # The API server is away, or ended in the middle of an answer.
                if last:
                    return
                self._over.wait(1)
            if last:
                return

    def _now(self) -> str:
        version: str = self._api.request("GET", PROJECTS)["metadata"]["resourceVersion"]
        return version

    def _take(self, item: Manifest) -> str:
        """Hold a version against the rules, and return its resource version.

        An API server that a test restarts does not keep the history: it is read from then on.
        """
        if item["kind"] == "Status":
            return self._now()
        metadata = item["metadata"]
        if metadata["name"] not in EXEMPT:
            title = f"{metadata['name']} {metadata['resourceVersion']}"
            ready = [part for part in item["status"].get("conditions", ()) if part["type"] == "Ready"]
            found = (*flux_problems(item), *contradictions(item))
            self.problems += [f"{title}: {problem}: {ready}" for problem in found]
        version: str = metadata["resourceVersion"]
        return version


@contextmanager
def recorded(cluster: ControlPlane) -> Iterator[StatusRecorder]:
    """Record all projects of a cluster, and fail at the end if a status has ever broken a rule."""
    recorder = StatusRecorder(cluster)
    recorder.start()
    yield recorder
    recorder.stop()
    assert recorder.reached, "no history of the projects could be read"
    assert not recorder.problems, "\n".join(recorder.problems)
