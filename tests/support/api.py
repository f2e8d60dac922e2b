"""Plain requests to an API server: a test that asks it often would spend its time on starting kubectl."""

import base64
import http.client
import json
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import yaml

from devcluster import ControlPlane
from onboarding.build.kinds import Manifest

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


class RefusedError(Exception):
    """The API server refused a request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """Requests as the user of a kubeconfig, by client certificate or token; the administrator's by default."""

    def __init__(self, cluster: ControlPlane, kubeconfig: Path | None = None) -> None:
        self._address = urlsplit(cluster.server).netloc
        self._tls = ssl.create_default_context(cafile=str(cluster.ca_file))
        user = yaml.safe_load((kubeconfig or cluster.kubeconfig).read_text())["users"][0]["user"]
        self._login = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        if self._login:
            return
        with tempfile.NamedTemporaryFile() as pair:
            for part in ("client-certificate-data", "client-key-data"):
                pair.write(base64.b64decode(user[part]))
            pair.flush()
            self._tls.load_cert_chain(pair.name)

    def text(self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None, **head: str):
        """Return the status and the text of an answer; ``head`` are headers with underscores for hyphens."""
        connection = http.client.HTTPSConnection(self._address, timeout=30, context=self._tls)
        try:
            headers = {
                "Content-Type": "application/json",
                **self._login,
                **{key.replace("_", "-"): value for key, value in head.items()},
            }
            url = f"{path}?{urlencode(query)}" if query else path
            connection.request(method, url, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def request(self, method: str, path: str, **options: Any) -> Manifest:
        """Return the JSON of an answer; RefusedError where it is an error."""
        status, text = self.text(method, path, **options)
        if status >= 400:
            raise RefusedError(status, text)
        return json.loads(text)

    def get(self, path: str) -> Manifest | None:
        """Return an object; None where there is none."""
        status, text = self.text("GET", path)
        if status == 404:
            return None
        if status >= 400:
            raise RefusedError(status, text)
        return json.loads(text)

    def items(self, path: str, selector: str = "") -> list[Manifest]:
        """Return a list, of the objects with these labels."""
        return self.request("GET", path, query={"labelSelector": selector} if selector else None)["items"]

    def create(self, path: str, manifest: Manifest) -> Manifest:
        """Create an object in a collection."""
        return self.request("POST", path, body=manifest)

    def patch(self, path: str, change: Any) -> Manifest:
        """Change an object by a merge patch, or by a JSON patch where the change is a list."""
        form = JSON_PATCH if isinstance(change, list) else MERGE_PATCH
        return self.request("PATCH", path, body=change, Content_Type=form)

    def apply(self, path: str, manifest: Manifest) -> Manifest:
        """Apply an object on the server's side, so that a field which is no longer sent goes away."""
        query = {"fieldManager": "team", "force": "true"}
        return self.request("PATCH", path, query=query, body=manifest, Content_Type=APPLY_PATCH)

    def delete(self, path: str) -> None:
        """Delete an object."""
        self.request("DELETE", path)

    def history(self, path: str, since: str) -> list[Manifest]:
        """Return every version that the objects of a collection have had since a version of it."""
        query = {"watch": "true", "resourceVersion": since, "timeoutSeconds": "1"}
        status, text = self.text("GET", path, query=query)
        if status >= 400:
            raise RefusedError(status, text)
        return [json.loads(line)["object"] for line in text.splitlines()]
