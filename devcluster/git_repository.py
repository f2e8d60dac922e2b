"""A Git repository that is written without a working copy."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.git_environment import GIT

BRANCH = "main"


@dataclass(frozen=True)
class Repository:
    """A bare repository, and the address it is served at."""

    folder: Path
    url: str

    def commit(self, files: Mapping[str, str | None], *, branch: str = BRANCH, message: str = "Change") -> str:
        """Write files, delete those without a text, and return the new commit of the branch."""
        reference = f"refs/heads/{branch}"
        text = message.encode()
        lines = [f"commit {reference}\ncommitter devcluster <devcluster@localhost> now\ndata {len(text)}\n".encode()]
        lines += [text, b"\n"]
        if self._has(reference):
            lines.append(f"from {reference}^0\n".encode())
        for path, content in files.items():
            lines += _change(path, content)
        self._git("fast-import", "--quiet", "--force", "--date-format=now", stdin=b"".join(lines))
        return self.revision(branch)

    def branch(self, name: str, *, start: str = BRANCH) -> str:
        """Make a branch, or move it, and return its commit."""
        self._git("update-ref", f"refs/heads/{name}", self.revision(start))
        return self.revision(name)

    def tag(self, name: str, *, revision: str = BRANCH) -> str:
        """Make a tag, or move it, and return its commit."""
        self._git("update-ref", f"refs/tags/{name}", self.revision(revision))
        return self.revision(name)

    def revision(self, name: str = BRANCH) -> str:
        """Return the commit that a branch, a tag or another name stands for."""
        return self._git("rev-parse", "--verify", f"{name}^{{commit}}").strip()

    def _has(self, reference: str) -> bool:
        return bool(self._git("for-each-ref", reference))

    def _git(self, *arguments: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["git", f"--git-dir={self.folder}", *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            env={**os.environ, **GIT},
        )
        if done.returncode != 0:
            raise DevclusterError(f"git {arguments[0]} in {self.folder} failed: {done.stderr.decode().strip()}")
        return done.stdout.decode()


def _change(path: str, content: str | None) -> list[bytes]:
    if content is None:
        return [f"D {path}\n".encode()]
    data = content.encode()
    return [f"M 100644 inline {path}\ndata {len(data)}\n".encode(), data, b"\n"]
