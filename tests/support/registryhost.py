"""A small registry at the level of the OCI distribution specification, with a token service."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class RegistryHost:
    """Serves images; asks for a login where ``challenge`` says how."""

    def __init__(self) -> None:
        self.content: dict[tuple[str, str], tuple[bytes, str]] = {}
        """Manifests and blobs with their media type, by repository and by tag or digest."""
        self.challenge = ""
        """Value of WWW-Authenticate; the empty string where everybody may read."""
        self.accepts: set[str] = set()
        """Values of the Authorization header that open the registry."""
        self.tokens: dict[str | None, str] = {}
        """The token for each value of the Authorization header; None is anonymous."""
        self.heads = True
        self.requests: list[tuple[str, str]] = []
        self.logins: list[str | None] = []
        self.token_queries: list[Mapping[str, str]] = []

    def add(self, path: str, content: Mapping[str, Any], kind: str, *tags: str) -> str:
        """Keep a manifest or blob; return its digest."""
        body = orjson.dumps(content)
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        for name in (digest, *tags):
            self.content[path, name] = (body, kind)
        return digest

    def add_image(self, path: str, *tags: str, system: str = "linux", machine: str = "amd64") -> str:
        """Keep an image for one platform; return its digest."""
        config = self.add(path, {"os": system, "architecture": machine, "config": {}}, "application/json")
        return self.add(path, {"schemaVersion": 2, "config": {"digest": config}, "layers": []}, MANIFEST, *tags)

    def application(self) -> web.Application:
        """Return the registry and its token service."""
        application = web.Application()
        application.router.add_get("/token", self._token)
        application.router.add_route("*", "/v2/{path:.+}/{kind:manifests|blobs}/{version}", self._serve)
        return application

    async def _token(self, request: web.Request) -> web.Response:
        self.token_queries.append(dict(request.query))
        login = request.headers.get("Authorization")
        if login not in self.tokens:
            return web.Response(status=401)
        return web.json_response({"token": self.tokens[login]})

    async def _serve(self, request: web.Request) -> web.Response:
        self.requests.append((request.method, request.path))
        login = request.headers.get("Authorization")
        self.logins.append(login)
        if self.challenge and login not in self.accepts:
            return web.Response(status=401, headers={"WWW-Authenticate": self.challenge})
        if request.method == "HEAD" and not self.heads:
            return web.Response(status=405)
        found = self.content.get((request.match_info["path"], request.match_info["version"]))
        if found is None:
            return web.Response(status=404)
        body, kind = found
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        return web.Response(body=body, headers={"Docker-Content-Digest": digest, "Content-Type": kind})
