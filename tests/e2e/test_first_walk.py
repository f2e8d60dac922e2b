"""From kubectl apply to Ready."""

from pathlib import Path

from devcluster import ControlPlane
from tests.support.installing import get, wait_ready
from tests.support.operator import OperatorProcess

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_five_line_example_becomes_ready(installed: ControlPlane, operator: OperatorProcess) -> None:
    """The smallest project gets its namespace with a quota."""
    installed.kubectl("apply", "-f", str(EXAMPLES / "five-lines.yaml"))
    wait_ready(installed, "hello")
    assert get(installed, "resourcequota", "onboarding", "-n", "hello-dev")["spec"]["hard"]["limits.cpu"] == "2"
