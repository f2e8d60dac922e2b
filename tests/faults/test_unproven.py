"""Without the policy that lets the operator alone write where a namespace was released from, nothing is taken back."""

from onboarding import names
from onboarding.build.kinds import NAMESPACE
from tests.faults.conftest import Start
from tests.support.hub import Hub
from tests.support.releasing import DEV, TEST, release

RELEASED_POLICY = names.GUARD_POLICIES[-1]
TEAM = {"groups": {"admin": ["team-admins"], "viewer": ["support"]}}


def test_where_the_policy_is_missing_nothing_is_taken_back(hub: Hub, start: Start) -> None:
    """Without it the annotation proves nothing; with it the environment comes back by that event."""
    bindings = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
    operator = start()
    released = release(hub, "unproven", team=TEAM)
    operator.kill()
    binding = hub.api.get(f"{bindings}/{RELEASED_POLICY}")
    hub.api.delete(f"{bindings}/{RELEASED_POLICY}")
    try:
        start()
        hub.declare("unproven", team=TEAM, environments=[DEV, TEST])
        assert RELEASED_POLICY in hub.wait("unproven", "False", "GuardMissing")["message"]
        assert hub.one(NAMESPACE, "unproven-test") == released
    finally:
        metadata = {"name": RELEASED_POLICY, "labels": binding["metadata"]["labels"]}
        hub.api.create(bindings, {**binding, "metadata": metadata})
    hub.wait("unproven")
    assert hub.faults("unproven") == []
