"""The folder of one control plane: who uses it, and what is left in it afterwards."""

import fcntl
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Self

from devcluster.errors import AlreadyRunningError, DevclusterError

_DISPOSABLE = ("pki", "kubeconfigs", "data")
_LOGS = "logs"
# The lock that starters take; it also tells that what lies beside it may be deleted.
_MARKER = "devcluster.lock"


class Folder:
    """A folder that belongs to one control plane at a time."""

    def __init__(self, path: Path, *, temporary: bool) -> None:
        self.path = path
        self._temporary = temporary
        self._lock: int | None = None

    @classmethod
    def open(cls, name: str, directory: Path | None) -> Self:
        """Make the folder; without one that is asked for, a temporary one that bears the name."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise DevclusterError(f"{name!r} is no name for a control plane: use letters, digits, dots and dashes")
        if directory is None:
            return cls(Path(tempfile.mkdtemp(prefix=f"devcluster-{name}-")), temporary=True)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(directory.iterdir()) and not (directory / _MARKER).exists():
            raise DevclusterError(f"{directory} holds other files: name an empty folder, or one of a control plane")
        (directory / _MARKER).touch()
        return cls(directory.absolute(), temporary=False)

    def lock(self) -> None:
        """Keep other starters away until it is unlocked or this process ends."""
        self._lock = os.open(self.path / _MARKER, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.unlock()
            raise AlreadyRunningError(
                f"another process uses the control plane in {self.path}: wait for its end, or name another folder"
            ) from None

    def unlock(self) -> None:
        """Let others use the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def clear(self, *, keep_logs: bool) -> None:
        """Delete the data, certificates and kubeconfigs of a control plane that has ended, and perhaps its logs."""
        for name in _DISPOSABLE if keep_logs else (*_DISPOSABLE, _LOGS):
            shutil.rmtree(self.path / name, ignore_errors=True)

    def close(self, *, keep_logs: bool) -> None:
        """Leave the folder behind: a temporary one goes, any other keeps its logs."""
        self.clear(keep_logs=keep_logs or not self._temporary)
        self.unlock()
        if self._temporary and not keep_logs:
            shutil.rmtree(self.path, ignore_errors=True)
