"""Case 14, mutator-fights: mutating policies change what the operator writes; the status says so, nothing loops."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from onboarding.build.kinds import NAMESPACE, NETWORK_POLICY, RESOURCE_QUOTA
from tests.faults.conftest import Start
from tests.support.audit import Audit
from tests.support.hub import Hub
from tests.support.waiting import wait_until

INPUT = Path(__file__).parent / "mutator_fights"
ROOT = "/apis/admissionregistration.k8s.io/v1"
POLICIES, BINDINGS = f"{ROOT}/mutatingadmissionpolicies", f"{ROOT}/mutatingadmissionpolicybindings"
TEAM = {"groups": {"admin": ["team-admins"]}}
Mutate = Callable[[str], Callable[[], None]]


@pytest.fixture
def mutate(hub: Hub) -> Iterator[Mutate]:
    """Put a mutating policy of the case in force, and return how to take it away; at the latest it goes in the end."""
    there: list[str] = []

    def put(file: str) -> Callable[[], None]:
        policy, binding = yaml.safe_load_all((INPUT / file).read_text())
        name = policy["metadata"]["name"]
        hub.api.create(POLICIES, policy)
        hub.api.create(BINDINGS, binding)
        there.append(name)
        wait_until(lambda: mutates(hub), what=f"{name} is in force")

        def away() -> None:
            hub.api.delete(f"{BINDINGS}/{name}")
            hub.api.delete(f"{POLICIES}/{name}")
            there.remove(name)
            wait_until(lambda: not mutates(hub), what=f"{name} is in force no more")

        return away

    yield put
    for name in there:
        hub.api.delete(f"{BINDINGS}/{name}")
        hub.api.delete(f"{POLICIES}/{name}")


def mutates(hub: Hub) -> bool:
    """Return whether something changes a NetworkPolicy named default-deny."""
    tried = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "default-deny"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    answer = hub.api.request("POST", NETWORK_POLICY.path("default"), query={"dryRun": "All"}, body=tried)
    return "labels" in answer["metadata"] or "egress" in answer["spec"]


def test_case_14_labels_of_a_mutator_are_left_alone(hub: Hub, start: Start, mutate: Mutate) -> None:
    """Case 14, labels.yaml: foreign labels and annotations on every kind are no difference, and cause no write."""
    start()
    mutate("labels.yaml")
    hub.declare("f14a", team=TEAM)
    hub.wait("f14a")
    audit = Audit(hub.cluster)
    hub.fence("fence-of-f14a")
    assert audit.writes("f14a") == []
    for kind, name, namespace in ((NAMESPACE, "f14a-dev", ""), (RESOURCE_QUOTA, "onboarding", "f14a-dev")):
        assert hub.one(kind, name, namespace)["metadata"]["labels"]["acme.org/cost-centre"] == "4711"


def test_case_14_content_of_a_mutator_is_drift(hub: Hub, start: Start, mutate: Mutate) -> None:
    """Case 14, content.yaml: object, field and cause are told, nobody gets in, and it heals by itself afterwards."""
    start()
    away = mutate("content.yaml")
    audit = Audit(hub.cluster)
    hub.declare("f14b", team=TEAM)
    condition = hub.wait(
        "f14b", "False", "Drifted", "NetworkPolicy f14b-dev/default-deny is not stored as it was written"
    )
    assert "spec.egress changed by an admission policy of the cluster" in condition["message"]
    drifted = hub.condition("f14b", "Drifted")
    assert (drifted["status"], drifted["reason"], drifted["message"]) == ("True", "Drifted", condition["message"])
    assert hub.project("f14b")["status"]["nextActions"][0]["actor"] == "platform"
    assert hub.api.items("/apis/rbac.authorization.k8s.io/v1/namespaces/f14b-dev/rolebindings") == []
    for number in range(5):
        hub.declare("f14b", team=TEAM, description=f"asked for the {number}. time")
        hub.wait("f14b", "False", "Drifted")
    away()
    hub.wait("f14b", within=90)
    assert hub.condition("f14b", "Drifted") is None
    assert hub.faults("f14b") == []
    repairs = [write for write in audit.writes("f14b") if write.name == "default-deny"]
    assert len(repairs) <= 8, "one more at each back-off, however often the project is reconciled"
