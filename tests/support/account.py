"""Requests as the operator's account, by somebody who lacks no right: only admission stands in the way."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import CHILD_KINDS, Manifest
from tests.support.api import Api
from tests.support.audit import OPERATOR
from tests.support.waiting import wait_until

RULE = names.GUARD_POLICIES[0]
POLICY = f"/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/{RULE}"
NAMESPACES = "/api/v1/namespaces"
LISTS = {"argocdNamespaces": "['argocd', 'openshift-gitops']", "podSecurity": "['baseline', 'restricted']"}
"""As an installation has them whose Argo CDs and levels are those of the golden files."""
IN_CLUSTER = "https://kubernetes.default.svc"
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


@contextmanager
def lists_of_golden_files(cluster: ControlPlane) -> Iterator[Account]:
    """Put lists in force that fit the golden files, and take them back."""
    account, admin = Account(cluster), Api(cluster)
    before = (admin.get(POLICY) or {})["spec"]["variables"]
    variables = [{**item, "expression": LISTS.get(item["name"], item["expression"])} for item in before]
    enforced = {f"{names.POD_SECURITY_PREFIX}enforce": "baseline"}
    probe = {"metadata": {"name": "content-probe", "labels": {names.LABEL_INSTALLATION: "a", **enforced}}}
    admin.create(NAMESPACES, {"metadata": {"name": "openshift-gitops"}})
    admin.patch(POLICY, {"spec": {"variables": variables}})
    wait_until(lambda: account.answer("POST", NAMESPACES, probe)[0] == 201, what="the lists are in force")
    yield account
    admin.patch(POLICY, {"spec": {"variables": before}})
    wait_until(lambda: account.answer("POST", NAMESPACES, probe)[0] == 403, what="the former lists are in force")
    admin.delete(f"{NAMESPACES}/openshift-gitops")
    wait_until(lambda: admin.get(f"{NAMESPACES}/openshift-gitops") is None, what="its namespace is gone", within=60)


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


def at(server: str = IN_CLUSTER, namespace: str = "shop-dev", **more: str) -> dict[str, str]:
    """Return a destination of an AppProject."""
    return {"server": server, "namespace": namespace, **more}


def account(namespace: str, name: str, server: str = IN_CLUSTER) -> dict[str, str]:
    """Return an account of an AppProject for a destination."""
    return at(server, namespace, defaultServiceAccount=name)
