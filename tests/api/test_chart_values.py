"""What a platform sets by values of the chart, or by a patch of the manifests, reaches the operator."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster import ControlPlane
from docs.generate import chart_value
from onboarding import names
from onboarding.settings import Settings
from tests.support.helm import ROOT, Objects, notes, objects, rendered

# Building helm from nothing takes some minutes on two cores.
pytestmark = pytest.mark.timeout(1200)

HOME = "project-onboarding"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
OTHER_THAN_DEFAULT = {
    "policy": "cloud-pi-native",
    "listen": ":9090",
    "workers": 3,
    "writes_in_flight": 5,
    "request_timeout": 12.5,
    "silence_limit": 61,
    "teardown_limit": 1_000_000,
    "allow_login_commands": True,
    "allow_unverified_servers": True,
    "log_format": "console",
    "log_level": "debug",
}
VARIABLES = [
    {"name": "SSL_CERT_FILE", "value": "/authorities/ca.crt"},
    {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
]
EVERYTHING = (
    f'image={{"repository":"registry.example.org:5000/ops/operator","tag":"9.9","digest":"{DIGEST}"}}',
    f"extraEnv={json.dumps(VARIABLES)}",
    'extraVolumes=[{"name":"authorities","configMap":{"name":"authorities"}}]',
    'extraVolumeMounts=[{"name":"authorities","mountPath":"/authorities","readOnly":true}]',
    'podAnnotations={"example.org/scan":"true"}',
    'serviceAccount.annotations={"example.org/role":"onboarding"}',
    'priorityClassName="system-cluster-critical"',
)

OPTIONAL = (
    "extraEnv",
    "extraVolumes",
    "extraVolumeMounts",
    "podAnnotations",
    "priorityClassName",
    "image.digest",
    "serviceAccount.annotations",
    "prometheusRule.labels",
)


def pod_template(found: Objects) -> dict[str, Any]:
    """Return the pod of the operator's Deployment."""
    template: dict[str, Any] = found["Deployment", HOME, names.MANAGER]["spec"]["template"]
    return template


def environment(found: Objects) -> dict[str, str]:
    """Return the variables of the operator that have a value."""
    variables = pod_template(found)["spec"]["containers"][0]["env"]
    assert len({item["name"] for item in variables}) == len(variables)
    return {item["name"]: item["value"] for item in variables if "value" in item}


