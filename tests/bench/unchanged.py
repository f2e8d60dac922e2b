"""Part ``unchanged``: what a pass costs over a project of which nothing has changed, under every check there is.

It runs in this process, with the operator's own caches, because the CPU of a single pass is what counts: no API server
is asked, and none may be.
"""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import yaml

from onboarding.adapters.store import Store
from onboarding.api.status import GateState
from onboarding.build.kinds import HUB, Manifest, ObjectKey
from onboarding.checks import probe
from onboarding.reconcile.declared import Declared
from onboarding.reconcile.ledger import Ledger
from onboarding.reconcile.live import Live
from onboarding.reconcile.observe import Observer
from onboarding.reconcile.offered import POLICIES, TARGETS
from onboarding.reconcile.reconciler import Reconciler
from onboarding.reconcile.validity import RoleState
from onboarding.reconcile.world import ClusterState, Project
from tests.bench.figures import Result, percentile
from tests.bench.progress import Progress
from tests.support.installing import ROOT
from tests.unit.fakes import merged

PART = "unchanged"
MILLISECONDS_LIMIT = 3
_PROFILE = ROOT / "manifests/profiles/cloud-pi-native"
_NOW = datetime(2026, 6, 1, tzinfo=UTC)
_LATER = "2027-06-01T00:00:00Z"
_POLICY = "cloud-pi-native"
_FIRST = "project-0000"


class _Outside:
    """An outside world in which everything is as it should be."""

    def __init__(self) -> None:
        self._answers: dict[Any, probe.Answer[Any]] = {}

    def get(self, request: Any) -> probe.Answer[Any]:
        """Answer at once."""
        if request not in self._answers:
            self._answers[request] = probe.Answer(_facts(request), "", _NOW)
        return self._answers[request]

    def follow(self, project: str, requests: Any, *, urgent: bool) -> None:
        """Need no questions."""

    def forget(self, project: str) -> None:
        """Need no questions."""


class _NoSecrets:
    """No repository needs a login."""

    def source(self, name: str) -> None:
        """Know none."""


class _Memory:
    """A cluster in memory: the operator's own cache, and writes that go straight into it."""

    state = ClusterState()

    def __init__(self, ledger: Ledger) -> None:
        self.writes = 0
        self._objects: dict[ObjectKey, Manifest] = {}
        self._store = Store(HUB, lambda _project: None, ledger)

    def cached(self, key: ObjectKey) -> Live | None:
        """Return what the cache knows."""
        return self._store.get(key)

    def owned(self, project: str) -> dict[ObjectKey, Live]:
        """Return what the cache knows of a project."""
        return self._store.owned(project)

    async def create(self, key: ObjectKey, manifest: Manifest) -> None:
        """Keep an object as the server would."""
        told = {"status": {"health": {"status": "Healthy"}}} if key.kind.kind == "Application" else {}
        self._keep(key, merged({**manifest, **told}, {"metadata": {"uid": f"uid-{self.writes}"}}))

    async def change(self, key: ObjectKey, patch: Manifest, live: Live) -> None:
        """Merge-patch an object."""
        self._keep(key, merged(self._objects[key], patch))

    async def delete(self, key: ObjectKey, live: Live) -> bool:
        """Count."""
        self.writes += 1
        return True

    async def read(self, key: ObjectKey) -> Manifest | None:
        """Never be asked."""
        raise AssertionError(f"a pass read {key}")

    def _keep(self, key: ObjectKey, manifest: Manifest) -> None:
        self.writes += 1
        self._objects[key] = merged(manifest, {"metadata": {"resourceVersion": str(self.writes)}})
        self._store.wrote(key.kind, self._objects[key])


