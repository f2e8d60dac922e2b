"""The guard rails as the tests of them meet them: objects that carry the probe's annotation, and the way back."""

from pathlib import Path
from typing import Any

import yaml

from onboarding import names
from tests.api.persons import Person

INSTALL = Path(__file__).parents[2] / "manifests" / "install"
ACCOUNT, NAMESPACES, OBJECTS, DETACHED = names.GUARD_POLICIES
PROJECTS, DECISIONS = names.HUB_GUARD_POLICIES
POLICY, BINDING = "validatingadmissionpolicy", "validatingadmissionpolicybinding"
KEY, LABEL = names.ANNOTATION_GUARD_PROBE, names.LABEL_INSTALLATION
SYNC = f"--namespace={names.SYNC_NAMESPACE}"
DRY = ["create", "--dry-run=server", "--filename=-"]
PROJECT = {
    "apiVersion": names.API_VERSION,
    "kind": "ProjectOnboarding",
    "metadata": {"name": "guard-probed"},
    "spec": {"owner": {"name": "Ada", "email": "ada@example.org"}},
}
"""A project by which the policy on projects is asked."""


def thing(kind: str, mark: str, *, api: str = "v1", labelled: bool = True, **fields: Any) -> dict[str, Any]:
    """Return an object that carries the annotation of the probe."""
    labels = {LABEL: "test"} if labelled else {}
    metadata = {"name": "guard-probed", "labels": labels, "annotations": {KEY: mark}}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def restore(admin: Person) -> None:
    """Make policies and bindings again what the manifests say, whatever a test has made of them.

    They are replaced: what somebody else added to a set of values would stay when they are applied.
    """
    rendered = yaml.safe_load_all(admin.does("kustomize", str(INSTALL)))
    items = [item for item in rendered if item["kind"].startswith("ValidatingAdmissionPolicy")]
    there = set(admin.does("get", f"{POLICY},{BINDING}", "--output=name").split())
    for verb, wanted in (("replace", True), ("create", False)):
        chosen = [item for item in items if (place(item) in there) is wanted]
        if chosen:
            admin.does(verb, "--filename=-", body={"apiVersion": "v1", "kind": "List", "items": chosen})


def place(item: dict[str, Any]) -> str:
    """Return an object's place as kubectl names it."""
    return f"{item['kind'].lower()}.admissionregistration.k8s.io/{item['metadata']['name']}"


def refuses(person: Person, policy: str, *command: str, body: Any = None) -> bool:
    """Return whether a policy refuses this in the words of the probe."""
    words = f"guard probe refused (rule {policy}): version {names.GUARD_VERSION} of the policies is in force"
    return words in person.refusal(*command, body=body)
