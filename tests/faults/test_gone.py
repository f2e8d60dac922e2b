"""A namespace that somebody deletes comes back, though its environment is held; or the project says why it does not."""

from onboarding.build.kinds import NAMESPACE, NETWORK_POLICY
from tests.faults.conftest import Start
from tests.support.hub import Hub
from tests.support.waiting import wait_until

DEV = {"name": "dev", "stage": "dev"}


def deleted(hub: Hub, project: str) -> None:
    """Delete the namespace of a project and wait until it is gone, or is another one."""
    path = NAMESPACE.path(name=f"{project}-dev")
    before = hub.api.get(path)["metadata"]["uid"]
    hub.api.delete(path)
    wait_until(lambda: (hub.api.get(path) or {"metadata": {}})["metadata"].get("uid") != before, what="it is gone")


def rebuilt(hub: Hub, project: str) -> None:
    """Wait until everything of a project is there again."""
    wait_until(lambda: hub.one(NETWORK_POLICY, "default-deny", f"{project}-dev"), what="its contents are back")
    wait_until(lambda: hub.faults(project) == [], what="nothing of it is missing")


def test_a_held_environment_that_loses_its_namespace(hub: Hub, start: Start) -> None:
    """Its last admitted revision is rebuilt; after a restart it is if the spec is the same, else named.

    That is finding F1 of the field: the project stayed Ready and Provisioned, and nothing was there.
    """
    operator = start()
    for name in ("gone-refused", "gone-planned"):
        hub.declare(name)
        hub.wait(name)
    hub.declare("gone-refused", environments=[{**DEV, "size": "vast"}])
    hub.wait("gone-refused", "False", "Refused")
    hub.declare("gone-planned", mode="Plan")
    hub.wait("gone-planned", words="mode is Plan")
    for name in ("gone-refused", "gone-planned"):
        deleted(hub, name)
        rebuilt(hub, name)
    hub.wait("gone-refused", "False", "Refused")
    operator.kill()
    for name in ("gone-refused", "gone-planned"):
        deleted(hub, name)
    start()
    condition = hub.wait("gone-refused", "False", "NamespaceGone", "Namespace gone-refused-dev of environment dev")
    assert "vast" in condition["message"]
    assert hub.condition("gone-refused", "Provisioned")["status"] == "False"
    rebuilt(hub, "gone-planned")
    hub.declare("gone-refused")
    hub.wait("gone-refused")
    assert hub.faults("gone-refused") == []
