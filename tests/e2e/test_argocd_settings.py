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


def wait(hub: Hub, target: str, reason: str, words: str = "") -> dict[str, Any]:
    """Wait until the condition ArgoCDSafe of a target has a reason, and a message with these words; return it."""

    def shown() -> dict[str, Any] | None:
        status: Manifest = (hub.api.get(f"{ROOT}/hostingtargets/{target}") or {}).get("status", {})
        found = {item["type"]: item for item in status.get("conditions", ())}
        assert found.get("Ready", {}).get("status") != "False", "it does not affect Ready"
        safe: dict[str, Any] | None = found.get("ArgoCDSafe")
        return safe if safe and safe["reason"] == reason and words in safe["message"] else None

    return wait_until(shown, what=f"target {target} says {reason}", within=60)


def test_what_is_unsafe_or_unknown_is_shown_with_its_remedy_until_it_is_corrected(hub: Hub, target: str) -> None:
    """From an unsafe switch over a right that is missing and an object that is missing back to safe settings.

    What is safe is read again more seldom than what is not, so that one walk is shorter than three.
    """
    assert wait(hub, target, "SettingsSafe")["status"] == "True"
    hub.api.patch(CONFIG_MAP, {"data": {OVERRIDE: None}})
    unsafe = wait(hub, target, "SettingsUnsafe")
    assert unsafe["status"] == "False"
    assert unsafe["message"] == (
        f'ConfigMap argocd/argocd-cm: a holder of sync may deploy any revision by hand: set {OVERRIDE} to "true"'
    )
    binding = hub.api.get(BINDING)
    assert binding
    hub.api.delete(BINDING)
    unknown = wait(hub, target, "SettingsUnknown")
    assert unknown["status"] == "Unknown"
    assert "the operator may not read it: apply manifests/argocd-settings" in unknown["message"]
    metadata = {"name": binding["metadata"]["name"], "namespace": "argocd"}
    hub.api.delete(CONFIG_MAP)
    hub.api.create(BINDING.rpartition("/")[0], {**binding, "metadata": metadata})
    wait(hub, target, "SettingsUnknown", "it does not exist")
    hub.api.create(CONFIG_MAP.rpartition("/")[0], argocd_settings())
    wait(hub, target, "SettingsSafe")
