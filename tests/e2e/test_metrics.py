"""What the alerts read is what the operator finds: whether it is ready, and where the guard rails are missing."""

import re

from devcluster import ControlPlane
from onboarding import names
from tests.support.hub import Hub
from tests.support.installing import ROOT as FILES
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

GUARDS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"


def value(operator: OperatorProcess, sample: str) -> float | None:
    """Return the value of a sample; None where there is none."""
    found = re.search(rf"^{re.escape(sample)} (\S+)$", operator.get("/metrics"), re.MULTILINE)
    return float(found[1]) if found else None


def wait_for(operator: OperatorProcess, sample: str, wanted: float, *, within: float = 30) -> None:
    """Wait until a sample has a value."""
    wait_until(lambda: value(operator, sample) == wanted, what=f"{sample} is {wanted}", within=within)


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
    hub.api.delete(f"{GUARDS}/{names.GUARD_POLICIES[0]}")
    wait_for(operator, sample, 1)
    installed.kubectl("apply", "--server-side", "-k", str(FILES / "manifests/install"))
    wait_for(operator, sample, 0)
