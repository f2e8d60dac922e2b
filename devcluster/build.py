"""Programs that are built with Go once and kept in the user's cache folder."""

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from devcluster import golang
from devcluster.errors import DevclusterError
from devcluster.processes import Process, spawn


@dataclass(frozen=True)
class Build:
    """One binary of a Go module, and the names it is called by."""

    title: str
    duration: str
    module: Path
    names: tuple[str, ...]
    linker: str = "-s -w"
    package: str = "."

    def folder(self, progress: Callable[[str], None]) -> Path:
        """Return the folder of the names; build the binary first if this version of it is not there."""
        folder = cache_folder() / self._fingerprint()
        if not self._complete(folder):
            with _alone(folder, f"waiting for another starter that builds {self.title}", progress):
                if not self._complete(folder):
                    self._build(folder, progress)
        return folder

    @property
    def _flags(self) -> tuple[str, ...]:
        return ("-trimpath", "-ldflags", self.linker)

    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        for file in (self.module / "go.mod", self.module / "go.sum", *sorted(self.module.glob("*.go"))):
            digest.update(file.read_bytes())
        digest.update("\n".join([golang.version(self.module), *self._flags]).encode())
        return digest.hexdigest()[:16]

    def _complete(self, folder: Path) -> bool:
        return all((folder / name).exists() for name in self.names)

    def _build(self, folder: Path, progress: Callable[[str], None]) -> None:
        binary, unfinished, log = folder / "binary", folder / "binary.unfinished", folder / "build.log"
        log.unlink(missing_ok=True)
        message = f"building {self.title}, once ({self.duration} from nothing)"
        arguments = ["build", "-v", *self._flags, "-o", str(unfinished), self.package]
        _compile(arguments, self.module, log, lambda done: progress(f"{message}: {done}"))
        if not unfinished.exists():
            raise DevclusterError(f"building {self.title} failed, see {log}:\n{_tail(log)}\n{golang.TOO_OLD}")
        unfinished.rename(binary)
        for name in self.names:
            link = folder / name
            link.unlink(missing_ok=True)
            link.symlink_to(binary.name)


def cache_folder() -> Path:
    """Return the folder that holds one folder for each build."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "project-onboarding-operator" / "devcluster"


def cached_kubectl() -> Path | None:
    """Return the kubectl of the latest build, if there is one."""
    found = cache_folder().glob("*/kubectl")
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


@contextlib.contextmanager
def _alone(folder: Path, message: str, progress: Callable[[str], None]) -> Iterator[None]:
    """Let one starter build at a time; the lock ends with its holder, however that ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        waited = False
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if not waited:
                progress(message)
            waited = True
            time.sleep(0.2)
        yield


def _compile(arguments: list[str], module: Path, log: Path, progress: Callable[[str], None]) -> None:
    """Run go until it ends, and tell how far it is; an interruption ends go and the compilers it started."""
    began = time.monotonic()
    processes: list[Process] = []
    try:
        command: list[str | Path] = [golang.executable(), "-C", module, *arguments]
        spawn(command, log, processes.append, environment=golang.environment())
        while not processes[0].wait(0.5):
            compiled = len(log.read_text().splitlines())
            minutes, seconds = divmod(int(time.monotonic() - began), 60)
            progress(f"{compiled} packages compiled, {minutes}:{seconds:02}")
    finally:
        for process in processes:
            process.kill_session()


def _tail(log: Path) -> str:
    return "\n".join(log.read_text().splitlines()[-20:])
