"""Guard rails of others in a managed namespace are seen, whether they come before or after it becomes ours."""

from collections.abc import Iterator

import pytest

from onboarding.build.kinds import LIMIT_RANGE, NAMESPACE, ROLE_BINDING, ChildKind
from tests.support.audit import Audit
from tests.support.hub import POLICY, Hub
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("operator")
DEV, TEST = {"name": "dev", "stage": "dev"}, {"name": "test", "stage": "dev"}
VIEWER = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "onboarding:viewer"}
PLACE = "guarded-dev"


def add(hub: Hub, kind: ChildKind, name: str, **content: object) -> None:
    """Let somebody else make an object in the namespace."""
    manifest = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}, **content}
    hub.api.create(kind.path(PLACE), manifest)


@pytest.fixture
def rules(hub: Hub) -> Iterator[None]:
    """Take the rules out of the policy in the end."""
    yield
    hub.api.patch(POLICY, {"spec": {"foreignGuards": None}})


@pytest.mark.usefixtures("rules")
def test_guard_rails_of_others_are_told_with_the_severity_of_the_policy(hub: Hub) -> None:
    """A warning is in the message of Ready; blocking makes it False; what belongs there is not told; all by events."""
    hub.declare("guarded")
    hub.wait("guarded")
    add(hub, ROLE_BINDING, "system:deployers", roleRef=VIEWER)
    add(hub, LIMIT_RANGE, "old", spec={"limits": []})
    hub.wait("guarded", "True", "Ready", "made by others: LimitRange guarded-dev/old (")
    (check,) = hub.project("guarded")["status"]["checks"]
    assert (check["id"], check["severity"], check["nextActor"]) == ("ForeignGuards", "Warning", "platform")
    assert "system:deployers" not in check["message"]

    hub.change_policy(foreignGuards={"severity": "Blocking"})
    hub.wait("guarded", "False", "ForeignGuards", "LimitRange guarded-dev/old (")
    assert hub.condition("guarded", "Stalled")["reason"] == "ForeignGuards"
    hub.change_policy(foreignGuards={"severity": "Blocking", "expected": [{"kind": "LimitRange", "name": "o*"}]})
    hub.wait("guarded", "False", "ForeignGuards", "RoleBinding guarded-dev/system:deployers (")
    audit = Audit(hub.cluster)
    hub.api.delete(ROLE_BINDING.path(PLACE, "system:deployers"))
    assert "made by others" not in hub.wait("guarded")["message"]
    assert audit.gets("guarded") == []


def test_what_was_there_before_the_namespace_became_ours_is_told(hub: Hub) -> None:
    """An environment that comes back takes its namespace back, with what somebody has put there meanwhile."""
    hub.declare("guarded", environments=[DEV, TEST])
    hub.wait("guarded")
    hub.declare("guarded", environments=[TEST])
    wait_until(
        lambda: not hub.one(NAMESPACE, PLACE)["metadata"]["labels"].get("projectonboarding.io/project"),
        what="it is detached",
    )
    hub.wait("guarded")
    add(hub, LIMIT_RANGE, "meanwhile", spec={"limits": []})
    hub.fence("beside-guarded")
    hub.declare("guarded", environments=[DEV, TEST])
    hub.wait("guarded", "True", "Ready", "LimitRange guarded-dev/meanwhile (")
