"""Requests of a row as HTTP, and how the API server answered each."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from onboarding.build.kinds import Manifest
from tests.attack.rows import BUILT_IN, RULE_PREFIX, Row
from tests.support.api import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, Api

STRATEGIC_PATCH: Final = "application/strategic-merge-patch+json"
_FORMS: Final = {"merge": MERGE_PATCH, "json": JSON_PATCH, "strategic": STRATEGIC_PATCH, "apply": APPLY_PATCH}
_METHODS: Final = {
    "create": "POST",
    "get": "GET",
    "list": "GET",
    "patch": "PATCH",
    "replace": "PUT",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}
_REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_DISCOVERY: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_SIGNS: Final = {
    "rbac": (403, re.compile(r'User "[^"]*" cannot |permissions not currently held|^not allowed to ')),
    "schema": (422, re.compile(r"is invalid: ")),
    "pod-security": (403, re.compile(r'violates PodSecurity "')),
    "quota": (403, re.compile(r"exceeded quota: ")),
    "server": (422, re.compile(r"is invalid: ")),
}
"""Status and signs of a guard in its refusals."""


@dataclass(frozen=True)
class Kind:
    """Kind of the API server."""

    path: str
    """``/api/v1`` or ``/apis/<group>/<version>``."""
    api_version: str
    kind: str
    namespaced: bool
    resource: str
    group: str


@dataclass(frozen=True)
class Answer:
    """Answer of the API server to a request."""

    status: int
    text: str

    @property
    def admitted(self) -> bool:
        """Whether the request was admitted."""
        return self.status < 400

    def comes_from(self, guard: str, words: str) -> bool:
        """Return whether a guard refused the request, with these words."""
        if self.admitted or words not in self.text:
            return False
        if guard in BUILT_IN:
            status, sign = _SIGNS[guard]
            return self.status == status and sign.search(self.text) is not None and "(rule " not in self.text
        return f"(rule {RULE_PREFIX}{guard})" in self.text


class Sender:
    """Sends the requests of rows to one API server; every write is a dry run."""

    def __init__(self, root: Api) -> None:
        self._root = root
        self._kinds = _discovered(root)

    @property
    def kinds(self) -> dict[str, Kind]:
        """Return the kinds of the API server by ``<resource>`` or ``<resource>/<subresource>``."""
        return self._kinds

    def send(self, api: Api, row: Row) -> Answer:
        """Send a request whose variables are filled in."""
        verb, *rest = row.send.split()
        if verb == "can":
            return self._ask(api, *rest)
        resource, target = rest[0], rest[1] if len(rest) > 1 else ""
        kind = self._kinds[resource]
        path, name = _path(kind, resource, target)
        query = {} if verb in ("get", "list") else {"dryRun": "All"}
        head = {f"Impersonate_{key}": value for key, value in row.impersonate.items()}
        body = row.body
        if verb == "create":
            body = self._new(kind, resource, target, body)
        elif verb == "replace":
            body = merged(self._root.request("GET", path.removesuffix("/finalize")), body)
        elif verb == "patch":
            form = "json" if isinstance(body, list) else row.form
            head["Content_Type"] = _FORMS[form]
            if form == "apply":
                query |= {"fieldManager": "attack", "force": "true"}
                body = merged(_head(kind, name), body)
        status, text = api.text(_METHODS[verb], path, query=query, body=body, **head)
        return Answer(status, _message(text) if status >= 400 else text)

    def _new(self, kind: Kind, resource: str, target: str, body: Any) -> Manifest:
        """Return what is created; a subresource is created of an object that exists."""
        name = target.partition("/")[2] if "/" in resource else "attack"
        return merged(_head(kind, name), body or {})

    def _ask(self, api: Api, verb: str, what: str, target: str = "") -> Answer:
        """Ask whether the actor has a right; the answer is 403 if not."""
        resource, _, subresource = what.partition("/")
        if kind := self._kinds.get(resource):
            attributes = {"group": kind.group, "resource": kind.resource}
            place, name = _place(kind, target)
        else:
            plural, _, group = resource.partition(".")
            attributes = {"group": group, "resource": plural}
            place, name = "", target
        attributes |= {"verb": verb, "subresource": subresource, "namespace": place, "name": name}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
        answer = api.request("POST", _REVIEWS, body={**review, "spec": {"resourceAttributes": attributes}})
        return Answer(201, "") if answer["status"]["allowed"] else Answer(403, f"not allowed to {verb} {what} {target}")


def merged(base: Any, change: Any) -> Any:
    """Return a merge patch applied, as JSON Merge Patch says."""
    if not isinstance(change, dict) or not isinstance(base, dict):
        return change
    result = {key: value for key, value in base.items() if change.get(key, "") is not None}
    return result | {key: merged(base.get(key, {}), value) for key, value in change.items() if value is not None}


def _head(kind: Kind, name: str) -> Manifest:
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}}


def _place(kind: Kind, target: str) -> tuple[str, str]:
    if not kind.namespaced:
        return "", target
    place, _, name = target.partition("/")
    return place, name


def _path(kind: Kind, resource: str, target: str) -> tuple[str, str]:
    place, name = _place(kind, target)
    parts = [kind.path, *(["namespaces", place] if place else []), kind.resource, name, resource.partition("/")[2]]
    return "/".join(quote(part, safe="/:") for part in parts if part), name


def _message(text: str) -> str:
    """Return the message of a Status, or all of the text if it is none."""
    return str(json.loads(text)["message"]) if text.startswith('{"kind":"Status"') else text


def _discovered(root: Api) -> dict[str, Kind]:
    """Return the kinds of the API server; of two resources of one name the first, the core group before all."""
    found: dict[str, Kind] = {}
    for source in ("/api", "/apis"):
        for group in root.request("GET", source, Accept=_DISCOVERY)["items"]:
            name = group["metadata"].get("name", "")
            version = group["versions"][0]
            path = f"/apis/{name}/{version['version']}" if name else f"/api/{version['version']}"
            for item in version["resources"]:
                _enter(found, path, name, item)
    return found


def _enter(found: dict[str, Kind], path: str, group: str, item: Manifest) -> None:
    namespaced, resource = item["scope"] == "Namespaced", item["resource"]
    subresources = {f"{resource}/{sub['subresource']}": sub for sub in item.get("subresources", ())}
    for key, entry in {resource: item, **subresources}.items():
        kind = entry.get("responseKind") or item["responseKind"]
        of = kind.get("group") or group
        version = kind.get("version") or path.rpartition("/")[2]
        api_version = f"{of}/{version}" if of else version
        found.setdefault(key, Kind(path, api_version, kind["kind"], namespaced, resource, group))
