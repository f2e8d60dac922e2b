"""Requests as the operator's account, by somebody who lacks no right: only admission stands in the way."""

import json
from collections.abc import Callable
from typing import Any

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import CHILD_KINDS, Manifest
from tests.support.api import Api
from tests.support.audit import OPERATOR

RULE = names.GUARD_POLICIES[0]
_DRY = {"dryRun": "All"}
_KINDS = {kind.kind: kind for kind in CHILD_KINDS}


class Account:
    """The operator's account as a member of ``system:masters``."""

    def __init__(self, cluster: ControlPlane) -> None:
        self._api = Api(cluster)

    def answer(self, method: str, path: str, body: Any = None, *, dry: bool = True, **head: str) -> tuple[int, str]:
        """Return status and text of an answer."""
        head |= {"Impersonate_User": OPERATOR, "Impersonate_Group": "system:masters"}
        query = {"fieldValidation": "Strict", **(_DRY if dry else {})}
        return self._api.text(method, path, query=query, body=body, **head)

    def does(self, method: str, path: str, body: Any = None, *, dry: bool = True, **head: str) -> None:
        """Demand that a request is answered as asked."""
        status, text = self.answer(method, path, body, dry=dry, **head)
        assert status < 400, text

    def meets(self, sentence: str, method: str, path: str, body: Any = None, **head: str) -> None:
        """Demand that the policy on this account refuses a dry run in these words."""
        status, text = self.answer(method, path, body, **head)
        assert status == 403, f"{status}: {text}"
        assert f"refused (rule {RULE})" in text
        assert sentence in text

    def read(self, path: str) -> Manifest:
        """Return an object."""
        status, text = self.answer("GET", path, dry=False)
        assert status == 200, text
        found: Manifest = json.loads(text)
        return found


def collection(manifest: Manifest) -> str:
    """Return the path of the collection that an object belongs to."""
    return _KINDS[manifest["kind"]].path(manifest["metadata"].get("namespace", ""))


def place(manifest: Manifest) -> str:
    """Return the path of an object."""
    return _KINDS[manifest["kind"]].path(manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"])


def put(path: str, value: Any) -> Callable[[Manifest], None]:
    """Return a change that puts a value at a path, whose parts are separated by spaces; ``+`` appends to a list."""

    def change(manifest: Manifest) -> None:
        *way, last = path.split()
        for part in way:
            manifest = manifest[int(part)] if isinstance(manifest, list) else manifest.setdefault(part, {})
        if last == "+":
            manifest.append(value)
        else:
            manifest[int(last) if isinstance(manifest, list) else last] = value

    return change


def without(path: str) -> Callable[[Manifest], None]:
    """Return a change that leaves out what stands at a path."""

    def change(manifest: Manifest) -> None:
        *way, last = path.split()
        for part in way:
            manifest = manifest[part]
        del manifest[last]

    return change
