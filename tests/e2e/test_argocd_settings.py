"""The status of a target names unsafe settings of its Argo CD until they are corrected; nothing else is read for it."""

from typing import Any

import pytest

from onboarding.build.kinds import Manifest
from tests.support.hub import ROOT, Hub
from tests.support.installing import argocd_settings
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("operator")
CONFIG_MAP = "/api/v1/namespaces/argocd/configmaps/argocd-cm"
BINDING = (
    "/apis/rbac.authorization.k8s.io/v1/namespaces/argocd/rolebindings/project-onboarding-operator-argocd-settings"
)
OVERRIDE = "application.sync.requireOverridePrivilegeForRevisionSync"


@pytest.fixture
def target(hub: Hub) -> str:
    """The name of the target of the default profile."""
    (item,) = hub.api.request("GET", f"{ROOT}/hostingtargets")["items"]
    name: str = item["metadata"]["name"]
    return name


def wait(hub: Hub, target: str, reason: str) -> dict[str, Any]:
    """Wait until the condition ArgoCDSafe of a target has a reason, and return it."""

    def shown() -> dict[str, Any] | None:
        status: Manifest = (hub.api.get(f"{ROOT}/hostingtargets/{target}") or {}).get("status", {})
        found = {item["type"]: item for item in status.get("conditions", ())}
        assert found.get("Ready", {}).get("status") != "False", "it does not affect Ready"
        safe: dict[str, Any] | None = found.get("ArgoCDSafe")
        return safe if safe and safe["reason"] == reason else None

    return wait_until(shown, what=f"target {target} says {reason}", within=60)


def test_an_unsafe_switch_is_shown_with_its_remedy_until_it_is_corrected(hub: Hub, target: str) -> None:
    assert wait(hub, target, "SettingsSafe")["status"] == "True"
    hub.api.patch(CONFIG_MAP, {"data": {OVERRIDE: None}})
    unsafe = wait(hub, target, "SettingsUnsafe")
    assert unsafe["status"] == "False"
    assert unsafe["message"] == (
        f'ConfigMap argocd/argocd-cm: a holder of sync may deploy any revision by hand: set {OVERRIDE} to "true"'
    )
    hub.api.patch(CONFIG_MAP, {"data": {OVERRIDE: "true"}})
    wait(hub, target, "SettingsSafe")


def test_what_the_operator_may_not_read_is_unknown_and_the_manifests_that_let_it_are_named(
    hub: Hub, target: str
) -> None:
    wait(hub, target, "SettingsSafe")
    binding = hub.api.get(BINDING)
    assert binding
    hub.api.delete(BINDING)
    unknown = wait(hub, target, "SettingsUnknown")
    assert unknown["status"] == "Unknown"
    assert "the operator may not read it: apply manifests/argocd-settings" in unknown["message"]
    metadata = {"name": binding["metadata"]["name"], "namespace": "argocd"}
    hub.api.create(BINDING.rpartition("/")[0], {**binding, "metadata": metadata})
    wait(hub, target, "SettingsSafe")


def test_a_config_map_that_is_missing_is_unknown(hub: Hub, target: str) -> None:
    wait(hub, target, "SettingsSafe")
    hub.api.delete(CONFIG_MAP)
    assert "it does not exist" in wait(hub, target, "SettingsUnknown")["message"]
    hub.api.create(CONFIG_MAP.rpartition("/")[0], argocd_settings())
    wait(hub, target, "SettingsSafe")