class _Projects:
    """The projects, as the API server keeps them."""

    def __init__(self, declared: Declared) -> None:
        self.writes = 0
        self._declared = declared
        self._bodies: dict[str, dict[str, Any]] = {}
        self._version = 0

    def declare(self, name: str, spec: dict[str, Any]) -> None:
        """Let a project be there."""
        metadata = {"name": name, "uid": _uid(name), "generation": 1}
        self._put(name, {"metadata": metadata, "spec": spec, "status": {}})

    def status(self, name: str) -> dict[str, Any]:
        """Return the status of a project."""
        return self._bodies[name]["status"]

    async def write_status(self, name: str, status: dict[str, Any]) -> None:
        """Keep a status."""
        self.writes += 1
        self._put(name, {**self._bodies[name], "status": status})

    async def write_finalizers(self, project: Project, finalizers: tuple[str, ...]) -> None:
        """Keep the finalizers."""
        self.writes += 1
        body = self._bodies[project.name]
        self._put(project.name, {**body, "metadata": {**body["metadata"], "finalizers": list(finalizers)}})

    async def announce(self, project: Project, announcements: Any) -> None:
        """Tell nobody."""

    def _put(self, name: str, body: dict[str, Any]) -> None:
        self._version += 1
        self._bodies[name] = merged(body, {"metadata": {"resourceVersion": str(self._version)}})
        self._declared.put_project(self._bodies[name])


def measure_unchanged(projects: int, progress: Progress) -> Result:
    """Bring the projects before the door to production, and then look at them again."""
    return asyncio.run(_measure(projects, progress))


async def _measure(projects: int, progress: Progress) -> Result:
    declared, ledger, outside = Declared(), Ledger("bench", lambda _project: None), _Outside()
    cluster, hub = _Memory(ledger), _Projects(declared)
    _offer(declared)
    observer = Observer(
        declared,
        {HUB: cluster},
        installation="bench",
        policy=_POLICY,
        clock=lambda: _NOW,
        answers=outside,
        ledger=ledger,
        teardown_hold=lambda: "",
    )
    reconciler = Reconciler(observer, {HUB: cluster}, hub, outside, ledger, _NoSecrets())
    progress.tell(f"bringing {projects} projects before the door to production, in memory")
    for index in range(projects):
        progress.show(index, projects)
        name = f"project-{index:04}"
        hub.declare(name, _spec())
        await _walk(declared, reconciler, hub, name)
    assert _doors(hub, _FIRST)["production"] == GateState.HELD, hub.status(_FIRST)
    return await _look_again(reconciler, cluster, hub, projects)


