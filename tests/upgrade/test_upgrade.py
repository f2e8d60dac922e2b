"""What an earlier version has left stays as it is: no decision becomes void, and no namespace changes.

A release that changes namespaces on purpose says so in CHANGED_BY_THIS_RELEASE, in the words of a reader of the
changelog, and says which writes belong to it; with the release it is emptied.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import CHILD_KINDS, NAMESPACE, Manifest
from tests.support.api import Api
from tests.support.audit import Audit, Write
from tests.support.hub import Hub, own_labels
from tests.support.installing import ROOT
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until
from tests.upgrade import detached, fixture, plane
from tests.upgrade.load import load, of_kind, path

CHANGED_BY_THIS_RELEASE: dict[str, Callable[[Write], bool]] = {
    "The annotation admitted of an environment behind an approval gets the fields that the approval covers": (
        lambda write: write.resource == "namespaces"
    )
}
"""By the sentence of the changelog, which writes belong to it: ``lambda write: write.resource == "resourcequotas"``."""

CHANGED_CONDITIONS = {"PrerequisitesMet", "Provisioned", "UpToDate"}
"""Conditions that this release gives another meaning, or adds; the changelog says so."""
# The stage is left out, too: a gate that opens environments counts as passed only with one at it or behind it.
CHANGED_REASONS = {"Refused": "Held"}
"""Reasons of now for what an earlier version gave another one; the changelog says so."""

SCENES = sorted(
    file.relative_to(fixture.HERE).with_suffix("").as_posix()
    for file in fixture.HERE.glob("*/*.yaml")
    if file.name not in (fixture.DEFINITIONS, fixture.MANIFESTS)
)
CHILDREN = {kind.plural for kind in CHILD_KINDS}
FENCE = "fence"
DETACHING, PROJECT = "default", "everything"
"""The scene and its project that the environments were detached from."""
BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"


@dataclass(frozen=True)
class Upgraded:
    """A control plane with what a version has left, and the definitions and manifests of now."""

    hub: Hub
    policy: str
    left: list[Manifest]

    def projects(self) -> list[Manifest]:
        """Return the projects as they were recorded."""
        return of_kind(self.left, "ProjectOnboarding")


@dataclass(frozen=True)
class LookedAt:
    """The same, after the operator of now has looked at every project."""

    upgraded: Upgraded
    writes: list[Write]


@pytest.fixture(scope="module", params=SCENES)
def upgraded(request: pytest.FixtureRequest) -> Iterator[Upgraded]:
    """Install the earlier version, load what it has left, and upgrade as docs/upgrade.md says."""
    version, _, scene = request.param.partition("/")
    folder = fixture.HERE / version
    with ControlPlane.start(f"upgrade-{scene}") as cluster:
        plane.install(cluster, fixture.read(folder / fixture.DEFINITIONS), fixture.read(folder / fixture.MANIFESTS))
        left = load(cluster, fixture.read(folder / f"{scene}.yaml"))
        if scene == DETACHING:
            _detach(cluster, left)
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(ROOT / "crds"))
        cluster.kubectl("apply", "--server-side", "-k", str(ROOT / "manifests/install"))
        # As the page says, and as Helm and tools that prune do.
        cluster.kubectl("delete", "validatingadmissionpolicy", names.FORMER_DETACHED_BINDING, "--ignore-not-found")
        yield Upgraded(Hub(cluster), scene, left)


def _detach(cluster: ControlPlane, left: list[Manifest]) -> None:
    """Leave two environments as they were detached: one under the first binding that there was, one before it."""
    cluster.apply(*fixture.read(fixture.HERE / detached.GUARD))
    found = Api(cluster).get(f"{BINDINGS}/{names.FORMER_DETACHED_BINDING}")
    assert found is not None
    guarded = detached.detached(left, PROJECT, "dev", "guarded", found["metadata"]["uid"])
    cluster.apply(*guarded, *detached.detached(left, PROJECT, "dev", "earlier"))


@pytest.fixture(scope="module")
def looked_at(upgraded: Upgraded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LookedAt]:
    hub = upgraded.hub
    audit = Audit(hub.cluster)
    operator = OperatorProcess.on(hub.cluster, tmp_path_factory.mktemp("operator"), policy=upgraded.policy)
    expected = len(upgraded.projects())
    wait_until(lambda: _passes(operator) >= expected, what=f"{expected} projects have had their pass")
    hub.declare(FENCE)
    wait_until(lambda: hub.condition(FENCE), what="a project that is declared last has had its pass")
    yield LookedAt(upgraded, [write for write in audit.of_objects() if not write.about(FENCE)])
    operator.stop()


def _passes(operator: OperatorProcess) -> float:
    lines = operator.get("/metrics").splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("onboarding_reconcile_total"))


def test_there_is_something_to_keep() -> None:
    """A version is recorded, with decisions and admitted environments."""
    assert SCENES


def test_what_is_stored_is_valid_now(upgraded: Upgraded) -> None:
    """The server takes an update of each stored object that changes nothing, as a finalizer's removal is one."""
    hub = upgraded.hub
    ours = of_kind(upgraded.left, "HostingTarget", "OnboardingPolicy", "ProjectOnboarding", "OnboardingDecision")
    assert ours
    for item in ours:
        stored = hub.api.get(path(item))
        assert stored is not None
        for subresource in ("", "/status") if "status" in stored else ("",):
            answer = hub.api.request("PUT", path(item) + subresource, query={"dryRun": "All"}, body=stored)
            assert answer["spec"] == stored["spec"]


