"""Git's smart protocol over HTTP, run as a program: git http-backend behind Python's own server."""

import base64
import hmac
import os
import re
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

import click

from devcluster.git_environment import GIT

HEALTH = "/healthz"
_REPOSITORY = re.compile(r"^/(?P<name>[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)*)\.git/")
_PIECE = 1024 * 1024


class GitHandler(BaseHTTPRequestHandler):
    """Hands one request to git http-backend, after the token of its repository was asked for."""

    protocol_version = "HTTP/1.1"
    server: "GitHTTPServer"

    def do_GET(self) -> None:
        """Answer a question about references."""
        self._answer()

    def do_POST(self) -> None:
        """Send or take objects."""
        self._answer()

    def _answer(self) -> None:
        repository = _REPOSITORY.match(unquote(urlsplit(self.path).path))
        # Both ways through a file: a pipe could fill up while the other side waits, and an answer needs its length.
        with self._scratch() as body, self._scratch() as answer:
            for piece in self._body():
                body.write(piece)
            if self.path == HEALTH:
                self._say(200)
            elif repository is None:
                self._say(404)
            elif not self._may_enter(self.server.tokens / repository["name"]):
                self._say(401, {"WWW-Authenticate": 'Basic realm="git"'})
            else:
                self._run_backend(body, answer)

    def _may_enter(self, token_file: Path) -> bool:
        if not token_file.exists():
            return True
        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        try:
            _, _, password = base64.b64decode(given, validate=True).partition(b":")
        except ValueError:
            return False
        return kind.lower() == "basic" and hmac.compare_digest(password, token_file.read_bytes())

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                """A trailer says nothing that Git needs."""
            return
        missing = int(self.headers.get("Content-Length", 0))
        while missing and (piece := self.rfile.read(min(missing, _PIECE))):
            missing -= len(piece)
            yield piece

    def _run_backend(self, body: IO[bytes], answer: IO[bytes]) -> None:
        length = body.tell()
        body.seek(0)
        subprocess.run(["git", "http-backend"], stdin=body, stdout=answer, env=self._variables(length), check=False)
        end = answer.tell()
        answer.seek(0)
        headers = dict(_header(line) for line in iter(answer.readline, b"\r\n") if line)
        status, _, _ = headers.pop("Status", "200 OK").partition(" ")
        self._say(int(status), headers, end - answer.tell())
        shutil.copyfileobj(answer, self.wfile)

    def _variables(self, length: int) -> dict[str, str]:
        address = urlsplit(self.path)
        return {
            **os.environ,
            **GIT,
            "GIT_PROJECT_ROOT": str(self.server.repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            # Partial clones, as the well-known Git services offer them.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "uploadpack.allowFilter",
            "GIT_CONFIG_VALUE_0": "true",
            # Who may read may also push: a token is the only guard here.
            "REMOTE_USER": "git",
            "REMOTE_ADDR": self.client_address[0],
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(address.path),
            "QUERY_STRING": address.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }

    def _say(self, status: int, headers: Mapping[str, str] | None = None, length: int = 0) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()

    def _scratch(self) -> IO[bytes]:
        return tempfile.TemporaryFile(dir=self.server.scratch)


def _header(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode().strip().partition(": ")
    return name, value


class GitHTTPServer(ThreadingHTTPServer):
    """Serves the repositories of one folder on the loopback address."""

    def __init__(self, directory: Path, port: int, pair: tuple[Path, Path] | None) -> None:
        super().__init__(("127.0.0.1", port), GitHandler)
        self.repositories = directory / "repositories"
        self.tokens = directory / "tokens"
        self.scratch = directory / "scratch"
        if pair is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*pair)
            # The handshake belongs to the connection's own thread: a silent client must not keep others waiting.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.argument("port", type=int)
@click.option("--pair", type=(click.Path(path_type=Path), click.Path(path_type=Path)), default=None)
def main(directory: Path, port: int, pair: tuple[Path, Path] | None) -> None:
    """Serve the repositories in DIRECTORY on PORT, with TLS if a certificate and its key are given."""
    with GitHTTPServer(directory, port, pair) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
