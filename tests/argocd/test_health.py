"""The health that Argo CD shows of our kinds follows their conditions, run by the Lua machine of its controllers."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster.builds import ARGOCD
from devcluster.crds import argocd_manifests
from devcluster.judgement import run_script, validate_projects
from onboarding import names
from onboarding.api.conditions import Reason
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.observed.validity import Validity, status_due
from onboarding.reconcile.status import ready
from tests.unit.reconcile.plan.test_foreign import guarded
from tests.unit.situations import DEV, LIVE, SITUATIONS, outcome, status_of
from tests.unit.snapshots import NOW, snapshot_of, spec_of

# The first of them may find Argo CD not built yet.
pytestmark = pytest.mark.timeout(1200)

ROOT = Path(__file__).parents[2]
SCRIPTS: dict[str, str] = yaml.safe_load((ROOT / "manifests/argocd/health.yaml").read_text())["data"]
PREFIX = f"resource.customizations.health.{names.GROUP}_"

# By reason and status of Ready.
OF_PROJECTS = {
    (Reason.READY, "True"): "Healthy",
    (Reason.ENVIRONMENTS_HELD, "True"): "Healthy",
    (Reason.AWAITING_CONFIRMATION, "True"): "Healthy",
    (Reason.HELD, "False"): "Suspended",
    (Reason.PLANNED, "False"): "Suspended",
    (Reason.SUSPENDED, "False"): "Suspended",
    (Reason.APPLYING, "Unknown"): "Progressing",
    (Reason.REMOVING, "Unknown"): "Progressing",
    (Reason.RETRYING, "False"): "Progressing",
    (Reason.TARGET_UNREACHABLE, "False"): "Progressing",
    (Reason.CONFLICT, "False"): "Degraded",
    (Reason.FORMER_INCARNATION, "False"): "Degraded",
    (Reason.NEWER_THAN_OPERATOR, "False"): "Degraded",
    (Reason.REFUSED, "False"): "Degraded",
    (Reason.GUARD_MISSING, "False"): "Degraded",
    (Reason.ARGOCD_MISSING, "False"): "Degraded",
    (Reason.DRIFTED, "False"): "Degraded",
    (Reason.NAMESPACE_GONE, "False"): "Degraded",
    (Reason.TARGET_MISSING, "False"): "Degraded",
    (Reason.FOREIGN_GUARDS, "False"): "Degraded",
    # Of a project that is being deleted.
    (Reason.TEARING_DOWN, "Unknown"): "Progressing",
    (Reason.AWAITING_CONFIRMATION, "False"): "Suspended",
    (Reason.TEARDOWN_HELD, "False"): "Suspended",
}
OF_THE_PLATFORM = {
    Reason.ACCEPTED: "Healthy",
    Reason.INVALID: "Degraded",
    Reason.NEWER_THAN_OPERATOR: "Degraded",
    Reason.TARGET_UNREACHABLE: "Progressing",
    Reason.GUARD_MISSING: "Degraded",
}
UNLOOKED_AT = "the operator has not looked at this version yet"
NEVER_OF_READY = {
    Reason.CHECKS_PASSED,
    Reason.CHECKS_FAILED,
    Reason.NOT_REPORTED,
    Reason.NO_APPLICATIONS,
    Reason.APPLICATIONS_HEALTHY,
    Reason.APPLICATIONS_UNHEALTHY,
    Reason.PROVISIONED,
    Reason.INCOMPLETE,
    Reason.NOTHING_ADMITTED,
    Reason.UP_TO_DATE,
    Reason.SETTINGS_SAFE,
    Reason.SETTINGS_UNSAFE,
    Reason.SETTINGS_UNKNOWN,
}
GONE = snapshot_of(spec_of({**DEV, "size": "vast"}), status=status_of(snapshot_of(spec_of(DEV), LIVE)))
ORPHANED = snapshot_of(spec_of(DEV), LIVE, targets={})
EVERY_SITUATION: dict[str, tuple[Snapshot, Sequence[Outcome]]] = {
    **{name: situation[:2] for name, situation in SITUATIONS.items()},
    **{f"outcome {result}": (snapshot_of(spec_of(DEV)), [outcome(result)]) for result in ready._BY_RESULT},
    "a namespace is gone": (GONE, ()),
    "its target is gone": (ORPHANED, ()),
    "guard rails of others": (guarded(severity="Blocking"), ()),
    "a newer policy": (snapshot_of(spec_of(DEV), LIVE, policy=None, policy_problem="spec.x", policy_newer=True), ()),
}


def shown(status: Any, kind: str = "ProjectOnboarding", generation: int = 3) -> dict[str, str]:
    """Return what Argo CD shows of an object with this status, which is the same while it is being deleted."""
    metadata = {"name": "shop", "generation": generation}
    manifest = {"apiVersion": names.API_VERSION, "kind": kind, "metadata": metadata, "spec": {}}
    told = manifest if status is None else {**manifest, "status": status}
    found: dict[str, str] = run_script("health", SCRIPTS[PREFIX + kind], told)
    assert found.pop("deletionMessage", None) == (None if found["message"] == UNLOOKED_AT else found["message"])
    return found


def ready_of(status: dict[str, Any]) -> tuple[Reason, str]:
    (found,) = (item for item in status["conditions"] if item["type"] == "Ready")
    return Reason(found["reason"]), found["status"]


@pytest.mark.parametrize(("snapshot", "outcomes"), EVERY_SITUATION.values(), ids=EVERY_SITUATION)
def test_a_project_is_as_healthy_as_its_conditions_say(snapshot: Snapshot, outcomes: Sequence[Outcome]) -> None:
    status = status_of(snapshot, outcomes)
    found = shown(status, generation=snapshot.project.generation)
    assert found["status"] == OF_PROJECTS[ready_of(status)]
    message = next(item["message"] for item in status["conditions"] if item["type"] == "Ready")
    assert message in found["message"]


def test_there_is_no_reason_whose_health_is_not_decided() -> None:
    """A new reason has to be entered here, and a situation that gives it."""
    given = {ready_of(status_of(*situation)) for situation in EVERY_SITUATION.values()}
    assert given == OF_PROJECTS.keys()
    assert {reason for reason, _ in OF_PROJECTS} | OF_THE_PLATFORM.keys() | NEVER_OF_READY == set(Reason)


@pytest.mark.parametrize("kind", ["HostingTarget", "OnboardingPolicy"])
@pytest.mark.parametrize("reason", OF_THE_PLATFORM)
def test_a_policy_or_target_is_healthy_where_it_can_be_used(kind: str, reason: Reason) -> None:
    status = status_due(Validity(reason is Reason.ACCEPTED, reason, "it is so"), 3, {}, NOW)
    assert shown(status, kind) == {"status": OF_THE_PLATFORM[reason], "message": "it is so"}


READY = status_of(snapshot_of(spec_of(DEV), LIVE))
UNSEEN = {
    "no status": None,
    "the default of the definition": {"observedGeneration": -1},
    "an older generation": {**READY, "observedGeneration": 2},
    "no conditions": {"observedGeneration": 3},
    "empty conditions": {"observedGeneration": 3, "conditions": []},
}


@pytest.mark.parametrize("kind", ["HostingTarget", "OnboardingPolicy", "ProjectOnboarding"])
@pytest.mark.parametrize("status", UNSEEN.values(), ids=UNSEEN)
def test_what_nobody_has_looked_at_is_progressing(kind: str, status: Any) -> None:
    found = shown(status, kind)
    assert found == {"status": "Progressing", "message": UNLOOKED_AT}


def test_the_message_says_who_acts_next() -> None:
    calm = shown(READY)
    assert calm == {"status": "Healthy", "message": "1 of 1 environments are in place"}
    conflict = shown(status_of(snapshot_of(spec_of(DEV)), [outcome(Result.CONFLICT, message="somebody's")]))
    assert conflict == {"status": "Degraded", "message": "platform: somebody's"}
    held = status_of(snapshot_of(spec_of({**DEV, "size": "vast"})))
    first = held["nextActions"][0]
    assert shown(held)["message"].endswith(f"; next: {first['actor']}: {first['action']}")


def test_every_kind_that_has_a_status_has_its_health() -> None:
    """The keys are those under which Argo CD looks for a script."""
    kinds = set()
    for path in (ROOT / "crds").glob(f"{names.GROUP}_*.yaml"):
        spec = yaml.safe_load(path.read_text())["spec"]
        if "status" in spec["versions"][0]["schema"]["openAPIV3Schema"]["properties"]:
            kinds.add(spec["names"]["kind"])
    assert SCRIPTS.keys() == {PREFIX + kind for kind in kinds}


def test_a_kustomization_of_argo_cd_takes_the_scripts_in(tmp_path: Path) -> None:
    """The component adds them to the stock settings and takes none of these away."""
    stock = argocd_manifests() / "base/config/argocd-cm.yaml"
    (tmp_path / "argocd-cm.yaml").write_text(stock.read_text())
    component = os.path.relpath(ROOT / "manifests/argocd", tmp_path.resolve())
    kustomization = {"namespace": "gitops", "resources": ["argocd-cm.yaml"], "components": [component]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    kustomize = ARGOCD.folder(lambda _message: None) / "kustomize"
    built = subprocess.run([kustomize, "build", tmp_path], capture_output=True, text=True, check=True)
    assert yaml.safe_load(built.stdout)["data"] == {**yaml.safe_load(stock.read_text())["data"], **SCRIPTS}


def test_the_project_of_the_example_is_one_that_argo_cd_takes() -> None:
    manifests = yaml.safe_load_all((ROOT / "examples/gitops/access.yaml").read_text())
    assert validate_projects([item for item in manifests if item["kind"] == "AppProject"]) == [None]
