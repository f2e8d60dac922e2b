"""A real Git server on the loopback address."""

import os
import shutil
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from devcluster.certificates import Authority
from devcluster.errors import DevclusterError, NotRunningError
from devcluster.git_environment import GIT
from devcluster.git_http import HEALTH
from devcluster.git_repository import BRANCH, Repository
from devcluster.ports import free_ports, with_free_ports
from devcluster.programs import Program, Programs
from devcluster.readiness import answers

_NAME = "git-server"
_ADDRESS = "address"


class GitServer:
    """Serves the repositories of a folder over HTTP, or HTTPS with an authority of its own."""

    def __init__(self, directory: Path, url: str, *, temporary: bool) -> None:
        self.directory = directory
        self.url = url
        self.ca_file = directory / "pki" / "ca.crt"
        self._temporary = temporary

    @classmethod
    def start(cls, directory: Path | None = None, *, tls: bool = False, detached: bool = False) -> Self:
        """Start a server; unless it is detached, it ends with this process. Without a folder it has a temporary one."""
        folder = (directory or Path(tempfile.mkdtemp(prefix="devcluster-git-"))).absolute()
        for name in ("repositories", "tokens", "scratch"):
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        return with_free_ports(partial(cls._bring_up, folder, directory is None, tls, detached))

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Return the detached server of a folder."""
        address = directory.absolute() / _ADDRESS
        if not Programs(directory).alive(_NAME):
            raise NotRunningError(f"no Git server runs in {directory}: start one")
        return cls(directory.absolute(), address.read_text(), temporary=False)

    @classmethod
    def _bring_up(cls, folder: Path, temporary: bool, tls: bool, detached: bool) -> Self:
        port = free_ports(1)[0]
        server = cls(folder, f"http{'s' if tls else ''}://127.0.0.1:{port}", temporary=temporary)
        Programs(folder).start([server._program(port, tls)], outlive_us=detached)
        (folder / _ADDRESS).write_text(server.url)
        return server

    def create(self, name: str, files: Mapping[str, str], *, token: str | None = None) -> Repository:
        """Create a repository whose main branch holds these files; with a token, it asks for it as the password."""
        folder = self.directory / "repositories" / f"{name}.git"
        if folder.exists():
            raise DevclusterError(f"{self.url} has a repository {name} already: give another name")
        subprocess.run(
            ["git", "init", "--quiet", "--bare", f"--initial-branch={BRANCH}", folder],
            check=True,
            env={**os.environ, **GIT},
        )
        if token is not None:
            self.protect(name, token)
        repository = Repository(folder, f"{self.url}/{name}.git")
        repository.commit(files, message="Begin")
        return repository

    def protect(self, name: str, token: str) -> None:
        """Let a repository ask for another token from now on."""
        file = self.directory / "tokens" / name
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_text(token)

    def stop(self) -> None:
        """End the server; a temporary folder goes with it."""
        Programs(self.directory).stop_all()
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _program(self, port: int, tls: bool) -> Program:
        command: list[str | Path] = [sys.executable, "-m", "devcluster.git_http", self.directory, str(port)]
        context = None
        if tls:
            authority = Authority(self.directory / "pki", "ca").create()
            pair = authority.server("server")
            command += ["--pair", pair.certificate, pair.key]
            context = ssl.create_default_context(cafile=str(authority.files.certificate))
        # The package is a tool of this repository and is never installed.
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        return Program(_NAME, command, partial(answers, port, HEALTH, context), environment)
