"""What argocd-cm says is read as Argo CD reads it, and each unsafe setting is named with its remedy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from onboarding import names
from onboarding.api.delivery import Delivery
from onboarding.api.target import HostingTargetSpec
from onboarding.checks.argocd_settings import ArgoSettings, Setting, UnsafeSetting
from onboarding.reconcile.observed.argocd_condition import argocd_validity
from onboarding.reconcile.observed.argocd_settings import ArgoCDAt, argocds, unsafe_settings

ROOT = Path(__file__).parents[4]
SERVER = "https://kubernetes.default.svc"
HEALTH = yaml.safe_load((ROOT / "manifests/argocd/health.yaml").read_text())["data"]
SAFE = {
    "application.sync.impersonation.enabled": "true",
    "application.sync.requireOverridePrivilegeForRevisionSync": "true",
    **HEALTH,
}
OVERRIDE = "application.sync.requireOverridePrivilegeForRevisionSync"
ENABLED, ENFORCED = "application.sync.impersonation.enabled", "application.sync.impersonation.enforced"
STOCK = """
# Stock exclusions of Argo CD.
- apiGroups: ['', discovery.k8s.io]
  kinds: [Endpoints, EndpointSlice]
- apiGroups: [coordination.k8s.io]
  kinds: [Lease]
- apiGroups: [cert-manager.io]
  kinds: [CertificateRequest]
