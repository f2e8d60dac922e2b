"""What restricts an environment fails or is slow: nobody gets in, the status says why, and it goes on by itself."""

from collections.abc import Iterator
from typing import Any

import pytest

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import (
    APPLICATION,
    LIMIT_RANGE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
)
from tests.faults.conftest import Start
from tests.support.api import RefusedError
from tests.support.audit import Audit
from tests.support.hub import ARGOCD, POLICY, REPOSITORY, Hub
from tests.support.installing import install
from tests.support.waiting import wait_until

TEAM = {"groups": {"admin": ["team-admins"]}}
SPEC: dict[str, Any] = {"repositories": [REPOSITORY], "team": TEAM}
DEV, TEST = {"name": "dev", "stage": "dev"}, {"name": "test", "stage": "dev"}
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
KYVERNO: dict[str, Any] = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "field-kyverno-down"},
    "webhooks": [
        {
            "name": "validate.kyverno.svc-fail",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Fail",
            "timeoutSeconds": 5,
            "clientConfig": {
                "service": {"namespace": "kyverno", "name": "kyverno-svc", "path": "/validate", "port": 443}
            },
            "rules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["resourcequotas", "limitranges"],
                }
            ],
        }
    ],
}
"""A policy engine whose service is not there, as it stands in clusters: it refuses what restricts, and nothing else."""


def access(hub: Hub, name: str, environment: str = "dev") -> list[str]:
    """Return what lets anybody into an environment."""
    namespace = f"{name}-{environment}"
    found = [item["metadata"]["name"] for item in hub.api.items(ROLE_BINDING.path(namespace))]
    places = ((SERVICE_ACCOUNT, names.SYNC_NAMESPACE, namespace), (APPLICATION, ARGOCD, f"{namespace}-app"))
    return found + [place for kind, around, place in places if hub.one(kind, place, around)]


def admins(hub: Hub) -> dict[str, str]:
    """Return what role each group of the persona admin has in the project roles."""
    bindings = hub.api.items(ROLE_BINDING.path("roles-dev"))
    return {
        subject["name"]: item["roleRef"]["name"]
        for item in bindings
        if item["metadata"]["name"].startswith("admin:")
        for subject in item.get("subjects", [])
    }


@pytest.fixture(scope="module")
def uncounted() -> Iterator[Hub]:
    """A control plane whose controller manager comes and goes."""
    with ControlPlane.start("uncounted") as cluster:
        install(cluster)
        yield Hub(cluster)


@pytest.fixture
def engine(hub: Hub) -> Iterator[None]:
    """Break the policy engine, and mend it at the latest in the end."""
    hub.api.create(WEBHOOKS, KYVERNO)
    probe = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "probe"}, "spec": {"limits": []}}

    def refuses() -> bool:
        try:
            hub.api.request("POST", LIMIT_RANGE.path("default"), query={"dryRun": "All"}, body=probe)
        except RefusedError:
            return True
        return False

    wait_until(refuses, what="the webhook refuses")
    yield
    if hub.api.get(f"{WEBHOOKS}/field-kyverno-down"):
        hub.api.delete(f"{WEBHOOKS}/field-kyverno-down")


def test_case_42_webhook_down(hub: Hub, start: Start, request: pytest.FixtureRequest) -> None:
    """Case 42: the webhook is named, nobody gets in, others do not suffer, and it goes on once the webhook is gone."""
    start()
    hub.declare("in-place", **SPEC)
    hub.wait("in-place")
    request.getfixturevalue("engine")
    hub.declare("f42b", **SPEC)
    condition = hub.wait("f42b", "False", "Retrying", "validate.kyverno.svc-fail")
    assert condition["message"].startswith("admission webhook validate.kyverno.svc-fail gives no answer")
    assert condition["message"].endswith("this is tried again by itself"), "a whole sentence"
    assert access(hub, "f42b") == []
    assert len(hub.api.items(NETWORK_POLICY.path("f42b-dev"))) > 0, "what is not refused is there already"
    hub.api.delete(NETWORK_POLICY.path("in-place-dev", "default-deny"))
    wait_until(lambda: hub.one(NETWORK_POLICY, "default-deny", "in-place-dev"), what="others are repaired")
    assert (hub.condition("in-place") or {})["status"] == "True"
    hub.declare("in-place", **SPEC, environments=[DEV, TEST])
    hub.wait("in-place", "False", "Retrying")
    assert access(hub, "in-place", "test") == []
    assert len(access(hub, "in-place")) == 4, "access that is there stays"
    hub.api.delete(f"{WEBHOOKS}/field-kyverno-down")
    for name in ("f42b", "in-place"):
        hub.wait(name, within=90)
        assert hub.faults(name) == []


