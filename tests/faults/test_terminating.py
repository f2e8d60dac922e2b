"""A namespace that somebody deletes and that cannot go is waited for, by name, and made again."""

from onboarding.build.kinds import NAMESPACE
from tests.faults.conftest import Start
from tests.support.hub import Hub
from tests.support.waiting import wait_until

DEV = {"name": "dev", "stage": "dev"}
HELD = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["example.org/keep"]}}


def test_a_namespace_stuck_in_terminating(hub: Hub, start: Start) -> None:
    """The status names what it waits for, a new environment opens meanwhile, and afterwards the namespace is back."""
    start()
    hub.declare("stuck")
    hub.wait("stuck")
    before = hub.one(NAMESPACE, "stuck-dev")["metadata"]["uid"]
    hub.api.create("/api/v1/namespaces/stuck-dev/configmaps", HELD)
    hub.api.delete(NAMESPACE.path(name="stuck-dev"))
    hub.declare("stuck", environments=[DEV, {"name": "test", "stage": "dev"}])
    hub.wait("stuck", "Unknown", words="amespace stuck-dev")
    wait_until(
        lambda: "example.org/keep" in (hub.condition("stuck") or {}).get("message", ""),
        what="the blocker is named",
        within=90,
    )

    def states() -> dict[str, str]:
        return {name: hub.environment("stuck", name)["sites"][0]["state"] for name in ("dev", "test")}

    wait_until(lambda: states() == {"dev": "Pending", "test": "Ready"}, what="the new environment is open")
    hub.api.patch("/api/v1/namespaces/stuck-dev/configmaps/held", {"metadata": {"finalizers": None}})
    wait_until(
        lambda: (found := hub.one(NAMESPACE, "stuck-dev")) and found["metadata"]["uid"] != before,
        what="the namespace is made again",
        within=60,
    )
    wait_until(lambda: (hub.condition("stuck") or {}).get("status") == "True", what="it is Ready", within=60)
    assert hub.faults("stuck") == []
