"""Services outside the cluster, on the loopback address and over TLS: Git, a directory of groups, a registry."""

import asyncio
import json
import ssl
import threading
from pathlib import Path
from typing import Self

from aiohttp import web

from tests.support.authority import Authority
from tests.support.githost import GitHost

_MANIFEST = "application/vnd.oci.image.index.v1+json"

_ADDRESS = "127.0.0.2"
"""Not that of the API server, which the operator's probes never reach."""


class Outside:
    """One HTTPS server for all of them, in a thread of its own."""

    def __init__(self, directory: Path) -> None:
        self.git = GitHost(directory)
        self.groups: set[str] = set()
        """The groups that the directory knows."""
        self.images: set[str] = set()
        """Images as ``repository:tag`` that the registry has."""
        self.authority = Authority()
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_text(self.authority.pem)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._port = 0

    @property
    def host(self) -> str:
        """Host and port of every service."""
        return f"{_ADDRESS}:{self._port}"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(30)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _serve(self) -> None:
        application = self.git.application()
        application.router.add_get("/scim/Groups", self._group)
        application.router.add_route("*", "/v2/{repository:.+}/manifests/{tag}", self._image)
        self._runner = web.AppRunner(application, shutdown_timeout=0)
        await self._runner.setup()
        tls: ssl.SSLContext = self.authority.server(_ADDRESS)
        await web.TCPSite(self._runner, _ADDRESS, 0, ssl_context=tls).start()
        self._port = self._runner.addresses[0][1]

    async def _group(self, request: web.Request) -> web.Response:
        name = request.query["filter"].removeprefix('displayName eq "').removesuffix('"')
        found = [{"displayName": name}] if name in self.groups else []
        return web.json_response({"totalResults": len(found), "Resources": found})

    async def _image(self, request: web.Request) -> web.Response:
        if "{repository}:{tag}".format(**request.match_info) not in self.images:
            return web.json_response({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, status=404)
        platform = {"os": "linux", "architecture": "amd64"}
        descriptor = {"mediaType": _MANIFEST, "digest": f"sha256:{'0' * 64}", "size": 2, "platform": platform}
        index = {"schemaVersion": 2, "mediaType": _MANIFEST, "manifests": [descriptor]}
        return web.Response(body=json.dumps(index).encode(), content_type=_MANIFEST)