def test_a_group_that_leaves_does_so_while_a_webhook_is_down(
    hub: Hub, start: Start, request: pytest.FixtureRequest
) -> None:
    """A smaller size is refused and a new group waits with it, but the former group is out at once."""
    start()
    hub.declare("leavers", team={"groups": {"admin": ["former"], "viewer": ["v"]}})
    hub.wait("leavers")
    request.getfixturevalue("engine")
    hub.declare("leavers", team={"groups": {"admin": ["new"]}}, environments=[{**DEV, "size": "large"}])
    hub.wait("leavers", "False", "Retrying", "validate.kyverno.svc-fail")
    bindings = {item["metadata"]["name"]: item for item in hub.api.items(ROLE_BINDING.path("leavers-dev"))}
    assert set(bindings) == {"admin:onboarding:admin", "sync:onboarding:sync"}
    assert not bindings["admin:onboarding:admin"].get("subjects")
    hub.api.delete(f"{WEBHOOKS}/field-kyverno-down")
    hub.wait("leavers", within=90)
    (subject,) = hub.one(ROLE_BINDING, "admin:onboarding:admin", "leavers-dev")["subjects"]
    assert subject["name"] == "new"


def test_a_changed_role_locks_nobody_out_while_a_webhook_is_down(
    hub: Hub, start: Start, request: pytest.FixtureRequest
) -> None:
    """The former binding stays until that of the new role is written; a group that leaves is out of it at once."""
    start()
    hub.declare("roles", team={"groups": {"admin": ["stays", "leaves"]}})
    hub.wait("roles")
    personas = hub.api.get(POLICY)["spec"]["personas"]
    request.addfinalizer(lambda: hub.api.patch(POLICY, {"spec": {"personas": personas}}))
    request.getfixturevalue("engine")
    (limits,) = hub.api.items(LIMIT_RANGE.path("roles-dev"))
    hub.api.delete(LIMIT_RANGE.path("roles-dev", limits["metadata"]["name"]))
    hub.wait("roles", "False", "Retrying", "validate.kyverno.svc-fail")
    changed = {"name": "admin", "clusterRole": "onboarding:developer"}
    other = [changed if item["name"] == "admin" else item for item in personas]
    hub.change_policy(personas=other)
    hub.declare("roles", team={"groups": {"admin": ["stays"]}})
    wait_until(lambda: "leaves" not in admins(hub), what="the group that leaves is out")
    assert admins(hub) == {"stays": "onboarding:admin"}
    hub.api.delete(f"{WEBHOOKS}/field-kyverno-down")
    hub.wait("roles", within=90)
    assert admins(hub) == {"stays": "onboarding:developer"}


def test_without_a_quota_controller_nobody_gets_access(uncounted: Hub, start: Start) -> None:
    """The status names the quota, nothing polls, and the event of the quota brings the rest in the fewest writes."""
    hub, cluster = uncounted, uncounted.cluster
    cluster.stop_part("kube-controller-manager")
    start(cluster)
    audit = Audit(cluster)
    hub.declare("waiting", **SPEC, environments=[DEV, TEST])
    condition = hub.wait("waiting", "Unknown", "Applying", "ResourceQuota waiting-dev/onboarding is not in force")
    assert "kube-controller-manager" in condition["message"]
    assert hub.project("waiting")["status"]["summary"]["next"].startswith("platform: ")
    assert access(hub, "waiting") == access(hub, "waiting", "test") == []
    assert hub.one(RESOURCE_QUOTA, "onboarding", "waiting-dev").get("status", {}).get("hard") is None
    quiet = Audit(cluster)
    hub.declare("waiting-fence", environments=[])
    hub.wait("waiting-fence")
    assert [
        request for request in (*quiet.writes("waiting"), *quiet.gets("waiting")) if "fence" not in request.name
    ] == []
    cluster.start_part("kube-controller-manager")
    hub.wait("waiting", within=60)
    assert hub.faults("waiting") == []
    objects = [write for write in audit.of_objects("waiting") if "fence" not in write.name]
    assert len(objects) == len(hub.wanted("waiting")), "no write more"
    assert audit.gets("waiting") == []
