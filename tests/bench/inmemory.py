"""A stage in memory for the reconciler: projects, one cluster and an outside world, without any server."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from onboarding.adapters.store import Store
from onboarding.build.kinds import HUB, Manifest, ObjectKey
from onboarding.checks import probe
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.foreign import ForeignObject
from onboarding.reconcile.observed.ledgers import NamespaceLedger
from onboarding.reconcile.observed.platform import POLICIES, TARGETS
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import ClusterState, Project
from onboarding.reconcile.observed.validity import RoleState
from tests.support.installing import ROOT
from tests.unit.fakes import merged

NOW = datetime(2026, 6, 1, tzinfo=UTC)
POLICY = "cloud-pi-native"
_YEAR = timedelta(days=365)
_PROFILE = ROOT / "manifests/profiles/cloud-pi-native"


class Outside:
    """An outside world in which everything is as it should be."""

    def __init__(self) -> None:
        self._answers: dict[Any, probe.Answer[Any]] = {}

    def get(self, request: Any) -> probe.Answer[Any]:
        """Answer at once."""
        known = self._answers.get(request)
        if known is None:
            known = self._answers[request] = probe.Answer(_FACTS[type(request)](request), "", NOW)
        return known

    def ask_again(self, at: datetime) -> None:
        """Find the same of everything at a later time."""
        for request in self._answers:
            self._answers[request] = probe.Answer(_FACTS[type(request)](request), "", at)

    def follow(self, project: str, requests: Any, *, urgent: bool) -> None:
        """Need no questions."""

    def forget(self, project: str) -> None:
        """Need no questions."""


class NoSecrets:
    """No repository needs a login."""

    def source(self, name: str) -> None:
        """Know none."""


class Memory:
    """A cluster in memory: the operator's own cache, and writes that go straight into it."""

    def __init__(self, ledger: NamespaceLedger) -> None:
        self.state = ClusterState()
        self.writes = 0
        self._objects: dict[ObjectKey, Manifest] = {}
        self._store = Store(HUB, lambda _project: None, ledger)

    def cached(self, key: ObjectKey) -> CachedObject | None:
        """Return what the cache knows."""
        return self._store.get(key)

    def owned(self, project: str) -> dict[ObjectKey, CachedObject]:
        """Return what the cache knows of a project."""
        return self._store.owned(project)

    def follow(self, key: ObjectKey, project: str) -> CachedObject | None:
        """Return what the cache knows."""
        return self._store.follow(key, project)

    def unfollow(self, project: str) -> None:
        """Tell a project no more of what is not its own."""
        self._store.unfollow(project)

    def gone(self, _project: str) -> dict[ObjectKey, Any]:
        """Lose nothing."""
        return {}

    def forget_gone(self, project: str, keys: Any) -> None:
        """Have nothing to forget."""

    def foreign(self, _namespace: str) -> tuple[ForeignObject, ...]:
        """Have nobody else there."""
        return ()

    async def create(self, key: ObjectKey, manifest: Manifest) -> CachedObject:
        """Keep an object as the server would, with what its controllers say of it."""
        told = {"status": {"health": {"status": "Healthy"}}} if key.kind.kind == "Application" else {}
        return self._keep(key, merged({**manifest, **told}, {"metadata": {"uid": f"uid-{self.writes}"}}))

    async def change(self, key: ObjectKey, patch: Manifest, _live: CachedObject) -> CachedObject:
        """Merge-patch an object."""
        return self._keep(key, merged(self._objects[key], patch))

    async def delete(self, key: ObjectKey, live: CachedObject) -> bool:
        """Delete an object at once."""
        self.writes += 1
        del self._objects[key]
        self._store.remove(key, live.uid)
        return True

    async def read(self, key: ObjectKey) -> Manifest | None:
        """Never be asked."""
        raise AssertionError(f"a pass read {key}")

    def _keep(self, key: ObjectKey, manifest: Manifest) -> CachedObject:
        self.writes += 1
        in_force = {"status": {"hard": manifest["spec"]["hard"]}} if key.kind.kind == "ResourceQuota" else {}
        self._objects[key] = merged({**manifest, **in_force}, {"metadata": {"resourceVersion": str(self.writes)}})
        return self._store.on_write(key.kind, self._objects[key])


