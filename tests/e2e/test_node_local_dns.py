"""Case 25, node-local-dns: a flow that nothing would be built of is told, and a target can name the address of DNS."""

from pathlib import Path

import pytest
import yaml

from onboarding.build.kinds import NETWORK_POLICY
from tests.support.hub import PROJECTS, ROOT, Hub
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("operator")
INPUT = Path(__file__).parent / "node_local_dns"
TARGET = f"{ROOT}/hostingtargets/nodelocal"
DNS = {"namespace": "kube-system", "podLabels": {"k8s-app": "kube-dns"}}


def test_case_25_node_local_dns(hub: Hub) -> None:
    """Case 25: the platform is told of the flow; ``dns.addresses`` opens the address; a metadata address is refused."""
    hub.api.apply(TARGET, yaml.safe_load((INPUT / "target.yaml").read_text()))
    hub.api.apply(f"{PROJECTS}/f25", yaml.safe_load((INPUT / "project.yaml").read_text()))
    condition = hub.wait("f25", "False", "Held", "flow 'dns': zone 'nodelocal' of target 'nodelocal' holds only")
    (check,) = [item for item in hub.project("f25")["status"]["checks"] if item["id"] == "FlowWithoutEffect"]
    assert check["nextActor"] == "platform"
    assert "spec.network.dns.addresses" in check["remedy"], condition

    hub.api.patch(TARGET, {"spec": {"network": {"dns": {**DNS, "addresses": ["169.254.20.10"]}}}})
    hub.api.patch(f"{PROJECTS}/f25", {"spec": {"flows": None}})
    hub.wait("f25")
    _, nodes = hub.one(NETWORK_POLICY, "allow-dns", "f25-dev")["spec"]["egress"]
    assert nodes["to"] == [{"ipBlock": {"cidr": "169.254.20.10/32"}}]
    assert [(port["protocol"], port["port"]) for port in nodes["ports"]] == [("UDP", 53), ("TCP", 53)]
    assert hub.faults("f25") == []

    hub.api.patch(TARGET, {"spec": {"network": {"dns": {"addresses": ["169.254.169.254"]}}}})

    def refused() -> str:
        ready = next(item for item in hub.api.get(TARGET)["status"]["conditions"] if item["type"] == "Ready")
        return ready["message"] if ready["reason"] == "Invalid" else ""

    message = wait_until(refused, what="the metadata address is refused")
    assert message.startswith("spec.network.dns.addresses[0]: 169.254.169.254/32 holds 169.254.169.254/32, a metadata")