"""


def found(data: Mapping[str, str], *, hub: bool = True, server: str = SERVER, **delivery: Any) -> dict[Setting, str]:
    rules = Delivery.model_validate(delivery)
    return {item.setting: item.message for item in unsafe_settings(data, rules, [server], hub=hub)}


SWITCHES: dict[str, tuple[dict[str, str | None], set[Setting]]] = {
    "safe": ({}, set()),
    "override absent": ({OVERRIDE: None}, {Setting.REVISION_OVERRIDE}),
    "override empty": ({OVERRIDE: ""}, {Setting.REVISION_OVERRIDE}),
    "override false": ({OVERRIDE: "false"}, {Setting.REVISION_OVERRIDE}),
    "override yes, which Go does not parse": ({OVERRIDE: "yes"}, {Setting.REVISION_OVERRIDE}),
    "override 1": ({OVERRIDE: "1"}, set()),
    "override True": ({OVERRIDE: "True"}, set()),
    "override with a blank": ({OVERRIDE: "true "}, {Setting.REVISION_OVERRIDE}),
    "impersonation absent": ({ENABLED: None}, {Setting.IMPERSONATION}),
    "impersonation True, which is not true there": ({ENABLED: "True"}, {Setting.IMPERSONATION}),
    "not enforced": ({ENFORCED: "false"}, {Setting.IMPERSONATION}),
    "enforced by anything else": ({ENFORCED: "no"}, set()),
    "no health": (dict.fromkeys(HEALTH), {Setting.HEALTH}),
    "empty health": ({f"resource.customizations.health.{names.GROUP}_ProjectOnboarding": " "}, {Setting.HEALTH}),
    "health in the former form": (
        {
            **dict.fromkeys(HEALTH),
            "resource.customizations": f"{names.GROUP}/ProjectOnboarding:\n  health.lua: return {{}}\n",
        },
        set(),
    ),
    "health of another kind": (
        {**dict.fromkeys(HEALTH), "resource.customizations": "apps/Deployment:\n  health.lua: return {}\n"},
        {Setting.HEALTH},
    ),
}


@pytest.mark.parametrize(("changes", "expected"), SWITCHES.values(), ids=SWITCHES)
def test_each_switch_is_read_as_argo_cd_reads_it(changes: dict[str, str | None], expected: set[Setting]) -> None:
    data = {key: value for key, value in {**SAFE, **changes}.items() if value is not None}
    assert found(data).keys() == expected


def test_an_empty_config_map_is_unsafe_in_all_that_is_off_by_default() -> None:
    assert found({}).keys() == {Setting.REVISION_OVERRIDE, Setting.IMPERSONATION, Setting.HEALTH}


def test_impersonation_matters_only_if_the_policy_relies_on_it() -> None:
    assert Setting.IMPERSONATION not in found({**SAFE, ENABLED: "false"}, impersonation=False)


def test_the_health_of_our_kinds_matters_on_the_hub_alone() -> None:
    assert found({key: value for key, value in SAFE.items() if key not in HEALTH}, hub=False) == {}


EXCLUSIONS: dict[str, tuple[str, str, str | None]] = {
    "none": ("", "", None),
    "a comment": ("# nothing\n", "", None),
    "stock": (STOCK, "", None),
    "a kind of projects": ("- {apiGroups: [apps], kinds: [Deployment]}", "", "it does not see Deployment.apps"),
    "a kind in every group": ("- {kinds: [Secret]}", "", "it does not see Secret"),
    "a group by a pattern": ("- {apiGroups: ['*.openshift.io']}", "", "it does not see Route.route.openshift.io"),
    "groups in braces": ("- {apiGroups: ['{batch,policy}']}", "", "it does not see CronJob.batch, Job.batch, PodDis"),
    "every kind of a group": ("- {apiGroups: [batch], kinds: ['*']}", "", "it does not see CronJob.batch, Job.batch"),
    "a kind that we make": ("- {kinds: [NetworkPolicy]}", "", "it does not see NetworkPolicy.networking.k8s.io"),
    "ours": ("- {apiGroups: [projectonboarding.io]}", "", "it does not see ProjectOnboarding.projectonboarding.io"),
    "everything": ("- {}", "", "and 31 more"),
    "on this cluster": (f"- {{kinds: [Secret], clusters: ['{SERVER}']}}", "", "it does not see Secret"),
    "on another cluster": ("- {kinds: [Secret], clusters: ['https://other']}", "", None),
    "inclusions of all": ("", "- {apiGroups: ['*'], kinds: ['*'], clusters: ['*']}", None),
    "inclusions without a cluster": ("", "- {apiGroups: ['*']}", None),
    "inclusions of one group": ("", "- {apiGroups: [apps]}", "it does not see ConfigMap, LimitRange, Persist"),
    "inclusions for another cluster": ("", "- {apiGroups: [apps], clusters: ['https://other']}", None),
    "an exclusion wins": ("- {kinds: [Secret]}", "- {}", "it does not see Secret"),
    "no YAML": ("- {", "", "resource.exclusions or resource.inclusions cannot be read"),
    "no list": ("a: b", "", "cannot be read"),
    "no list of texts": ("- {kinds: [1]}", "", "cannot be read"),
    "too long": ("- {kinds: [Endpoints]}\n" * 5000, "", "cannot be read"),
    "an item that is none": ("- nothing", "", "cannot be read"),
}


@pytest.mark.parametrize(("excluded", "included", "words"), EXCLUSIONS.values(), ids=EXCLUSIONS)
def test_what_argo_cd_does_not_see_is_named(excluded: str, included: str, words: str | None) -> None:
    data = {**SAFE, "resource.exclusions": excluded, "resource.inclusions": included}
    message = found(data).get(Setting.EXCLUSIONS, "")
    assert bool(message) is (words is not None)
    assert (words or "") in message


def test_only_kinds_that_the_policy_lets_projects_sync_matter() -> None:
    data = {**SAFE, "resource.exclusions": "- {apiGroups: [batch]}"}
    allowed = [{"group": "apps", "kind": "Deployment"}]
    assert found(data, allowedKinds=allowed) == {}
    more = [{"group": "batch", "kind": "Job"}]
    assert found(data, allowedKinds=allowed, additionalKinds=more) == {Setting.EXCLUSIONS: "it does not see Job.batch"}


TARGET = HostingTargetSpec.model_validate(
    {
        "sites": [
            {"name": "a"},
            {
                "name": "b",
                "kubeconfigSecret": {"name": "site-b"},
                "argocd": {"location": "Site", "namespace": "gitops"},
            },
            {"name": "c", "kubeconfigSecret": {"name": "site-c"}, "argocd": {"destinationServer": "https://c"}},
            {"name": "d", "lost": True, "argocd": {"namespace": "gone"}},
        ]
    }
)


def test_each_argo_cd_is_read_once_for_all_that_it_serves() -> None:
    assert argocds({"main": TARGET, "other": TARGET}) == {
        ArgoCDAt("hub", "argocd"): {SERVER, "https://c"},
        ArgoCDAt("site-b/kubeconfig", "gitops"): {SERVER},
    }


OK = ArgoSettings("ConfigMap argocd/argocd-cm")
BAD = OK._replace(unsafe=(UnsafeSetting(Setting.REVISION_OVERRIDE, "it is open", "close it"),))
DARK = OK._replace(unknown="the operator may not read it")
CONDITIONS: dict[str, tuple[dict[str, ArgoSettings], str | None, str]] = {
    "safe": ({"a": OK, "b": OK, "c": OK}, "SettingsSafe", "is safe"),
    "one is unsafe": ({"a": OK, "b": BAD, "c": OK}, "SettingsUnsafe", "argocd-cm: it is open: close it"),
    "one is unknown": ({"a": OK, "b": DARK, "c": OK}, "SettingsUnknown", "may not read it"),
    "unsafe before unknown": ({"a": DARK, "b": BAD, "c": OK}, "SettingsUnsafe", "may not read it"),
    "unsafe, others not read yet": ({"b": BAD}, "SettingsUnsafe", "close it"),
    "not read yet": ({"a": OK}, None, ""),
    "nothing read yet": ({}, None, ""),
}


@pytest.mark.parametrize(("known", "reason", "words"), CONDITIONS.values(), ids=CONDITIONS)
def test_the_condition_of_a_target_is_that_of_its_worst_argo_cd(
    known: dict[str, ArgoSettings], reason: str | None, words: str
) -> None:
    validity = argocd_validity("main", TARGET, {("main", site): item for site, item in known.items()})
    assert (validity.reason if validity else None) == reason
    assert words in (validity.message if validity else "")
