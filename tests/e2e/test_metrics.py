"""What the alerts read is what the operator finds: whether it is ready, and where the guard rails are missing."""

import os
import re
import subprocess
from pathlib import Path

from devcluster import ControlPlane
from devcluster.binaries import find_kubectl
from onboarding import names
from onboarding.build.kinds import NAMESPACE, NETWORK_POLICY
from tests.support.hub import ROOT, Hub
from tests.support.installing import ROOT as FILES
from tests.support.operator import OperatorProcess
from tests.support.people import Decider
from tests.support.waiting import wait_until

EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
GUARDS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"


def value(operator: OperatorProcess, sample: str) -> float | None:
    """Return the value of a sample; None where there is none."""
    found = re.search(rf"^{re.escape(sample)} (\S+)$", operator.get("/metrics"), re.MULTILINE)
    return float(found[1]) if found else None


def wait_for(operator: OperatorProcess, sample: str, wanted: float, *, within: float = 30) -> None:
    """Wait until a sample has a value."""
    wait_until(lambda: value(operator, sample) == wanted, what=f"{sample} is {wanted}", within=within)


def warnings(hub: Hub, name: str) -> dict[str, list[str]]:
    """Return the notes of the Warning Events about an object, by reason."""
    found: dict[str, list[str]] = {}
    for item in hub.api.items(EVENTS):
        if item["regarding"]["name"] == name and item["type"] == "Warning":
            found.setdefault(item["reason"], []).append(item["note"])
    return found


def test_the_operator_is_not_ready_while_the_hub_gives_no_answer(
    installed: ControlPlane, hub: Hub, operator: OperatorProcess
) -> None:
    """The metric follows /readyz, and is there to be scraped while that says no."""
    assert value(operator, "onboarding_ready") == 1
    installed.stop_part("kube-apiserver")
    try:
        wait_for(operator, "onboarding_ready", 0)
        assert operator.get("/readyz") == "", "it answers 503"
        # Nobody knows whether they are there.
        assert value(operator, 'onboarding_guard_missing{cluster="hub"}') is None
    finally:
        installed.start_part("kube-apiserver")
    wait_for(operator, "onboarding_ready", 1, within=60)


def test_a_cluster_without_guard_rails_is_told(installed: ControlPlane, hub: Hub, operator: OperatorProcess) -> None:
    """One binding that is missing is enough, and its return ends the alert."""
    sample = 'onboarding_guard_missing{cluster="hub"}'
    wait_for(operator, sample, 0)
    hub.declare("guarded")
    hub.wait("guarded")
    hub.api.delete(f"{GUARDS}/{names.GUARD_POLICIES[0]}")
    wait_for(operator, sample, 1)
    hub.declare("guarded", environments=[{"name": name, "stage": "dev"} for name in ("dev", "next")])
    wait_for(operator, 'onboarding_projects{reason="GuardMissing"}', 1)
    (site,) = re.findall(
        r'^onboarding_sites\{site="(\S+)",state="GuardMissing"', operator.get("/metrics"), re.MULTILINE
    )
    assert site
    for name in ("guarded", "in-cluster"):
        wait_until(lambda name=name: "GuardMissing" in warnings(hub, name), what=f"an Event on {name}")
    installed.kubectl("apply", "--server-side", "-k", str(FILES / "manifests/install"))
    wait_for(operator, sample, 0)


def test_a_repair_and_a_conflict_are_counted_and_told_in_events(
    installed: ControlPlane, hub: Hub, operator: OperatorProcess
) -> None:
    """An object that somebody deletes is repaired with a trace; a new environment leaves none."""
    repairs = 'onboarding_repairs_total{kind="NetworkPolicy"}'
    hub.declare("traced")
    hub.wait("traced")
    hub.declare("traced", environments=[{"name": name, "stage": "dev"} for name in ("dev", "next")])
    hub.wait("traced", words="2 of 2")
    assert warnings(hub, "traced") == {}
    before = value(operator, repairs) or 0
    hub.api.delete(NETWORK_POLICY.path("traced-dev", "default-deny"))
    wait_until(lambda: warnings(hub, "traced"), what="the repair is told")
    assert value(operator, repairs) == before + 1
    (note,) = warnings(hub, "traced")["DriftRepaired"]
    assert "NetworkPolicy traced-dev/default-deny (it was missing)" in note
    hub.api.create(NAMESPACE.path(), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fought-dev"}})
    hub.declare("fought")
    hub.wait("fought", "False", "Conflict")
    wait_for(operator, 'onboarding_projects{reason="Conflict"}', 1)
    assert len(warnings(hub, "fought")["Conflict"]) == 1
    assert value(operator, "onboarding_workqueue_oldest_unfinished_seconds") == 0
    hub.delete("fought")
    hub.wait_gone("fought")
    wait_until(
        lambda: value(operator, 'onboarding_projects{reason="Conflict"}') is None, what="a deleted project leaves none"
    )


def test_decisions_of_a_former_project_are_counted_and_go_by_the_documented_command(
    installed: ControlPlane, hub: Hub, operator: OperatorProcess, tmp_path: Path
) -> None:
    """The command deletes what is old and without a project, and nothing else."""
    pat = Decider(hub, "recording-person")
    for name in ("former", "present"):
        pat.confirm(f"about-{name}", name, hub.declare(name)["metadata"]["uid"])
        hub.wait(name)
    before = value(operator, "onboarding_orphaned_decisions")
    hub.delete("former")
    hub.wait_gone("former")
    wait_for(operator, "onboarding_orphaned_decisions", (before or 0) + 1)
    text = (FILES / "docs/off-boarding.md").read_text().partition("\n## Decisions of former projects\n")[2]
    script = text.partition("```sh\n")[2].partition("```")[0]
    path = f"{find_kubectl().parent}:{os.environ['PATH']}"
    for date, kept in (("2000-01-01T00:00:00Z", True), ("2999-01-01T00:00:00Z", False)):
        run = re.sub(r"^BEFORE=.*$", f"BEFORE={date}", script, flags=re.MULTILINE)
        environment = {"PATH": path, "KUBECONFIG": str(installed.kubeconfig), "HOME": str(tmp_path)}
        subprocess.run(["bash", "-euo", "pipefail", "-c", run], cwd=tmp_path, env=environment, check=True, timeout=60)
        assert (hub.api.get(f"{ROOT}/onboardingdecisions/about-former") is not None) == kept
    assert hub.api.get(f"{ROOT}/onboardingdecisions/about-present") is not None
    wait_for(operator, "onboarding_orphaned_decisions", 0)
