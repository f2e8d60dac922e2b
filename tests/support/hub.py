"""The hub as a test sees it: projects are declared here, and what became of them is read."""

from collections.abc import Callable
from typing import Any

import orjson

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import APPLICATION, CHILD_KINDS, HUB, NAMESPACE, ChildKind, Manifest, ObjectKey, Wanted
from onboarding.build.revision import Owner, Revision
from onboarding.build.wanted import build_wanted
from onboarding.reconcile.apply.diff import diff_object
from onboarding.reconcile.observed.cached_object import cached_object_of, owner_of
from tests.support.api import Api
from tests.support.installing import project
from tests.support.waiting import wait_until

ROOT = f"/apis/{names.API_VERSION}"
PROJECTS = f"{ROOT}/projectonboardings"
POLICY = f"{ROOT}/onboardingpolicies/default"
ARGOCD = "argocd"
REPOSITORY = {"name": "app", "url": "https://git.example.org/team/infra.git", "revision": "main", "path": "deploy"}


class Hub:
    """A cluster on which projects are declared."""

    def __init__(self, cluster: ControlPlane) -> None:
        self.cluster = cluster
        self.api = Api(cluster)

    def declare(self, name: str, **spec: Any) -> Manifest:
        """Create a project, or make its spec exactly this."""
        return self.api.apply(f"{PROJECTS}/{name}", project(name, **spec))

    def delete(self, name: str) -> None:
        """Ask for the deletion of a project."""
        self.api.delete(f"{PROJECTS}/{name}")

    def project(self, name: str) -> Manifest | None:
        """Return a project; None where there is none."""
        return self.api.get(f"{PROJECTS}/{name}")

    def condition(self, name: str, kind: str = "Ready") -> Manifest | None:
        """Return a condition of a project, if it is there and of the project's present generation."""
        found = self.project(name)
        if found is None or found["status"]["observedGeneration"] != found["metadata"]["generation"]:
            return None
        return next((item for item in found["status"].get("conditions", []) if item["type"] == kind), None)

    def wait(
        self, name: str, status: str = "True", reason: str | None = None, words: str = "", *, within: float = 30
    ) -> Manifest:
        """Wait until Ready of a project has a status, a reason and words in its message, and return the condition."""
        seen: list[Any] = [None]

        def there() -> Manifest | None:
            seen[0] = found = self.condition(name)
            if not found or found["status"] != status or words not in found["message"]:
                return None
            return found if reason in (None, found["reason"]) else None

        try:
            return wait_until(there, what=f"{name} is Ready={status} {reason or ''} {words}", within=within)
        except AssertionError as error:
            error.add_note(f"its condition is {seen[0]}, its status {(self.project(name) or {}).get('status')}")
            raise

    def wait_gone(self, name: str, *, within: float = 30, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Wait until a project is gone, doing something each time it is not."""
        wait_until(lambda: self.project(name) is None or meanwhile(), what=f"{name} is gone", within=within)

    def environment(self, name: str, environment: str) -> Manifest:
        """Return the status of one environment."""
        found = self.project(name)
        assert found is not None
        return next(item for item in found["status"]["environments"] if item["name"] == environment)

    def change_policy(self, **spec: Any) -> None:
        """Change fields of the policy, and wait until the operator has accepted it.

        Policies and projects are watched apart: what is declared next may else be looked at under the former one.
        """
        changed = self.api.patch(POLICY, {"spec": spec})

        def accepted() -> bool:
            status = (self.api.get(POLICY) or {}).get("status", {})
            current = status.get("observedGeneration") == changed["metadata"]["generation"]
            return current and any((item["type"], item["status"]) == ("Ready", "True") for item in status["conditions"])

        wait_until(accepted, what=f"the policy is accepted with {spec}")

    def fence(self, name: str) -> None:
        """Onboard another project, so that whatever the operator was told before has had its pass."""
        self.declare(name)
        self.wait(name)

    def one(self, kind: ChildKind, name: str, namespace: str = "") -> Manifest | None:
        """Return one object of a kind that the operator makes."""
        return self.api.get(kind.path(namespace, name))

    def live(self, name: str) -> dict[ObjectKey, Manifest]:
        """Return every object that carries a project's labels."""
        selector = f"{names.LABEL_PROJECT}={name}"
        return {
            ObjectKey(HUB, kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]): item
            for kind in CHILD_KINDS
            for item in self.api.items(kind.path(), selector)
        }

    def wanted(self, name: str) -> list[Wanted]:
        """Return what the builders make of the admitted revisions of a project's namespaces."""
        namespaces = self.api.items(NAMESPACE.path(), f"{names.LABEL_PROJECT}={name}")
        annotations = [item["metadata"]["annotations"][names.ANNOTATION_ADMITTED] for item in namespaces]
        owner = owner_of(namespaces[0]["metadata"]["labels"])
        assert isinstance(owner, Owner)
        return build_wanted(owner, [Revision.parse(text) for text in annotations])

    def faults(self, name: str) -> list[str]:
        """Return every difference between what a project's revisions ask for and what carries its labels."""
        live, wanted = self.live(name), self.wanted(name)
        missing = [f"{item.key} is missing" for item in wanted if item.key not in live]
        extra = [f"{key} is too much" for key in live.keys() - {item.key for item in wanted}]
        present = [item for item in wanted if item.key in live]
        changes = [diff_object(item, cached_object_of(item.key.kind, live[item.key])) for item in present]
        return missing + extra + [str(change) for change in changes if change]

    def release_applications(self, name: str) -> None:
        """Play Argo CD: take the cascade finalizer off the Applications that are being deleted."""
        for key, item in self.live(name).items():
            if key.kind is APPLICATION and "deletionTimestamp" in item["metadata"]:
                self.api.patch(APPLICATION.path(ARGOCD, key.name), {"metadata": {"finalizers": None}})


def released_from(item: Manifest) -> Manifest:
    """Return where a released object says it came from."""
    return orjson.loads(item["metadata"]["annotations"][names.ANNOTATION_RELEASED])


def own_labels(item: Manifest) -> set[str]:
    """Return the labels of an object that are ours."""
    labels = item["metadata"].get("labels") or {}
    return {label for label in labels if label.startswith(f"{names.GROUP}/") or label == names.LABEL_MANAGED_BY}
