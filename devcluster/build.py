"""The control plane's binary, built once and kept in the user's cache folder."""

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from devcluster import golang
from devcluster.errors import DevclusterError
from devcluster.processes import Process, spawn

MODULE = Path(__file__).parent / "kube"
NAMES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")

# Without a version, kubectl and the API server refuse to compare theirs. A fixed date keeps the build reproducible.
_STAMP = {
    "gitVersion": "v1.36.3",
    "gitMajor": "1",
    "gitMinor": "36",
    "gitTreeState": "clean",
    "gitCommit": "",
    "buildDate": "1970-01-01T00:00:00Z",
}
_VERSION = "k8s.io/component-base/version"
_FLAGS = ("-trimpath", "-ldflags", " ".join(["-s -w", *(f"-X {_VERSION}.{key}={to}" for key, to in _STAMP.items())]))


def built(progress: Callable[[str], None]) -> Path:
    """Return the folder of the built binaries; build them first if this version of them is not there."""
    folder = cache_folder() / _fingerprint()
    if not _complete(folder):
        with _alone(folder, progress):
            if not _complete(folder):
                _build(folder, progress)
    return folder


def cache_folder() -> Path:
    """Return the folder that holds one folder for each build."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "project-onboarding-operator" / "devcluster"


def cached_kubectl() -> Path | None:
    """Return the kubectl of the latest build, if there is one."""
    found = cache_folder().glob("*/kubectl")
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        digest.update((MODULE / name).read_bytes())
    digest.update("\n".join([golang.version(MODULE), *_FLAGS]).encode())
    return digest.hexdigest()[:16]


def _complete(folder: Path) -> bool:
    return all((folder / name).exists() for name in NAMES)


@contextlib.contextmanager
def _alone(folder: Path, progress: Callable[[str], None]) -> Iterator[None]:
    """Let one starter build at a time; the lock ends with its holder, however that ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        waited = False
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if not waited:
                progress("waiting for another starter that builds the control plane")
            waited = True
            time.sleep(0.2)
        yield


def _build(folder: Path, progress: Callable[[str], None]) -> None:
    binary, unfinished, log = folder / "kube", folder / "kube.unfinished", folder / "build.log"
    log.unlink(missing_ok=True)
    _compile(["build", "-v", *_FLAGS, "-o", str(unfinished), "."], log, progress)
    if not unfinished.exists():
        raise DevclusterError(f"building the control plane failed, see {log}:\n{_tail(log)}\n{golang.TOO_OLD}")
    unfinished.rename(binary)
    for name in NAMES:
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(binary.name)


def _compile(arguments: list[str], log: Path, progress: Callable[[str], None]) -> None:
    """Run go until it ends, and tell how far it is; an interruption ends go and the compilers it started."""
    began = time.monotonic()
    processes: list[Process] = []
    try:
        spawn([golang.executable(), "-C", MODULE, *arguments], log, processes.append)
        while not processes[0].wait(0.5):
            compiled = len(log.read_text().splitlines())
            minutes, seconds = divmod(int(time.monotonic() - began), 60)
            progress(
                f"building the control plane, once (some 10 minutes from nothing): "
                f"{compiled} packages compiled, {minutes}:{seconds:02}"
            )
    finally:
        for process in processes:
            process.kill_session()


def _tail(log: Path) -> str:
    return "\n".join(log.read_text().splitlines()[-20:])
