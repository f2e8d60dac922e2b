"""Walks on the server: projects side by side, edited by a requester and decided about by those who hold a role."""

import shutil
import time
from collections.abc import Iterable
from typing import Any, Final

from onboarding import names
from onboarding.build.kinds import APPLICATION, NAMESPACE, RESOURCE_QUOTA, ChildKind, Manifest
from onboarding.build.revision import Revision
from tests.api.test_workloads import CRDS
from tests.e2e.journey import Journey, compliant, in_time
from tests.support.api import Api
from tests.support.hub import PROJECTS, ROOT
from tests.support.installing import project
from tests.support.operator import WATCH_LAG
from tests.support.waiting import wait_until
from tests.support.walks import LONG, START, Turns, Walk

POLICY: Final = f"{ROOT}/onboardingpolicies/cloud-pi-native"
DECISIONS: Final = f"{ROOT}/onboardingdecisions"
GROUPS: Final = ("admins", "more")
"""The groups that a walk names as the project's administrators."""
IMAGE: Final = "walk:v1"
_QUIET: Final = 0.5 + 2 * WATCH_LAG
"""Seconds in which nothing may have changed, because watches report it later."""
_LOST: Final = (NAMESPACE, RESOURCE_QUOTA, APPLICATION)
_FENCE: Final = "walk-fence"
_REJECT: Final = {"decision": "Reject", "gate": "awareness", "approval": "demand-pilot"}
_DECIDERS: Final = {
    "awareness": "demand-pilot",
    "cloud-pi": "service-team",
    "production": "poa",
    "RunAcknowledged": "service-team",
    "FlowsOpened": "network",
    "SecurityAudited": "security",
    "HomologationDecided": "security",
}
"""The role that approves at a gate or attests a check."""
_RUN: Final = (
    ChildKind("apps", "v1", "Deployment", "deployments"),
    ChildKind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    *CRDS,
)


class Ground:
    """The server on which projects walk: what is there of each, and when all of them are settled."""

    def __init__(self, journey: Journey) -> None:
        self.journey = journey
        self.until = in_time(24 * 3600)
        self.projects: dict[str, Manifest] = {}
        self.objects: dict[str, list[tuple[ChildKind, Manifest]]] = {}
        self._people: dict[str, Api] = {}
        self._running: dict[str, bool] = {}
        self._mark: Any = None
        self._since = 0.0
        self._rejected = False

    def person(self, role: str, *more: str) -> Api:
        """Return requests as somebody who holds one of the example roles, and perhaps other groups besides."""
        user = "-".join((role, *more))
        if user not in self._people:
            kubeconfig = self.journey.person(role, *more).kubeconfig
            self._people[user] = Api(self.journey.hub.cluster, kubeconfig)
        return self._people[user]

    def declare(self, name: str, spec: dict[str, Any]) -> None:
        """Create or change a project as one of its administrators who holds the role of requesters."""
        written = {field: value for field, value in spec.items() if value is not None}
        self.person("requester", GROUPS[0]).apply(f"{PROJECTS}/{name}", project(name, **written))

    def settle(self, walks: Iterable["ServerWalk"]) -> None:
        """Wait until the operator has seen every edit and decision, and nothing changes any more; deploy what is new.

        Decisions are watched in their order, so that the operator has seen all of them when it has seen the last.
        """
        self._fence()
        self._wait()
        if self._deploy(walks):
            self._wait()

    def _fence(self) -> None:
        """Reject another project or take that back, and wait until its status tells."""
        if self._rejected:
            self.person("demand-pilot").delete(f"{DECISIONS}/{_FENCE}-fence")
        else:
            decision = self.journey.decision("demand-pilot", _FENCE, "fence", **_REJECT)
            self.person("demand-pilot").create(DECISIONS, decision)
        self._rejected = not self._rejected
        wait_until(self._told, what="the operator has seen all decisions")

    def _told(self) -> bool:
        gate = self.journey.gate(_FENCE, "awareness")
        return bool(gate) and any("Reject" in text for text in gate.get("waitingFor", ())) == self._rejected

    def _wait(self) -> None:
        self._mark = None
        wait_until(self._quiet, what="all walks are settled", within=60, every=0.15)

    def _quiet(self) -> bool:
        """Return whether nothing has changed for a while, with every generation observed and no work left."""
        self._look()
        counted = self.journey.operator.get("/metrics").splitlines()
        idle = "onboarding_workqueue_oldest_unfinished_seconds 0.0" in counted
        seen = all(
            item["status"].get("observedGeneration") == item["metadata"]["generation"]
            for item in self.projects.values()
        )
        versions = [item["metadata"]["resourceVersion"] for item in self.projects.values()]
        versions += [item["metadata"]["resourceVersion"] for items in self.objects.values() for _, item in items]
        probes = [line for line in counted if line.startswith("onboarding_probe_duration_seconds_count")]
        mark = versions, probes
        if not (idle and seen) or mark != self._mark:
            self._mark, self._since = mark, time.monotonic()
            return False
        return time.monotonic() - self._since >= _QUIET

    def _look(self) -> None:
        api = self.journey.hub.api
        self.projects = {
            item["metadata"]["name"]: item
            for item in api.items(PROJECTS)
            if item["metadata"]["name"].startswith("walk-")
        }
        self.objects = {name: [] for name in self.projects}
        for kind in _LOST:
            for item in api.items(kind.path(), names.LABEL_PROJECT):
                self.objects.get(item["metadata"]["labels"][names.LABEL_PROJECT], []).append((kind, item))

    def _deploy(self, walks: Iterable["ServerWalk"]) -> bool:
        """Play Argo CD where something is new: deploy a workload and report that it is healthy."""
        changed = False
        for walk in walks:
            for kind, item in self.objects.get(walk.name, ()):
                if kind is NAMESPACE and self._running.get(item["metadata"]["name"]) is not walk.good:
                    self._run(item["metadata"]["name"], good=walk.good)
                    changed = True
                if kind is APPLICATION and "health" not in item.get("status", {}):
                    self.journey.reports(item["metadata"]["name"], "Healthy")
                    changed = True
        return changed

    def _run(self, namespace: str, *, good: bool) -> None:
        self._running[namespace] = good
        paths = {kind.kind: kind for kind in _RUN}
        for manifest in compliant(namespace, f"{self.journey.outside.host}/{IMAGE}", {}):
            if manifest["kind"] == "Deployment" and not good:
                (container,) = manifest["spec"]["template"]["spec"]["containers"]
                del container["readinessProbe"], container["livenessProbe"]
            metadata = manifest["metadata"]
            path = paths[manifest["kind"]].path(metadata["namespace"], metadata["name"])
            self.journey.hub.api.apply(path, manifest)


