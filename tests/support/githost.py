"""A real Git server: ``git http-backend`` behind a small gateway, with repositories in a directory."""

import asyncio
import os
import subprocess
from pathlib import Path

from aiohttp import web

_IDENTITY = {f"GIT_{who}_{what}": "test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
_ENVIRONMENT = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", **_IDENTITY}


class GitHost:
    """Serves bare repositories under ``/<name>.git``; those of ``private`` ask for a login."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.private: dict[str, str] = {}
        """Value of the Authorization header that opens a repository, by name."""
        self.old = False
        """Whether the server knows the first version of the protocol only."""
        self.bodies: list[bytes] = []
        self.sent = 0
        """Bytes of the largest answer."""

    def make(self, name: str, files: dict[str, str], *, filters: bool = True, hash_name: str = "sha1") -> str:
        """Make a repository with one commit on ``main`` and the tag ``v1``; return the commit."""
        tree = self.directory / f"{name}.tree"
        self.git(self.directory, "init", "-q", "-b", "main", f"--object-format={hash_name}", str(tree))
        for path, content in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(content, encoding="utf-8")
        self.git(tree, "add", ".")
        self.git(tree, "commit", "-q", "--allow-empty", "-m", "first")
        self.git(tree, "tag", "-a", "v1", "-m", "v1")
        self.git(self.directory, "clone", "-q", "--bare", str(tree), f"{name}.git")
        self.git(self.directory / f"{name}.git", "config", "uploadpack.allowFilter", str(filters).lower())
        return self.git(tree, "rev-parse", "HEAD")

    def git(self, directory: Path, *arguments: str) -> str:
        """Run git and return what it says."""
        done = subprocess.run(
            ["git", *arguments], cwd=directory, env=_ENVIRONMENT, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def application(self) -> web.Application:
        """Return the gateway."""
        application = web.Application()
        application.router.add_route("*", "/{repository}.git/{rest:.*}", self._answer)
        return application

    async def _answer(self, request: web.Request) -> web.Response:
        login = self.private.get(request.match_info["repository"])
        if login is not None and request.headers.get("Authorization") != login:
            return web.Response(status=401, headers={"WWW-Authenticate": "Basic"})
        body = await request.read()
        self.bodies.append(body)
        process = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            env=self._environment(request, body),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        output, _ = await process.communicate(body)
        head, _, content = output.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        status = int(headers.pop("Status", "200").split()[0])
        self.sent = max(self.sent, len(content))
        return web.Response(status=status, headers=headers, body=content)

    def _environment(self, request: web.Request, body: bytes) -> dict[str, str]:
        return {
            **_ENVIRONMENT,
            "GIT_PROJECT_ROOT": str(self.directory),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": "" if self.old else request.headers.get("Git-Protocol", ""),
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query_string,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
