"""What an identity wrote and asked for, by the API server's audit log."""

import json
from collections.abc import Collection
from typing import NamedTuple, Self

from devcluster import ControlPlane
from onboarding.build.kinds import APP_PROJECT, APPLICATION
from tests.support.operator import ACCOUNT, NAMESPACE

OPERATOR = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
SITE_ACCOUNT = f"system:serviceaccount:{NAMESPACE}:project-onboarding-site"
_TOLD = ("events", "selfsubjectaccessreviews")
"""What tells people of gates, and asks for rights: neither changes what a project has."""
_OWN_KINDS = ("projectonboardings", "onboardingpolicies", "hostingtargets")
_WRITES = ("create", "update", "patch", "delete", "deletecollection")
ARGO_PLURALS = (APP_PROJECT.plural, APPLICATION.plural)


class Write(NamedTuple):
    """One answered request, mostly one that changes something."""

    verb: str
    resource: str
    """With its subresource, as in ``projectonboardings/status``."""
    namespace: str
    name: str
    code: int

    def about(self, project: str) -> bool:
        """Say whether it concerns a project, by the names of what belongs to it."""
        return any(place == project or place.startswith(f"{project}-") for place in (self.namespace, self.name))


class Audit:
    """The writes of one identity since this was made."""

    def __init__(self, cluster: ControlPlane, user: str = OPERATOR) -> None:
        self._log = cluster.audit_log
        self._user = user
        self._start = self._log.stat().st_size

    def again(self) -> Self:
        """Forget what was written until now."""
        self._start = self._log.stat().st_size
        return self

    def writes(self, project: str | None = None) -> list[Write]:
        """Return the writes in the order of their answers, of one project or of all."""
        return self._requests(_WRITES, project)

    def gets(self, project: str | None = None) -> list[Write]:
        """Return the GETs of single objects, about one project or all."""
        return self._requests(("get",), project)

    def _requests(self, verbs: Collection[str], project: str | None) -> list[Write]:
        with self._log.open("rb") as log:
            log.seek(self._start)
            lines = log.read().splitlines(keepends=True)
        events = (json.loads(line) for line in lines if line.endswith(b"\n") and self._user.encode() in line)
        found = [_write(event) for event in events if event["verb"] in verbs]
        told = [write for write in found if write and write.resource not in _TOLD]
        return [write for write in told if project is None or write.about(project)]

    def done(self, project: str | None = None) -> list[Write]:
        """Return the writes that the API server accepted."""
        return [write for write in self.writes(project) if write.code < 400]

    def of_objects(self, project: str | None = None) -> list[Write]:
        """Return the accepted writes on all but our own kinds: what it costs the cluster."""
        return [write for write in self.done(project) if not write.resource.startswith(_OWN_KINDS)]


def _write(event: dict) -> Write | None:
    reference = event.get("objectRef")
    if reference is None or event["user"]["username"] not in (OPERATOR, SITE_ACCOUNT):
        return None
    if "dryRun=" in event["requestURI"]:
        return None  # A question to the guard rails: nothing of it is stored.
    if (reference["resource"], reference.get("name")) == ("configmaps", "argocd-cm"):
        return None  # A probe of the platform from time to time, which no project causes.
    resource = "/".join(reference[part] for part in ("resource", "subresource") if part in reference)
    namespace = reference.get("namespace", "") if reference["resource"] != "namespaces" else ""
    return Write(event["verb"], resource, namespace, reference.get("name", ""), event["responseStatus"]["code"])
