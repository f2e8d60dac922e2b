"""Programs that run beside a control plane, recorded in a file so that a later command finds and ends them."""

import json
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from devcluster.errors import AlreadyRunningError, DevclusterError, failure
from devcluster.processes import Process, spawn
from devcluster.waiting import wait_until

_READY_SECONDS = 120
_PATIENCE_SECONDS = 2


@dataclass(frozen=True)
class Program:
    """A program to start, and the question whether it does its work."""

    name: str
    command: Sequence[str | Path]
    is_ready: Callable[[], bool]
    environment: Mapping[str, str] | None = None


class Programs:
    """The programs of one folder, which holds their logs and the record of their processes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._record = directory / "programs.json"
        self._processes: dict[str, Process] = {}
        if self._record.exists():
            recorded = json.loads(self._record.read_text())
            self._processes = {name: Process(*identity) for name, identity in recorded.items()}

    def start(self, programs: Sequence[Program], *, outlive_us: bool) -> None:
        """Start programs and wait until they are ready; after an error none of them is left."""
        names = [program.name for program in programs]
        for name in filter(self.alive, names):
            raise AlreadyRunningError(f"{name} runs already in {self._directory}: stop it first")
        try:
            for program in programs:
                self._spawn(program, outlive_us)
            for program in programs:
                wait_until(partial(self._is_ready, program), f"{program.name} getting ready", _READY_SECONDS)
        except BaseException:
            self.stop(names)
            raise

    def alive(self, name: str) -> bool:
        """Whether a program was started here and still runs."""
        return name in self._processes and self._processes[name].alive

    def process_id(self, name: str) -> int:
        """Return the process id of a program."""
        if name not in self._processes:
            raise DevclusterError(f"{name} was not started, only {', '.join(self._processes) or 'nothing'}")
        return self._processes[name].pid

    def stop(self, names: Sequence[str]) -> None:
        """End programs, all at once, and wait until they are gone."""
        ending = [self._processes[name] for name in names if name in self._processes]
        for process in ending:
            process.signal(signal.SIGTERM)
        for process in ending:
            process.stop(_PATIENCE_SECONDS)
        for name in names:
            self._processes.pop(name, None)
        self._write()

    def stop_all(self) -> None:
        """End every program."""
        self.stop(list(self._processes))

    def log(self, name: str) -> Path:
        """Return the path of a program's log."""
        return self._directory / "logs" / f"{name}.log"

    def _spawn(self, program: Program, outlives_us: bool) -> None:
        log = self.log(program.name)
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        register = partial(self._register, program.name)
        spawn(program.command, log, register, outlives_us=outlives_us, environment=program.environment)

    def _register(self, name: str, process: Process) -> None:
        self._processes[name] = process
        self._write()

    def _is_ready(self, program: Program) -> bool:
        if not self._processes[program.name].alive:
            raise failure(program.name, self.log(program.name))
        return program.is_ready()

    def _write(self) -> None:
        if not self._processes:
            self._record.unlink(missing_ok=True)
            return
        unfinished = self._record.with_suffix(".unfinished")
        identities = {name: [process.pid, process.started] for name, process in self._processes.items()}
        unfinished.write_text(json.dumps(identities, indent=2))
        unfinished.replace(self._record)