class Projects:
    """The projects, as the API server keeps them."""

    def __init__(self, declared: ProjectCache) -> None:
        self.writes = 0
        self._declared = declared
        self._bodies: dict[str, dict[str, Any]] = {}
        self._version = 0
        self.told: list[str] = []
        """Notes of the Events about the policy."""

    def declare(self, name: str, spec: dict[str, Any], **more: Any) -> None:
        """Let a project be there, with more metadata if given."""
        metadata = {"name": name, "uid": uid_of(name), "generation": self.generation(name, spec), **more}
        self._put(name, {"metadata": metadata, "spec": spec, "status": self.status(name)})

    def hand_over(self, declared: ProjectCache) -> None:
        """Let another process read everything, and keep what is written from now on."""
        self._declared = declared
        for body in self._bodies.values():
            declared.put_project(body)

    def generation(self, name: str, spec: dict[str, Any]) -> int:
        """Return the generation of a project with this spec: a change of the spec is the next one."""
        known = self._bodies.get(name)
        if known is None:
            return 1
        now: int = known["metadata"]["generation"]
        return now if known["spec"] == spec else now + 1

    def status(self, name: str) -> dict[str, Any]:
        """Return the status of a project."""
        known: dict[str, Any] = self._bodies[name]["status"] if name in self._bodies else {}
        return known

    async def write_status(self, name: str, status: dict[str, Any]) -> None:
        """Keep a status."""
        self.writes += 1
        self._put(name, {**self._bodies[name], "status": status})

    async def write_finalizers(self, project: Project, finalizers: tuple[str, ...]) -> None:
        """Keep the finalizers."""
        self.writes += 1
        body = self._bodies[project.name]
        self._put(project.name, {**body, "metadata": {**body["metadata"], "finalizers": list(finalizers)}})

    async def post_events(self, project: Project, events: Any) -> None:
        """Tell nobody."""

    async def post_policy_events(self, _uid: str, events: Any) -> None:
        """Keep what the platform is told."""
        self.told += [event.note for event in events]

    def _put(self, name: str, body: dict[str, Any]) -> None:
        self._version += 1
        self._bodies[name] = merged(body, {"metadata": {"resourceVersion": str(self._version)}})
        self._declared.put_project(self._bodies[name])


def offer(declared: ProjectCache) -> None:
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
    policy, problem = declared.policy(POLICY)
    assert policy is not None, problem


def uid_of(name: str) -> str:
    """Return the UID of a project."""
    return f"00000000-0000-4000-8000-{name[-4:]:0>12}"


def _workloads() -> probe.WorkloadsFacts:
    amounts = {"cpu": "100m", "memory": "64Mi"}
    labels = dict.fromkeys(("app", "env", "tier", "criticality", "component"), "x")
    workloads = tuple(
        probe.Workload(
            kind="Deployment",
            name=name,
            labels=labels,
            containers=(
                probe.WorkloadContainer(
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


_FACTS: dict[type[probe.Request[Any]], Callable[[Any], Any]] = {
    probe.RepositoryRequest: lambda _: probe.RepositoryFacts(found=True, commit="c", path_found=True),
    probe.GroupRequest: lambda _: probe.GroupFacts(found=True),
    probe.ImageRequest: lambda _: probe.ImageFacts(found=True, digest="sha256:0", platforms=("linux/amd64",)),
    probe.WorkloadsRequest: lambda _: _workloads(),
    probe.DnsRequest: lambda _: probe.DnsFacts(("192.0.2.1",)),
    probe.CertificateRequest: lambda request: probe.CertificateFacts(
        (request.host,), matches=True, not_after=NOW + _YEAR, trusted=True
    ),
    probe.EndpointRequest: lambda _: probe.EndpointFacts(200),
}
"""The good facts of each kind of request."""
