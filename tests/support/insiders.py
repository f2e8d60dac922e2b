"""The component that records the insiders of projects, on a real API server."""

import json
from typing import Any

import yaml

from devcluster import KubectlError
from onboarding import names
from tests.api.persons import Person
from tests.support.helm import ROOT
from tests.support.waiting import wait_until

FOLDER = ROOT / "manifests" / "insiders"
RULE = names.INSIDERS_POLICY
KEY = names.ANNOTATION_INSIDERS
KINDS = ("mutatingadmissionpolicy", "validatingadmissionpolicy")
MUTATING, VALIDATING = (f"{kind}binding" for kind in KINDS)
ADA = {"name": "Ada", "email": "ada@example.org"}
DRY = "--dry-run=server"


def project(name: str, annotation: str | None = None, **spec: Any) -> dict[str, Any]:
    """Return a project of the group ``ins-admins``."""
    given = {"owner": ADA, "team": {"groups": {"admin": ["ins-admins"]}}, **spec}
    metadata = {"name": name, **({"annotations": {KEY: annotation}} if annotation is not None else {})}
    return {"apiVersion": names.API_VERSION, "kind": "ProjectOnboarding", "metadata": metadata, "spec": given}


def lines(item: dict[str, Any]) -> list[str] | None:
    """Return the lines of the annotation of an object; None if it has none."""
    text = (item["metadata"].get("annotations") or {}).get(KEY)
    return None if text is None else text.split("\n")


def recorded(admin: Person, name: str) -> list[str] | None:
    """Return the lines that are recorded of a project."""
    return lines(json.loads(admin.does("get", "projectonboarding", name, "--output=json")))


def _created(admin: Person) -> list[str] | None:
    """Return the lines that are recorded of a new project; None if it is refused, or the schema is not known yet."""
    try:
        shown = admin.does("create", DRY, "--output=json", "--filename=-", body=project("ins-probe"))
    except KubectlError:
        return None
    return lines(json.loads(shown)) or []


def bind(admin: Person) -> None:
    """Install the component as the manifests say, and wait until both of its policies are in force."""
    rendered = admin.does("kustomize", str(FOLDER))
    for item in yaml.safe_load_all(rendered):
        admin.does("apply", "--server-side", "--force-conflicts", "--filename=-", body=item)
    probe = ["create", DRY, "--output=json", "--filename=-"]
    wait_until(lambda: _created(admin), what="the policy records insiders")
    forged = project("ins-probe")
    forged["metadata"]["annotations"] = {names.ANNOTATION_GUARD_PROBE: RULE}
    wait_until(lambda: admin.is_refused_by(RULE, *probe, body=forged), what="the policy on insiders is in force")


def unbind(admin: Person, *bindings: str) -> None:
    """Remove bindings of the component, that of the mutating policy among them, and wait until they judge nothing."""
    admin.does("delete", ",".join(bindings), RULE)
    if VALIDATING in bindings:
        wait_until(lambda: _created(admin) == [], what="the component is gone")
        return
    probe = ["create", DRY, "--output=json", "--filename=-"]
    wait_until(lambda: admin.is_refused_by(RULE, *probe, body=project("ins-probe")), what="nobody records")


def remove(admin: Person) -> None:
    """Remove the component."""
    admin.does("delete", ",".join((*KINDS, MUTATING, VALIDATING)), RULE, "--ignore-not-found")
