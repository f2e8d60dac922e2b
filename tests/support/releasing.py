"""Environments that are released, and what lets the operator take them back."""

from typing import Any

from onboarding import names
from onboarding.build.kinds import NAMESPACE, Manifest
from tests.support.hub import Hub
from tests.support.waiting import wait_until

DEV, TEST = {"name": "dev", "stage": "dev"}, {"name": "test", "stage": "dev"}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}}
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
ACCOUNT = f"{POLICIES}/project-onboarding-operator-account"
UNLABELLED = "|| variables.label in oldObject.metadata.?labels.orValue({})"
RELEASED = (
    f"{UNLABELLED} || (request.operation == 'UPDATE' && variables.label in variables.newLabels"
    " && variables.resource in"
    " ['limitranges', 'namespaces', 'networkpolicies', 'resourcequotas', 'rolebindings']"
    " && 'projectonboarding.io/released-from' in oldObject.metadata.?annotations.orValue({}))"
)


def let_take_back(hub: Hub) -> None:
    """Let the operator's account label what was released, and still nothing else that has no label."""
    policy = hub.api.get(ACCOUNT)
    assert policy is not None
    for validation in policy["spec"]["validations"]:
        if names.ANNOTATION_RELEASED not in validation["expression"]:
            validation["expression"] = validation["expression"].replace(UNLABELLED, RELEASED)
    hub.api.patch(ACCOUNT, {"spec": {"validations": policy["spec"]["validations"]}})


def release(hub: Hub, name: str, **spec: Any) -> Manifest:
    """Open two environments, put something into the second, drop that one, and return its released namespace."""
    hub.declare(name, **spec, environments=[DEV, TEST])
    hub.wait(name)
    hub.api.create(f"/api/v1/namespaces/{name}-test/configmaps", CONFIG)
    hub.declare(name, **spec, environments=[DEV])

    def released() -> Manifest | None:
        found = hub.one(NAMESPACE, f"{name}-test")
        return found if found and names.ANNOTATION_RELEASED in found["metadata"].get("annotations", {}) else None

    return wait_until(released, what="the environment is released")