def test_a_stored_policy_keeps_the_access_that_it_gave(upgraded: Upgraded) -> None:
    """The former field is not cut, and no default of the present one hides it."""
    for item in of_kind(upgraded.left, "OnboardingPolicy"):
        stored = upgraded.hub.api.get(path(item))
        assert stored is not None
        assert stored["spec"]["releasedAccess"] == item["spec"]["releasedAccess"]
        assert "detachedAccess" not in stored["spec"]


def test_no_namespace_changes(looked_at: LookedAt) -> None:
    """The operator of now writes to nothing that it finds, but for what this release says that it changes."""
    named = CHANGED_BY_THIS_RELEASE.values()
    changed = [write for write in looked_at.writes if write.resource.partition("/")[0] in CHILDREN]
    assert [write for write in changed if not any(belongs(write) for belongs in named)] == []


def test_every_decision_counts_as_it_did(looked_at: LookedAt) -> None:
    """No gate calls a decision void, and gates, conditions and environments stand where they stood."""
    hub = looked_at.upgraded.hub
    for item in looked_at.upgraded.projects():
        found = hub.project(item["metadata"]["name"])
        assert found is not None
        assert found["status"]["observedGeneration"] == found["metadata"]["generation"]
        assert _standing(found["status"]) == _standing(item["status"]), item["metadata"]["name"]
        assert [gate["void"] for gate in found["status"].get("gates", ()) if gate.get("void")] == []


def _standing(status: Manifest) -> dict[str, Any]:
    """Return what a status says, without the words that it says it in."""
    conditions = {
        item["type"]: (item["status"], CHANGED_REASONS.get(item["reason"], item["reason"]))
        for item in status["conditions"]
        if item["type"] not in {*CHANGED_CONDITIONS, "Stalled"}
    }
    environments = {
        item["name"]: (
            "held" in item,
            [(site["name"], site["state"], site.get("namespace")) for site in item.get("sites", ())],
        )
        for item in status.get("environments", ())
    }
    return {
        "conditions": conditions,
        "gates": [(gate["name"], gate["state"]) for gate in status.get("gates", ())],
        "environments": environments,
    }


def test_a_deletion_that_was_confirmed_then_goes_through_now(looked_at: LookedAt) -> None:
    """A ConfirmDelete of then counts: the project goes without anybody being asked again."""
    hub = looked_at.upgraded.hub
    confirmed = {
        item["spec"]["project"]["name"]
        for item in of_kind(looked_at.upgraded.left, "OnboardingDecision")
        if item["spec"]["decision"] == "ConfirmDelete"
    }
    assert confirmed
    for name in confirmed:
        hub.delete(name)
        # Argo CD's controllers do not run here.
        hub.wait_gone(name, within=60, meanwhile=lambda name=name: hub.finish_applications(name))


@pytest.mark.parametrize("upgraded", [scene for scene in SCENES if scene.endswith(f"/{DETACHING}")], indirect=True)
def test_what_was_detached_then_comes_back_now(looked_at: LookedAt) -> None:
    """Under the binding of then; what was detached before there was one, once an administrator has confirmed it."""
    hub = looked_at.upgraded.hub
    before = {name: hub.one(NAMESPACE, f"{PROJECT}-{name}") for name in ("guarded", "earlier")}
    (project,) = [item for item in looked_at.upgraded.projects() if item["metadata"]["name"] == PROJECT]
    wanted = [*project["spec"]["environments"], *({"name": name, "stage": "dev"} for name in before)]
    hub.api.patch(path(project), {"spec": {"environments": wanted}})
    assert "nothing is lost" in hub.wait(PROJECT, "False", "Conflict", within=60)["message"]
    assert hub.one(NAMESPACE, f"{PROJECT}-earlier") == before["earlier"]
    assert own_labels(hub.one(NAMESPACE, f"{PROJECT}-guarded"))
    origin = json.loads(before["earlier"]["metadata"]["annotations"][names.ANNOTATION_RELEASED])
    origin["guard"] = hub.api.get(f"{BINDINGS}/{names.GUARD_POLICIES[-1]}")["metadata"]["uid"]
    confirmed = {names.ANNOTATION_RELEASED: json.dumps(origin, separators=(",", ":"))}
    hub.api.patch(NAMESPACE.path(name=f"{PROJECT}-earlier"), {"metadata": {"annotations": confirmed}})
    hub.wait(PROJECT, within=60)
    assert hub.faults(PROJECT) == []
    for name, then in before.items():
        now = hub.one(NAMESPACE, f"{PROJECT}-{name}")
        assert now["metadata"]["uid"] == then["metadata"]["uid"]
        assert names.ANNOTATION_RELEASED not in now["metadata"]["annotations"]
