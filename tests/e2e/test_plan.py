"""``mode: Plan`` shows what Apply would do and does none of it; Apply then does exactly that."""

import re

import pytest

from onboarding import names
from onboarding.build.kinds import CHILD_KINDS, NAMESPACE, NETWORK_POLICY, RESOURCE_QUOTA
from tests.support.audit import Audit
from tests.support.hub import PROJECTS, REPOSITORY, Hub
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("operator")
DEV = {"name": "dev", "stage": "dev"}
TEST = {"name": "test", "stage": "dev"}
PLURALS = {kind.kind: kind.plural for kind in CHILD_KINDS}
VERBS = {"create": "create", "change": "patch", "detach": "patch", "delete": "delete"}


def planned(hub: Hub, name: str) -> set[tuple[str, str, str]]:
    """Return the plan in a project's status as verbs, resources and places."""
    found = set()
    for line in hub.project(name)["status"]["plan"]["changes"]:
        action, kind, place = re.match(r"(\w+) (\w+) (\S+)", line).groups()
        found.add((VERBS[action], PLURALS[kind], place))
    return found


def done(audit: Audit, name: str) -> set[tuple[str, str, str]]:
    """Return what was written, in the same words."""
    return {
        (write.verb, write.resource, f"{write.namespace}/{write.name}" if write.namespace else write.name)
        for write in audit.of_objects(name)
    }


def test_a_plan_writes_nothing_but_status(hub: Hub) -> None:
    """A new project in Plan gets its plan in the status, and neither an object nor a finalizer."""
    audit = Audit(hub.cluster)
    hub.declare("drawn", mode="Plan")
    hub.wait("drawn", "False", "Planned")
    found = hub.project("drawn")
    assert ("create", "namespaces", "drawn-dev") in planned(hub, "drawn")
    summary = "create 1 LimitRange, 1 Namespace, 6 NetworkPolicy, 1 ResourceQuota, 1 RoleBinding, 1 ServiceAccount"
    assert found["status"]["plan"]["summary"] == summary
    met = next(item for item in found["status"]["conditions"] if item["type"] == "PrerequisitesMet")
    assert met["status"] == "True"
    assert "finalizers" not in found["metadata"]
    assert {(write.verb, write.resource) for write in audit.writes("drawn")} == {("patch", "projectonboardings/status")}


def test_a_plan_names_the_strangers_that_apply_would_meet(hub: Hub) -> None:
    """A namespace that somebody else made is a conflict with its contents by name, and Apply says the same."""
    foreign = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "brown-dev"}}
    hub.api.create(NAMESPACE.path(), foreign)
    quota = {"metadata": {"name": "theirs"}, "spec": {"hard": {"pods": "3"}}}
    hub.api.create(RESOURCE_QUOTA.path("brown-dev"), {"apiVersion": "v1", "kind": "ResourceQuota", **quota})
    hub.declare("brown", environments=[DEV, TEST], mode="Plan")
    hub.wait("brown", "False", "Planned")
    plan = hub.project("brown")["status"]["plan"]
    assert plan["summary"].startswith("conflict 1 Namespace; blocked 1 LimitRange, ")
    assert plan["changes"][0].startswith("Namespace brown-dev exists and carries no label of ours")
    assert plan["existing"] == ["Namespace brown-dev holds ResourceQuota theirs"]
    hub.api.delete(NAMESPACE.path(name="brown-dev"))
    wait_until(lambda: "conflict" not in hub.project("brown")["status"]["plan"]["summary"], what="the plan is free")
    hub.api.create(NAMESPACE.path(), foreign)
    hub.declare("brown", environments=[DEV])
    hub.wait("brown", "False", "Conflict", "Namespace brown-dev exists and carries no label of ours")


