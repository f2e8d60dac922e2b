"""The running parts of one control plane, recorded in a file so that a later command finds them."""

import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from devcluster.binaries import Binaries
from devcluster.commands import Layout, command
from devcluster.errors import DevclusterError, failure
from devcluster.processes import Process, spawn
from devcluster.readiness import is_ready
from devcluster.waiting import wait_until

_READY_SECONDS = 120
# The API server waits for its watchers to leave, which they do not: asking longer only takes longer.
_PATIENCE_SECONDS = 2


@dataclass
class Parts:
    """The parts of one control plane and their processes."""

    layout: Layout
    binaries: Binaries
    detached: bool
    ready: bool = False
    processes: dict[str, Process] = field(default_factory=dict)

    @classmethod
    def recorded(cls, directory: Path) -> "Parts | None":
        """Return what was started in a folder, whether or not it still runs."""
        try:
            state: dict[str, Any] = json.loads(_state_file(directory).read_text())
        except FileNotFoundError:
            return None
        return cls(
            Layout(directory, state["ports"]),
            Binaries({part: Path(path) for part, path in state["binaries"].items()}, Path(state["kubectl"])),
            state["detached"],
            state["ready"],
            {part: Process(*identity) for part, identity in state["processes"].items()},
        )

    @property
    def running(self) -> bool:
        """Whether the start was completed and every part still runs."""
        return self.ready and all(process.alive for process in self.processes.values())

    def process(self, part: str) -> Process:
        """Return the process of a part."""
        if part not in self.processes:
            raise DevclusterError(f"{part} was not started, only {', '.join(self.processes)}")
        return self.processes[part]

    def start(self, *parts: str) -> None:
        """Start parts and wait until they are ready."""
        for part in parts:
            words = command(part, self.layout, self.binaries)
            spawn(words, self.layout.log(part), partial(self._register, part), outlives_us=self.detached)
        for part in parts:
            wait_until(partial(self._is_ready, part), f"{part} getting ready", _READY_SECONDS)

    def stop(self, part: str) -> None:
        """End a part and wait until it is gone."""
        self.process(part).stop(_PATIENCE_SECONDS)

    def stop_all(self) -> None:
        """End every part, etcd last."""
        for part in reversed(self.processes):
            self.stop(part)
        self.processes.clear()
        self.ready = False
        _state_file(self.layout.directory).unlink(missing_ok=True)

    def declare_ready(self) -> None:
        """Record that the start is complete."""
        self.ready = True
        self._record()

    def _is_ready(self, part: str) -> bool:
        if not self.processes[part].alive:
            raise failure(part, self.layout.log(part))
        return is_ready(part, self.layout)

    def _register(self, part: str, process: Process) -> None:
        self.processes[part] = process
        self._record()

    def _record(self) -> None:
        state = {
            "ports": self.layout.ports,
            "binaries": {part: str(path) for part, path in self.binaries.parts.items()},
            "kubectl": str(self.binaries.kubectl),
            "detached": self.detached,
            "ready": self.ready,
            "processes": {part: [process.pid, process.started] for part, process in self.processes.items()},
        }
        file = _state_file(self.layout.directory)
        unfinished = file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(state, indent=2))
        unfinished.replace(file)


def _state_file(directory: Path) -> Path:
    return directory / "state.json"
