"""One ``kubectl apply`` opens a project: everything is there, at the least number of writes, and a pod fits."""

from collections import Counter
from pathlib import Path

import pytest

from onboarding.build.kinds import (
    APP_PROJECT,
    APPLICATION,
    LIMIT_RANGE,
    NAMESPACE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
)
from tests.support.audit import ARGO_PLURALS, Audit
from tests.support.hub import Hub
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = {"hello": EXAMPLES / "five-lines.yaml", "dossier-usagers": EXAMPLES / "dossier-usagers.yaml"}
PER_ENVIRONMENT = {RESOURCE_QUOTA: 1, LIMIT_RANGE: 1, NETWORK_POLICY: 6, SERVICE_ACCOUNT: 1}
EXPECTED = {
    "hello": {NAMESPACE: 1, **PER_ENVIRONMENT, ROLE_BINDING: 1},
    "dossier-usagers": {
        NAMESPACE: 3,
        **{kind: 3 * count for kind, count in PER_ENVIRONMENT.items()},
        ROLE_BINDING: 3 * 4,
        APP_PROJECT: 1,
        APPLICATION: 3,
    },
}


@pytest.fixture(scope="module")
def onboarded(hub: Hub, operator: OperatorProcess) -> Audit:
    """Both examples, applied and Ready; and what was written on the way."""
    audit = Audit(hub.cluster)
    for name, file in FILES.items():
        hub.cluster.kubectl("apply", "-f", str(file))
        hub.wait(name)
    return audit


@pytest.mark.parametrize("name", FILES)
def test_everything_that_the_examples_ask_for_is_there(hub: Hub, onboarded: Audit, name: str) -> None:
    """A Ready project has each of its objects, exactly as built, and no other."""
    assert Counter(key.kind for key in hub.live(name)) == EXPECTED[name]
    assert hub.faults(name) == []


@pytest.mark.parametrize("name", FILES)
def test_onboarding_takes_the_least_number_of_writes(hub: Hub, onboarded: Audit, name: str) -> None:
    """Until Ready: N + N·M + P + A writes, each object created once, and at most 3 on the project itself."""
    wanted = hub.wanted(name)
    environments = sum(item.key.kind is NAMESPACE for item in wanted)
    contents = sum(item.key.kind not in (NAMESPACE, APP_PROJECT, APPLICATION) for item in wanted)
    argo = sum(item.key.kind in (APP_PROJECT, APPLICATION) for item in wanted)
    assert contents % environments == 0, "every environment has the same number of objects here"
    written = onboarded.writes(name)
    own = [write for write in written if write.resource.startswith("projectonboardings")]
    created = Counter((write.resource, write.namespace, write.name) for write in written if write.verb == "create")
    assert created == {(key.kind.plural, key.namespace, key.name): 1 for key, _, _ in wanted}
    assert len(written) - len(own) == environments + environments * (contents // environments) + argo
    assert len(own) <= 3, own


def test_the_projects_of_argo_cd_come_before_its_applications(onboarded: Audit) -> None:
    """An Application is made after its AppProject: one made before it stays failed for minutes."""
    order = [write.resource for write in onboarded.writes("dossier-usagers") if write.resource in ARGO_PLURALS]
    assert order == ["appprojects", "applications", "applications", "applications"]


def test_kubectl_shows_who_has_to_do_what(hub: Hub, onboarded: Audit) -> None:
    """``kubectl get projectonboardings`` answers at a glance, in 120 characters; ``-o wide`` has the sentence."""
    lines = hub.cluster.kubectl("get", "projectonboardings").stdout.splitlines()
    assert lines[0].split() == ["NAME", "STAGE", "READY", "REASON", "ENVIRONMENTS", "WAITING", "FOR", "AGE"]
    row = next(line for line in lines if line.startswith("dossier-usagers"))
    assert row.split()[1:5] == ["production", "True", "Ready", "3/3"]
    assert max(map(len, lines)) <= 120
    wide = hub.cluster.kubectl("get", "projectonboardings", "-o", "wide").stdout
    assert "nothing to do" in wide


def test_a_second_apply_writes_nothing(hub: Hub, onboarded: Audit) -> None:
    """Applying an unchanged file makes the operator write nothing at all on that project."""
    audit = Audit(hub.cluster)
    for file in FILES.values():
        hub.cluster.kubectl("apply", "-f", str(file))
    hub.fence("after-apply")
    assert [write for name in FILES for write in audit.writes(name)] == []


def test_a_default_pod_fits(hub: Hub, onboarded: Audit) -> None:
    """A pod that names no resources is accepted in every environment: the defaults lie within the quota."""
    container = {
        "name": "web",
        "image": "web",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web"},
        "spec": {"securityContext": security, "containers": [container], "automountServiceAccountToken": False},
    }
    for namespace in ("hello-dev", "dossier-usagers-dev", "dossier-usagers-qualif", "dossier-usagers-prod"):
        quota = RESOURCE_QUOTA.path(namespace, "onboarding")
        wait_until(lambda path=quota: hub.api.get(path)["status"].get("hard"), what="the quota is counted")
        account = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
        wait_until(lambda path=account: hub.api.get(path), what="the default service account is there")
        made = hub.api.request("POST", f"/api/v1/namespaces/{namespace}/pods", query={"dryRun": "All"}, body=pod)
        assert made["spec"]["containers"][0]["resources"]["limits"]["cpu"] == "500m"