def read(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings that the program reads from variables."""
    for name in os.environ:
        if name.startswith("ONBOARDING_"):
            monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_the_program_reads_every_setting_that_the_chart_was_given(
    render: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert OTHER_THAN_DEFAULT.keys() == Settings.model_fields.keys() - {"namespace", "kubeconfig"}
    values = [f"{chart_value(name)}={json.dumps(value)}" for name, value in OTHER_THAN_DEFAULT.items()]
    found = rendered(render(*values))
    settings = read(environment(found), monkeypatch)
    assert settings.model_dump(exclude={"namespace", "kubeconfig"}) == OTHER_THAN_DEFAULT
    ports = pod_template(found)["spec"]["containers"][0]["ports"]
    assert [(port["name"], port["containerPort"]) for port in ports] == [("http", 9090)]


def test_a_setting_that_is_not_named_keeps_the_programs_default(
    render: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = environment(rendered(render()))
    assert variables == {}
    assert read(variables, monkeypatch) == Settings.model_construct()


@pytest.mark.parametrize("value", OPTIONAL)
def test_a_value_of_null_is_as_if_left_out(render: Callable[..., Any], value: str) -> None:
    alerts = "prometheusRule.enabled=true"
    assert rendered(render(alerts, f"{value}=null")) == rendered(render(alerts))


def test_the_pod_follows_its_values(render: Callable[..., Any]) -> None:
    found = rendered(render(*EVERYTHING))
    pod = pod_template(found)
    operator = pod["spec"]["containers"][0]
    assert operator["image"] == f"registry.example.org:5000/ops/operator@{DIGEST}"
    assert environment(found) == {"SSL_CERT_FILE": "/authorities/ca.crt"}
    assert [item["name"] for item in operator["volumeMounts"]] == ["tmp", "authorities"]
    assert pod["spec"]["volumes"][1] == {"name": "authorities", "configMap": {"name": "authorities"}}
    assert pod["spec"]["priorityClassName"] == "system-cluster-critical"
    assert pod["metadata"]["annotations"] == {"example.org/scan": "true"}
    account = found["ServiceAccount", HOME, names.MANAGER]
    assert account["metadata"]["annotations"] == {"example.org/role": "onboarding"}


def test_the_api_server_takes_the_values_strictly(render: Callable[..., Any], installed: ControlPlane) -> None:
    strictly = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "--filename=-"]
    done = installed.kubectl(*strictly, stdin=render(*EVERYTHING).stdout)
    assert "Warning" not in done.stderr


WRONG_VALUES = {
    'policy="mine"': "additional properties 'policy' not allowed",
    "settings.worker=8": "additional properties 'worker' not allowed",
    'settings.kubeconfig="/tmp/kubeconfig"': "additional properties 'kubeconfig' not allowed",
    'settings.namespace="elsewhere"': "additional properties 'namespace' not allowed",
    "settings.workers=0": "at '/settings/workers': minimum",
    'settings.workers="8"': "at '/settings/workers': got string, want integer",
    'settings.listen="8080"': "at '/settings/listen': '8080' does not match pattern",
    'settings.logLevel="loud"': "at '/settings/logLevel': 'loud' does not match pattern",
    'settings.policy=""': "at '/settings/policy': '' does not match pattern",
    'image.digest="latest"': "at '/image/digest': 'latest' does not match pattern",
    'image.repository="operator@sha256:0"': "at '/image/repository'",
    'extraEnv=[{"name":"ONBOARDING_WORKERS","value":"9"}]': "extraEnv: ONBOARDING_WORKERS is a setting of the program",
    'extraEnv=[{"name":"onboarding_Namespace","value":"x"}]': "extraEnv: onboarding_Namespace is a setting of the",
    'extraEnv=[{"name":"A","value":"1"},{"name":"A","value":"2"}]': "extraEnv: A stands there twice",
    'extraEnv=[{"name":"A","value":1}]': "at '/extraEnv/0/value': got number, want string",
    'extraEnv=[{"name":"A"}]': "at '/extraEnv/0': missing property 'valueFrom'",
    'extraVolumes=[{"emptyDir":{}}]': "at '/extraVolumes/0': missing property 'name'",
    'podAnnotations={"example.org/scan":true}': "at '/podAnnotations/example.org~1scan': got boolean, want string",
    'serviceAccount={"create":false}': "additional properties 'create' not allowed",
    'priorityClassName="Very High"': "at '/priorityClassName'",
    'prometheusRule.enabled="yes"': "at '/prometheusRule/enabled': got string, want boolean",
}


@pytest.mark.parametrize("value", WRONG_VALUES)
def test_the_chart_refuses_a_wrong_value_and_names_it(render: Callable[..., Any], value: str) -> None:
    done = render(value)
    assert done.returncode != 0
    assert WRONG_VALUES[value] in done.stderr


def test_chart_and_manifests_have_the_same_alerts(render: Callable[..., Any], control_plane: ControlPlane) -> None:
    alerts = objects(control_plane.kubectl("kustomize", str(ROOT / "manifests" / "monitoring")).stdout)
    plain, found = rendered(render()), rendered(render("prometheusRule.enabled=true"))
    assert {key: item for key, item in found.items() if key not in plain} == alerts
    on_a_site = rendered(render("prometheusRule.enabled=true", 'scope="site"'))
    assert "PrometheusRule" not in {kind for kind, *_ in on_a_site}


def test_the_rule_of_alerts_carries_the_labels_by_which_prometheus_selects_it(render: Callable[..., Any]) -> None:
    labels = '{"release":"monitoring","app.kubernetes.io/part-of":"monitoring"}'
    found = rendered(render("prometheusRule.enabled=true", f"prometheusRule.labels={labels}"))
    rule = found["PrometheusRule", HOME, names.MANAGER]["metadata"]["labels"]
    assert rule["release"] == rule["app.kubernetes.io/part-of"] == "monitoring"
    assert rule["app.kubernetes.io/name"] == names.MANAGER


def shown_on_the_page(word: str) -> str:
    """Return the one block of YAML of the installation page that holds a word."""
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (found,) = (block for block in blocks if word in block)
    return str(found)


@pytest.fixture
def own_kustomization(tmp_path: Path) -> Path:
    """Return a folder with the kustomization that the installation page shows."""
    text = shown_on_the_page("newName: registry.example.org").replace(
        "../manifests", os.path.relpath(ROOT / "manifests", tmp_path.resolve())
    )
    (tmp_path / "kustomization.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_patch_as_the_page_shows_it_sets_settings(
    installed: ControlPlane, own_kustomization: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = objects(installed.kubectl("kustomize", str(own_kustomization)).stdout)
    settings = read(environment(found), monkeypatch)
    assert (settings.policy, settings.teardown_limit) == ("cloud-pi-native", 50)
    assert {item["name"] for item in pod_template(found)["spec"]["containers"][0]["env"]} >= {"ONBOARDING_NAMESPACE"}
    # Whoever applied the manifests applies them again with another policy, and meets no conflict with themselves.
    done = installed.kubectl("apply", "--server-side", "--dry-run=server", "-k", str(own_kustomization))
    assert "deployment.apps/project-onboarding-operator serverside-applied" in done.stdout


def test_the_values_as_the_page_shows_them_are_taken(render: Callable[..., Any]) -> None:
    shown = yaml.safe_load(shown_on_the_page("extraEnv:"))
    found = rendered(render(*(f"{name}={json.dumps(value)}" for name, value in shown.items())))
    assert environment(found) == {"SSL_CERT_FILE": "/authorities/ca.crt"}
    mounts = pod_template(found)["spec"]["containers"][0]["volumeMounts"]
    assert mounts[1:] == shown["extraVolumeMounts"]


def test_the_notes_name_the_policy_in_force_and_where_a_site_is_connected(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    default = Settings.model_fields["policy"].default
    for policy, values in {default: (), "mine": ('settings.policy="mine"',)}.items():
        assert f'follows the OnboardingPolicy "{policy}"' in notes(tmp_path, control_plane.kubeconfig, *values)
    told = notes(tmp_path, control_plane.kubeconfig, 'scope="site"')
    (section,) = re.findall(r'docs/clusters-and-sites.md under "(.+)"', told)
    assert f"\n### {section}\n" in (ROOT / "docs" / "clusters-and-sites.md").read_text(encoding="utf-8")
