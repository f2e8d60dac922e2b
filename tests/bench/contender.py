"""Run the raw writer as a process, and know what it cost."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson

from tests.bench.load import Plan
from tests.bench.proc import cpu_seconds

IN_FLIGHT = 32


class Writer:
    """The process, ready to begin."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def write_all(self) -> float:
        """Let it write everything, and return the CPU seconds that this took."""
        before = cpu_seconds(self._process.pid)
        self.begin()
        self.wait_for("done")
        return cpu_seconds(self._process.pid) - before

    def begin(self) -> None:
        """Let it begin."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def check(self) -> None:
        """AssertionError with its last words where it has ended: unless it fails it stays until it is ended."""
        if self._process.poll() is not None:
            raise AssertionError(f"the writer failed: {self._log.read_text()[-1000:]}")

    def wait_for(self, word: str) -> None:
        """Wait until it says a word."""
        assert self._process.stdout
        if self._process.stdout.readline().strip() != word:
            self._process.wait(timeout=10)
            self.check()


@contextlib.contextmanager
def writer(kubeconfig: Path, plan: Plan, directory: Path) -> Iterator[Writer]:
    """Start the writer and wait until it has read its plan; end it at the end."""
    file, log = directory / "plan.json", directory / "writer.log"
    file.write_bytes(orjson.dumps(plan))
    command = [sys.executable, "-m", "tests.bench.writer", str(kubeconfig), str(file), f"--in-flight={IN_FLIGHT}"]
    with (
        log.open("ab") as errors,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            started = Writer(process, log)
            started.wait_for("ready")
            yield started
        finally:
            process.kill()