async def _look_again(reconciler: Reconciler, cluster: _Memory, hub: _Projects, projects: int) -> Result:
    before = cluster.writes + hub.writes
    costs = []
    for index in range(projects):
        began = time.process_time()
        await reconciler.reconcile(f"project-{index:04}")
        costs.append(1000 * (time.process_time() - began))
    result = Result(details={"projects": projects, "milliseconds of CPU": sorted(costs)[:: max(1, projects // 20)]})
    result.exactly(PART, f"writes over {projects} projects", cluster.writes + hub.writes - before, 0)
    result.at_most(PART, "CPU per pass, mean", sum(costs) / projects, MILLISECONDS_LIMIT, " ms")
    result.at_most(PART, "CPU per pass, p99", percentile(costs, 0.99), MILLISECONDS_LIMIT, " ms")
    return result


async def _walk(declared: Declared, reconciler: Reconciler, hub: _Projects, name: str) -> None:
    """Decide whatever the doors before production ask for."""
    for _ in range(12):
        await reconciler.reconcile(name)
        if _doors(hub, name).get("production") == GateState.HELD:
            # What a pass has written, the next one reports.
            await reconciler.reconcile(name)
            await reconciler.reconcile(name)
            return
        for number, decision in enumerate(_decisions(hub, name)):
            declared.put_decision(f"{name}-{number}-{decision.get('gate')}{decision.get('check')}", decision)
    raise AssertionError(f"{name} does not come to the door: {hub.status(name)}")


def _decisions(hub: _Projects, name: str) -> Iterator[dict[str, Any]]:
    status = hub.status(name)
    about = {"project": {"name": name, "uid": _uid(name)}, "by": {"username": "decider"}, "reason": "bench"}
    for gate in status["gates"]:
        if gate["name"] in ("awareness", "cloud-pi") and "digest" in gate:
            approval = "demand-pilot" if gate["name"] == "awareness" else "service-team"
            given = {"gate": gate["name"], "approval": approval, "digest": gate["digest"]}
            yield {**about, "decision": "Approve", **given}
    for check in status.get("checks", ()):
        if "digest" in check and check["gate"] != "production":
            given = {"check": check["id"], "digest": check["digest"], "expires": _LATER}
            yield {**about, "decision": "Attest", **given}


def _offer(declared: Declared) -> None:
    """Offer the profile, with every site on the one cluster."""
    for file in sorted(_PROFILE.glob("*.yaml")):
        manifest = yaml.safe_load(file.read_text())
        plural = {"OnboardingPolicy": POLICIES, "HostingTarget": TARGETS}.get(manifest["kind"])
        if plural is None or file.stem not in ("policy", "target-acceleration", "target-cloud-pi-np"):
            continue
        if plural == TARGETS:
            manifest["spec"]["sites"] = [{"name": "here"}]
        stamp = {"uid": file.stem, "generation": 1, "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
        manifest["metadata"] |= stamp
        declared.offered.put(plural, manifest)
    declared.offered.know_roles(dict.fromkeys(declared.offered.unasked_roles(), RoleState.USABLE))
    policy, problem = declared.policy(_POLICY)
    assert policy is not None, problem


def _spec() -> dict[str, Any]:
    person = {"name": "Claire", "email": "claire@example.org"}
    roles = ("development", "operations", "test")
    return {
        "owner": person,
        "sponsor": {"name": "Sam", "email": "sam@example.org"},
        "objectives": ["Shorter files"],
        "organisation": {"name": "Interior"},
        "team": {
            "people": [{"name": role, "email": f"{role}@example.org", "roles": [role]} for role in roles],
            "groups": {"admin": ["admins"], "developer": ["developers"], "viewer": ["viewers"]},
            "poa": {"name": "Paul", "email": "paul@example.org"},
        },
        "repositories": [{"name": "app", "url": "https://git.example.org/app.git"}],
        "flows": [{"name": "directory", "zone": "s3", "port": 443, "justification": "Files"}],
        "environments": [
            {"name": "dev", "stage": "dev", "target": "acceleration"},
            {"name": "preprod", "stage": "preprod", "target": "cloud-pi-np"},
            {"name": "prod", "stage": "prod", "target": "cloud-pi-np"},
        ],
    }


def _facts(request: Any) -> Any:
    match request:
        case probe.RepositoryRequest():
            return probe.RepositoryFacts(found=True, commit="c", path_found=True)
        case probe.GroupRequest():
            return probe.GroupFacts(found=True)
        case probe.ImageRequest():
            return probe.ImageFacts(found=True, digest="sha256:0", platforms=("linux/amd64",))
        case probe.WorkloadsRequest():
            return _workloads()
    raise AssertionError(f"{request} is not asked by these projects")


def _workloads() -> probe.WorkloadsFacts:
    amounts = {"cpu": "100m", "memory": "64Mi"}
    labels = dict.fromkeys(("app", "env", "tier", "criticality", "component"), "x")
    workloads = tuple(
        probe.Workload(
            kind="Deployment",
            name=name,
            labels=labels,
            containers=(
                probe.Container(
                    name=name,
                    image=f"registry.example.org/{name}:v1",
                    readiness=True,
                    liveness=True,
                    requests=amounts,
                    limits=amounts,
                    ports=(8080,),
                    run_as_non_root=True,
                ),
            ),
            replicas=2,
            spread=True,
        )
        for name in ("api", "web", "worker")
    )
    protected = tuple(f"Deployment/{workload.name}" for workload in workloads)
    return probe.WorkloadsFacts(
        workloads=workloads, protected=protected, monitors=("ServiceMonitor/api",), schedules=("daily",)
    )


def _doors(hub: _Projects, name: str) -> dict[str, str]:
    return {gate["name"]: gate["state"] for gate in hub.status(name).get("gates", ())}


def _uid(name: str) -> str:
    return f"00000000-0000-4000-8000-{name[-4:]:0>12}"
