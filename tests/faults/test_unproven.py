"""What was detached under another policy than the one in force, or under none, is not taken back."""

from onboarding import names
from onboarding.build.kinds import NAMESPACE
from tests.faults.conftest import Start
from tests.support.detaching import DEV, TEST, detach
from tests.support.hub import Hub

DETACHED_POLICY = names.GUARD_POLICIES[-1]
TEAM = {"groups": {"admin": ["team-admins"], "viewer": ["support"]}}


def test_where_the_policy_is_missing_nothing_is_taken_back(hub: Hub, start: Start) -> None:
    """Nor once it is there again: whoever may write namespaces could write the annotation in between."""
    bindings = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
    operator = start()
    detached = detach(hub, "unproven", team=TEAM)
    operator.kill()
    binding = hub.api.get(f"{bindings}/{DETACHED_POLICY}")
    hub.api.delete(f"{bindings}/{DETACHED_POLICY}")
    try:
        start()
        hub.declare("unproven", team=TEAM, environments=[DEV, TEST])
        assert DETACHED_POLICY in hub.wait("unproven", "False", "GuardMissing")["message"]
        assert hub.one(NAMESPACE, "unproven-test") == detached
    finally:
        metadata = {"name": DETACHED_POLICY, "labels": binding["metadata"]["labels"]}
        hub.api.create(bindings, {**binding, "metadata": metadata})
    assert "nothing is lost" in hub.wait("unproven", "False", "Conflict")["message"]
    assert hub.one(NAMESPACE, "unproven-test") == detached
