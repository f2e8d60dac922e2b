"""Both ways to install give the same objects, the API server takes them, and they hold no more rights than needed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster import ControlPlane
from onboarding import names
from tests.api.access import review, verdicts
from tests.support.helm import CHART, ROOT, Objects, helm, objects, rendered

# Building helm from nothing takes some minutes on two cores.
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="session")
def hub(control_plane: ControlPlane) -> Objects:
    """Return what manifests/install installs."""
    return objects(control_plane.kubectl("kustomize", str(ROOT / "manifests" / "install")).stdout)


@pytest.fixture(scope="session")
def site(control_plane: ControlPlane) -> Objects:
    """Return what manifests/site installs."""
    return objects(control_plane.kubectl("kustomize", str(ROOT / "manifests" / "site")).stdout)


def without_kinds(found: Objects) -> Objects:
    """Leave the custom resource definitions out: helm adds no labels to the files of its crds folder."""
    return {key: item for key, item in found.items() if item["kind"] != "CustomResourceDefinition"}


def test_chart_and_manifests_install_the_same_hub(render: Callable[..., Any], hub: Objects) -> None:
    assert without_kinds(rendered(render())) == without_kinds(hub)


def test_chart_and_manifests_install_the_same_site(render: Callable[..., Any], site: Objects) -> None:
    assert without_kinds(rendered(render('scope="site"'))) == site


def test_chart_and_manifests_let_the_operator_put_repository_secrets_beside_argo_cd(
    render: Callable[..., Any], control_plane: ControlPlane
) -> None:
    more = objects(control_plane.kubectl("kustomize", str(ROOT / "manifests" / "credentials")).stdout)
    for scope in ("hub", "site"):
        without, given = ([f'scope="{scope}"', *value] for value in ([], ['credentials.namespaces=["argocd"]']))
        plain, found = rendered(render(*without)), rendered(render(*given))
        assert {key: item for key, item in found.items() if key not in plain} == more
    role = more["Role", "argocd", "project-onboarding-operator-credentials"]
    assert role["rules"] == [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "patch", "delete"]}]


RECORDING = "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"


def test_chart_and_manifests_record_insiders(render: Callable[..., Any], control_plane: ControlPlane) -> None:
    more = objects(control_plane.kubectl("kustomize", str(ROOT / "manifests" / "insiders")).stdout)
    plain, found = rendered(render()), rendered(render("insiders.enabled=true", served=[RECORDING]))
    assert {key: item for key, item in found.items() if key not in plain} == more
    kinds = ("MutatingAdmissionPolicy", "ValidatingAdmissionPolicy")
    assert more.keys() == {(f"{kind}{part}", "", names.INSIDERS_POLICY) for kind in kinds for part in ("", "Binding")}
    site = rendered(render('scope="site"', "insiders.enabled=true"))
    assert site == rendered(render('scope="site"')), "a site has no projects"


def test_the_chart_refuses_to_record_insiders_on_a_server_that_cannot(
    render: Callable[..., Any], control_plane: ControlPlane, tmp_path: Path
) -> None:
    done = render("insiders.enabled=true")
    assert done.returncode != 0
    assert "insiders.enabled needs the kind MutatingAdmissionPolicy of admissionregistration.k8s.io/v1" in done.stderr
    assert "which Kubernetes serves since 1.36: upgrade the cluster, or leave insiders.enabled out" in done.stderr
    # The real server says by itself what it serves.
    dry = ("--dry-run=server", "--take-ownership", f"--kubeconfig={control_plane.kubeconfig}")
    asked = helm(tmp_path, "install", "onboarding", CHART, *dry, values=["insiders.enabled=true"])
    assert f"name: {names.INSIDERS_POLICY}" in asked.stdout, asked.stderr


def test_the_plain_install_asks_for_no_kind_of_kubernetes_1_36(render: Callable[..., Any], hub: Objects) -> None:
    for found in (hub, rendered(render())):
        assert not [key for key in found if key[0].startswith("Mutating")]


def test_chart_and_manifests_let_the_operator_read_the_settings_of_argo_cd(
    render: Callable[..., Any], control_plane: ControlPlane
) -> None:
    more = objects(control_plane.kubectl("kustomize", str(ROOT / "manifests" / "argocd-settings")).stdout)
    for scope in ("hub", "site"):
        without, given = ([f'scope="{scope}"', *value] for value in ([], ['argocdSettings.namespaces=["argocd"]']))
        plain, found = rendered(render(*without)), rendered(render(*given))
        assert {key: item for key, item in found.items() if key not in plain} == more
    assert more["Role", "argocd", "project-onboarding-operator-argocd-settings"]["rules"] == [
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["argocd-cm"], "verbs": ["get"]}
    ]


def test_a_site_gets_no_operator(hub: Objects, site: Objects) -> None:
    assert {kind for kind, *_ in hub.keys() - site.keys()} >= {"Deployment", "Role", "CustomResourceDefinition"}
    assert {kind for kind, *_ in site.keys() - hub.keys()} == {"ServiceAccount", "ClusterRoleBinding"}
    for policy in names.GUARD_POLICIES:
        assert ("ValidatingAdmissionPolicyBinding", "", policy) in site


def test_the_chart_carries_the_generated_kinds() -> None:
    generated = {path.name: path.read_bytes() for path in (ROOT / "crds").glob("projectonboarding.io_*.yaml")}
    assert {path.name: path.read_bytes() for path in (CHART / "crds").iterdir()} == generated


FOLDERS = ("install", "site", "roles", "credentials", "insiders", "argocd-settings")


def test_the_api_server_takes_every_object_strictly(render: Callable[..., Any], installed: ControlPlane) -> None:
    strictly = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "--filename=-"]
    texts = [render(*values).stdout for values in ([], ['scope="site"'])]
    texts.append(render("insiders.enabled=true", served=[RECORDING]).stdout)
    texts += [installed.kubectl("kustomize", str(ROOT / "manifests" / folder)).stdout for folder in FOLDERS]
    for text in texts:
        # A pod that its namespace's security level refuses shows as a warning on the Deployment.
        assert "Warning" not in installed.kubectl(*strictly, stdin=text).stderr


WRONG_VALUES = {
    'scope="spoke"': "at '/scope': value must be one of 'hub', 'site'",
    'namespace="kube-system"': "at '/namespace': 'kube-system' does not match pattern",
    'image.pullPolicy="Sometimes"': "at '/image/pullPolicy': value must be one of",
    "imge={}": "additional properties 'imge' not allowed",
    'guard.neverExempt=["it\'s me"]': "at '/guard/neverExempt/0'",
    'guard.argocdNamespaces=["argocd:argocd-server"]': "at '/guard/argocdNamespaces/0'",
    'guard.groupPrefix="it\'s"': "at '/guard/groupPrefix'",
    'guard.groupPrefix="system:"': "at '/guard/groupPrefix'",
    'credentials.namespaces=["*"]': "at '/credentials/namespaces/0'",
    'argocdSettings.namespaces=["*"]': "at '/argocdSettings/namespaces/0'",
    'resources.limits.memory="lots"': "at '/resources/limits/memory': 'lots' does not match pattern",
    'bindableClusterRoles=["cluster-admin"]': "cluster-admin is never given to a project",
}


@pytest.mark.parametrize("value", WRONG_VALUES)
def test_the_chart_refuses_a_wrong_value_and_names_it(render: Callable[..., Any], value: str) -> None:
    done = render(value)
    assert done.returncode != 0
    assert WRONG_VALUES[value] in done.stderr


def test_the_chart_follows_its_values(render: Callable[..., Any]) -> None:
    found = rendered(
        render(
            'namespace="project-onboarding-two"',
            'guard.operators=["hub@example.org"]',
            'guard.deciders=["system:serviceaccount:ci:releases"]',
            'guard.neverExempt=["robot-1","robot-2"]',
            'guard.argocdNamespaces=["gitops","gitops-two"]',
            "guard.controllers=[]",
            "insiders.enabled=true",
            'guard.groupPrefix="oidc:"',
            'bindableClusterRoles=["acme:auditor"]',
            'tolerations=[{"operator":"Exists"}]',
            served=[RECORDING],
        )
    )
    assert not [key for key in found if key[1] == "project-onboarding"]
    operators = [f"system:serviceaccount:project-onboarding-two:{names.MANAGER}"]
    operators += ["system:serviceaccount:project-onboarding-two:project-onboarding-site", "hub@example.org"]
    kinds = ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy")
    policies = {key[:3:2]: item["spec"] for key, item in found.items() if key[0] in kinds}
    assert len(policies) == len(names.GUARD_POLICIES) + len(names.HUB_GUARD_POLICIES) + len(kinds)
    for policy in policies.values():
        assert {item["name"]: yaml.safe_load(item["expression"]) for item in policy["variables"][:5]} == {
            "operators": operators,
            "deciders": ["system:serviceaccount:ci:releases"],
            "neverExempt": ["robot-1", "robot-2"],
            "argocdNamespaces": ["gitops", "gitops-two"],
            "controllers": [],
        }
    prefixes = {
        item["name"]: item["expression"] for item in policies[kinds[0], names.HUB_GUARD_POLICIES[0]]["variables"]
    }
    assert prefixes["groupPrefix"] == "'oidc:'"
    conditions = {name: str(policy.get("matchConditions")) for name, policy in policies.items()}
    assert {name for name, condition in conditions.items() if "hub@example.org" not in condition} == {
        (kinds[0], "project-onboarding-decisions"),
        (kinds[0], names.INSIDERS_POLICY),
    }
    binds = [rule for rule in rules(found, "project-onboarding-operator-site") if rule["verbs"] == ["bind"]]
    assert "acme:auditor" in binds[0]["resourceNames"]
    pod = found["Deployment", "project-onboarding-two", names.MANAGER]["spec"]["template"]["spec"]
    assert len(pod["tolerations"]) == 3
    assert "system:serviceaccount:project-onboarding:" not in json.dumps(list(found.values()))


def rules(found: Objects, name: str, namespace: str = "") -> list[dict[str, Any]]:
    return found["Role" if namespace else "ClusterRole", namespace, name]["rules"]


def every_rule(found: Objects) -> Iterator[tuple[str, dict[str, Any]]]:
    for (kind, _, name), item in found.items():
        if kind in {"Role", "ClusterRole"}:
            # An aggregated role names none: its rules are those of others.
            for rule in item.get("rules", ()):
                yield name, rule


def test_no_role_holds_a_wildcard_or_a_verb_that_leads_to_more(hub: Objects) -> None:
    for name, rule in every_rule(hub):
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]], name
        assert not {"escalate", "impersonate"} & set(rule["verbs"]), name
        assert "bind" not in rule["verbs"] or rule["resourceNames"], name


def test_the_operator_reads_secrets_in_its_own_namespace_alone(hub: Objects) -> None:
    for name in ("project-onboarding-operator-hub", "project-onboarding-operator-site"):
        assert not [rule for rule in rules(hub, name) if "secrets" in rule["resources"]]
    own = rules(hub, names.MANAGER, "project-onboarding")
    assert [rule["verbs"] for rule in own if "secrets" in rule["resources"]] == [["get"]]


def test_the_operator_writes_reports_of_its_own_kinds_and_nothing_of_their_specs(hub: Objects) -> None:
    written = {
        (resource, *rule["verbs"])
        for rule in rules(hub, "project-onboarding-operator-hub")
        if rule["apiGroups"] == [names.GROUP] and "list" not in rule["verbs"]
        for resource in rule["resources"]
    }
    kinds = ("hostingtargets", "onboardingpolicies", "projectonboardings")
    # Of projects themselves the finalizer, which an admission policy sees to.
    assert written == {("projectonboardings", "patch"), *((f"{kind}/status", "patch") for kind in kinds)}
    events = rules(hub, f"{names.MANAGER}-events", "default")
    assert events == [{"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"]}]


def test_the_operator_looks_at_the_guard_rails_and_changes_none(hub: Objects) -> None:
    asked = [rule for _, rule in every_rule(hub) if "admissionregistration.k8s.io" in rule["apiGroups"]]
    kinds = ["validatingadmissionpolicies", "validatingadmissionpolicybindings"]
    assert [(rule["resources"], rule["verbs"]) for rule in asked] == [(kinds, ["list", "watch"])]


def test_every_rule_of_admission_fails_closed(hub: Objects) -> None:
    policies = {key[2]: item["spec"] for key, item in hub.items() if key[0] == "ValidatingAdmissionPolicy"}
    bindings = {key[2]: item["spec"] for key, item in hub.items() if key[0] == "ValidatingAdmissionPolicyBinding"}
    former = bindings.pop(names.FORMER_DETACHED_BINDING)
    assert former["policyName"] == names.FORMER_DETACHED_BINDING, "bound as it was: only its UID counts"
    assert policies.keys() == bindings.keys() > set(names.GUARD_POLICIES)
    for name, policy in policies.items():
        assert policy["failurePolicy"] == "Fail"
        assert bindings[name]["policyName"] == name
        assert bindings[name]["validationActions"] == ["Deny"]
        probe, *others = policy["validations"]
        assert f"guard probe refused (rule {name})" in probe["message"]
        assert all(validation["messageExpression"] for validation in others)


READ, WRITE = ["get", "list", "watch"], ["create", "update", "patch", "delete"]
WORKLOAD = ["deployments.apps", "cronjobs.batch", "ingresses.networking.k8s.io", "services", "configmaps"]
RAILS = ["networkpolicies.networking.k8s.io", "resourcequotas", "limitranges"]
ACCESS = ["roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io"]
NEVER = [(WRITE, RAILS), (["create"], ["serviceaccounts/token"]), (["patch"], ["namespaces"])]
IMPERSONATE = (["impersonate"], ["serviceaccounts", "users", "groups"])
RIGHTS = {
    "viewer": (
        [(READ, WORKLOAD + RAILS)],
        [(WRITE, WORKLOAD + ACCESS), (READ, ["secrets"]), (["create"], ["pods/exec"])],
    ),
    "developer": (
        [(READ + WRITE, [*WORKLOAD, "secrets"]), (["create"], ["pods/exec"])],
        [(WRITE, ["serviceaccounts", *ACCESS])],
    ),
    "admin": ([(READ + WRITE, [*WORKLOAD, "secrets", "serviceaccounts"]), (READ, RAILS + ACCESS)], [(WRITE, ACCESS)]),
    # What it gives in a Role or a RoleBinding the API server holds to what it has itself.
    "sync": (
        [(READ + WRITE, [*WORKLOAD, *ACCESS, "secrets", "serviceaccounts"])],
        [(["create"], ["pods/exec"]), (["bind", "escalate"], ACCESS)],
    ),
}


@pytest.mark.parametrize("role", RIGHTS)
def test_a_tenant_role_gives_its_rights_and_no_way_around_the_guard_rails(installed: ControlPlane, role: str) -> None:
    group = f"packaged-{role}"
    bound = [f"--clusterrole=onboarding:{role}", f"--group={group}", "--namespace=default"]
    installed.kubectl("create", "rolebinding", group, *bound)
    allowed, refused = RIGHTS[role]
    for expected, table in ((True, allowed), (False, [*refused, *NEVER, IMPERSONATE])):
        asked = [(verb, kind) for verbs, kinds in table for verb in verbs for kind in kinds]
        answers = verdicts(installed, [review(group, verb, kind, namespace="default") for verb, kind in asked])
        assert [ask for ask, answer in zip(asked, answers, strict=True) if answer is not expected] == []