def test_a_plan_lists_what_would_be_taken_back(hub: Hub) -> None:
    """A detached environment that is declared again is taken back, and the plan does not call that a creation."""
    hub.declare("returned", environments=[DEV, TEST])
    hub.wait("returned")
    hub.declare("returned", environments=[DEV])
    hub.wait("returned")
    hub.declare("returned", environments=[DEV, TEST], mode="Plan")
    wait_until(lambda: hub.condition("returned"), what="the plan is made")
    plan = hub.project("returned")["status"]["plan"]
    back, created = plan["summary"].split("; ")
    assert back == "take back 1 LimitRange, 1 Namespace, 6 NetworkPolicy, 1 ResourceQuota"
    assert created == "create 1 RoleBinding, 1 ServiceAccount"
    hub.declare("returned", environments=[DEV, TEST])
    hub.wait("returned")
    assert hub.faults("returned") == []


def test_apply_does_exactly_what_the_plan_listed(hub: Hub) -> None:
    """From Plan to Apply: each line of the plan is carried out, and nothing that is not a line of it."""
    hub.declare("drafted", repositories=[REPOSITORY], mode="Plan")
    hub.wait("drafted", "False", "Planned")
    plan = planned(hub, "drafted")
    audit = Audit(hub.cluster)
    hub.declare("drafted", repositories=[REPOSITORY])
    hub.wait("drafted")
    hub.fence("after-drafted")
    assert done(audit, "drafted") == plan
    assert "plan" not in hub.project("drafted")["status"]


def test_a_plan_of_changes_and_removals_is_complete(hub: Hub) -> None:
    """On a provisioned project the plan lists changes, creations and every step of a removal, and Apply does those."""
    before = {"repositories": [REPOSITORY], "environments": [DEV, TEST]}
    after = {**before, "environments": [{**DEV, "size": "large"}], "team": {"groups": {"admin": ["a"]}}}
    hub.declare("redrawn", **before)
    hub.wait("redrawn")
    audit = Audit(hub.cluster)
    hub.declare("redrawn", **after, mode="Plan")
    wait_until(lambda: hub.condition("redrawn"), what="the plan is made")
    plan = planned(hub, "redrawn")
    assert audit.of_objects("redrawn") == []
    hub.declare("redrawn", **after)
    wait_until(
        lambda: names.ANNOTATION_DETACHED in hub.one(NAMESPACE, "redrawn-test")["metadata"]["annotations"],
        what="the environment is detached",
    )
    hub.wait("redrawn")
    hub.fence("after-redrawn")
    assert done(audit, "redrawn") == plan


def test_a_plan_repairs_drift_and_removes_nothing(hub: Hub) -> None:
    """In Plan the admitted revision is kept true: drift is repaired, and what the spec drops or changes stays."""
    hub.declare("kept", environments=[DEV, TEST])
    hub.wait("kept")
    audit = Audit(hub.cluster)
    hub.declare("kept", environments=[{**DEV, "size": "large"}], mode="Plan")
    wait_until(lambda: hub.condition("kept"), what="the plan is made")
    for namespace in ("kept-dev", "kept-test"):
        hub.api.delete(NETWORK_POLICY.path(namespace, "default-deny"))
    for namespace in ("kept-dev", "kept-test"):
        wait_until(lambda at=namespace: hub.one(NETWORK_POLICY, "default-deny", at), what="the drift is repaired")
    hub.fence("after-kept")
    assert done(audit, "kept") == {
        ("create", "networkpolicies", f"{namespace}/default-deny") for namespace in ("kept-dev", "kept-test")
    }
    assert hub.one(RESOURCE_QUOTA, "onboarding", "kept-dev")["spec"]["hard"]["pods"] == "20"
    assert hub.faults("kept") == []


def test_a_plan_revokes_all_the_same(hub: Hub) -> None:
    """A group that the spec drops loses its access in Plan too: a revocation is never held."""
    hub.declare("revoked", team={"groups": {"viewer": ["v"]}})
    hub.wait("revoked")
    audit = Audit(hub.cluster)
    hub.api.patch(f"{PROJECTS}/revoked", {"spec": {"mode": "Plan", "team": {"groups": {"viewer": None}}}})
    wait_until(lambda: hub.condition("revoked"), what="the plan is made")
    assert ("delete", "rolebindings", "revoked-dev/viewer:onboarding:viewer") in done(audit, "revoked")