class ServerWalk(Walk):
    """A project on the server."""

    def __init__(self, ground: Ground, name: str) -> None:
        self.name, self.until, self._ground = name, ground.until, ground
        super().__init__()

    @property
    def status(self) -> dict[str, Any]:
        """The status of the project."""
        status: dict[str, Any] = self._ground.projects[self.name]["status"]
        return status

    def url(self, name: str) -> str:
        """Return the URL of a repository of the Git server."""
        return f"https://{self._ground.journey.outside.host}/walk-{name}.git"

    @property
    def commits(self) -> tuple[str, str]:
        """The commits of both branches, the same in each repository."""
        git = self._ground.journey.outside.git
        main, other = (git.git(git.directory / "walk-app.git", "rev-parse", name) for name in ("main", "other"))
        return main, other

    def declare(self) -> None:
        """Apply the spec."""
        self._ground.declare(self.name, self.spec)

    def admitted(self) -> dict[str, Revision]:
        """Return the admitted revision of each namespace."""
        texts = {
            item["metadata"]["name"]: item["metadata"].get("annotations", {}).get(names.ANNOTATION_ADMITTED)
            for kind, item in self._ground.objects[self.name]
            if kind is NAMESPACE
        }
        return {name: Revision.parse(text) for name, text in texts.items() if text}

    def objects(self) -> set[tuple[str, str, str]]:
        """Return kind, namespace and name of what a team would miss."""
        return {
            (kind.kind, item["metadata"].get("namespace", ""), item["metadata"]["name"])
            for kind, item in self._ground.objects[self.name]
        }

    def run(self, *, good: bool) -> Turns:
        """Let everything that runs be in order or not; who comes back from a shorter journey is asked anew at once."""
        self.good = good
        yield
        if self.spec.get("journey") in LONG:
            former = self.spec
            self.spec = {**former, "journey": "workshop"}
            self.declare()
            yield
            self.spec = former
            self.declare()

    def submit(self, name: str, fields: dict[str, Any]) -> None:
        """Let somebody with the right to it create a decision."""
        decision = self._ground.journey.decision(_role(fields), self.name, name, **fields)
        self._ground.person(_role(fields)).create(DECISIONS, decision)

    def delete(self, name: str, fields: dict[str, Any]) -> None:
        """Let the author of a decision delete it."""
        self._ground.person(_role(fields)).delete(f"{DECISIONS}/{self.name}-{name}")


def _role(fields: dict[str, Any]) -> str:
    if fields["decision"] in ("Waive", "Suspend"):
        return "platform"
    return _DECIDERS[fields.get("gate") or fields["check"]]


def prepare(journey: Journey, walk_names: Iterable[str]) -> tuple[Ground, list[ServerWalk]]:
    """Let there be what the walks need outside the cluster, and a project for each."""
    git = journey.outside.git
    git.make("walk-app", {"kustomization.yaml": "resources: []\n"})
    tree = git.directory / "walk-app.tree"
    git.git(tree, "checkout", "-q", "-b", "other")
    git.git(tree, "commit", "-q", "--allow-empty", "-m", "second")
    git.git(tree, "push", "-q", str(git.directory / "walk-app.git"), "other")
    shutil.copytree(git.directory / "walk-app.git", git.directory / "walk-other.git")
    journey.outside.groups |= {*GROUPS, *(group for groups in START["team"]["groups"].values() for group in groups)}
    journey.outside.images.add(IMAGE)
    ground = Ground(journey)
    walks = [ServerWalk(ground, name) for name in walk_names]
    ground.declare(_FENCE, {**START, "repositories": []})
    for walk in walks:
        walk.declare()
    return ground, walks
