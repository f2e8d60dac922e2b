"""What the policy on the operator's account lets pass: all that is built, the largest too, and the way from before."""

import os
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import Manifest
from onboarding.build.permitted import GUARD_KINDS
from tests.api.largest import LARGEST, doubled
from tests.golden.test_golden import INPUTS, built
from tests.support.account import NAMESPACES, RULE, Account, collection, lists_of_golden_files, place
from tests.support.api import Api
from tests.support.installing import ROOT

KIND = "ValidatingAdmissionPolicy"
ENFORCE = f"{names.POD_SECURITY_PREFIX}enforce"


@pytest.fixture(scope="module")
def admin(installed: ControlPlane) -> Api:
    return Api(installed)


@pytest.fixture(scope="module")
def account(installed: ControlPlane) -> Iterator[Account]:
    with lists_of_golden_files(installed) as account:
        yield account


@pytest.fixture
def made(admin: Api) -> Iterator[list[Manifest]]:
    """Delete what a test made."""
    made: list[Manifest] = []
    yield made
    for manifest in reversed(made):
        admin.text("DELETE", place(manifest))


@pytest.mark.parametrize("name", INPUTS)
def test_everything_that_is_built_is_admitted(account: Account, made: list[Manifest], name: str) -> None:
    """Two sites may have a namespace of one name, of which this cluster has one."""
    places = {place(item.manifest): item.manifest for item in built(name)}
    namespaces = [path for path, manifest in places.items() if manifest["kind"] == "Namespace"]
    for path, manifest in places.items():
        account.does("POST", collection(manifest), manifest, dry=path not in namespaces)
        if path in namespaces:
            made.append(manifest)
    assert namespaces


SHOP = {item.manifest["kind"]: item.manifest for item in built("production") if "shop-prod" not in str(item.key)}
LABELS = SHOP["Namespace"]["metadata"]["labels"]
WIDE = {
    "AppProject": {"spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}], "roles": []}},
    "Application": {"spec": {"project": "default", "destination": {"name": "in-cluster", "namespace": "kube-system"}}},
}
"""Objects that nobody makes any more."""
CORRECTED = {
    "AppProject": {},
    "Application": {"destination": {**SHOP["Application"]["spec"]["destination"], "name": None}},
}
TOUCHED = {"AppProject": {"spec": {"description": "x"}}, "Application": {"spec": {"source": {"path": "x"}}}}


@pytest.mark.parametrize("kind", WIDE)
def test_an_object_from_before_these_rules_is_corrected_finalized_and_deleted(
    account: Account, admin: Api, made: list[Manifest], kind: str
) -> None:
    """Nothing of it may be written again but what is in order now."""
    wanted = deepcopy(SHOP[kind])
    wanted["metadata"]["name"] = wanted["metadata"]["labels"][names.LABEL_PROJECT] = "shop-old"
    if kind == "Application":
        wanted["spec"]["project"] = "shop-old"
    else:
        wanted["spec"]["roles"] = []
    old = {**wanted, "spec": {**wanted["spec"], **WIDE[kind]["spec"]}}
    admin.create(collection(old), old)
    made.append(old)
    patching = {"Content_Type": "application/merge-patch+json"}
    account.does("PATCH", place(old), {"metadata": {"finalizers": [names.CASCADE_FINALIZER]}}, **patching)
    account.does("PATCH", place(old), {"metadata": {"annotations": {names.ANNOTATION_CREDENTIALS: "a"}}}, **patching)
    account.does("DELETE", place(old))
    account.does("PATCH", place(old), {"spec": {**wanted["spec"], **CORRECTED[kind]}}, **patching)
    status, text = account.answer("PATCH", place(old), TOUCHED[kind], **patching)
    assert status == 403, text
    assert f"refused (rule {RULE})" in text


def test_what_others_write_stops_no_change(account: Account, admin: Api, made: list[Manifest]) -> None:
    application = SHOP["Application"]
    metadata = {**application["metadata"], "annotations": {"notifications.argoproj.io/subscribe": "theirs"}}
    operation = {"sync": {"revision": "main"}}
    admin.create(collection(application), {**application, "metadata": metadata, "operation": operation})
    made.append(application)
    patching = {"Content_Type": "application/merge-patch+json"}
    account.does("PATCH", place(application), {"spec": {"syncPolicy": {"automated": None}}}, **patching)
    other = {"operation": {"sync": {"revision": "evil"}}}
    account.meets("starts no sync (operation)", "PATCH", place(application), other, **patching)


def test_access_is_taken_away_and_detached_wherever_it_is(account: Account, admin: Api, made: list[Manifest]) -> None:
    """A RoleBinding from before, of another role and for everybody, in a namespace that lost its labels."""
    metadata = {"name": "left", "namespace": "content-left", "labels": LABELS}
    api = "rbac.authorization.k8s.io"
    group, everybody = ({"apiGroup": api, "kind": "Group", "name": name} for name in ("devs", "system:authenticated"))
    binding = {
        "apiVersion": f"{api}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": "view"},
        "subjects": [group, everybody],
    }
    made.append({"kind": "Namespace", "metadata": {"name": "content-left"}})
    admin.create(NAMESPACES, made[0])
    admin.create(collection(binding), binding)
    patching = {"Content_Type": "application/merge-patch+json"}
    account.does("PATCH", place(binding), {"subjects": [group]}, **patching)
    account.does("PATCH", place(binding), {"subjects": None}, **patching)
    account.does("PATCH", place(binding), {"metadata": {"labels": {names.LABEL_INSTALLATION: None}}}, **patching)
    account.does("DELETE", place(binding))
    more = {"subjects": [group, {**group, "name": "more"}]}
    account.meets("nobody is given rights in it", "PATCH", place(binding), more, **patching)


def test_a_namespace_below_the_level_is_kept_and_raised(account: Account, admin: Api, made: list[Manifest]) -> None:
    old = {"kind": "Namespace", "metadata": {"name": "content-old", "labels": {**LABELS, ENFORCE: "privileged"}}}
    made.append(old)
    admin.create(NAMESPACES, old)
    patching = {"Content_Type": "application/merge-patch+json"}
    for labels in ({"a": "b"}, {ENFORCE: "baseline"}, {ENFORCE: "restricted"}, {names.LABEL_INSTALLATION: None}):
        account.does("PATCH", place(old), {"metadata": {"labels": labels}}, **patching)
    account.does("PATCH", place(old), {"metadata": {"labels": {ENFORCE: "restricted"}}}, dry=False, **patching)
    account.meets(
        "level 'privileged' (metadata", "PATCH", place(old), {"metadata": {"labels": {ENFORCE: None}}}, **patching
    )


def test_a_token_controller_stands_in_no_way(account: Account, admin: Api, made: list[Manifest]) -> None:
    sync = {**SHOP["ServiceAccount"], "secrets": [{"name": "token"}], "imagePullSecrets": [{"name": "pull"}]}
    made.append(sync)
    admin.create(collection(sync), sync)
    patching = {"Content_Type": "application/merge-patch+json"}
    account.does("PATCH", place(sync), {"automountServiceAccountToken": True}, **patching)
    account.meets("writes neither", "PATCH", place(sync), {"secrets": [{"name": "other"}]}, **patching)


@pytest.mark.parametrize("kind", LARGEST)
def test_half_of_the_budget_of_cel_is_left(account: Account, admin: Api, made: list[Manifest], kind: str) -> None:
    """The largest object that the model allows, with every list doubled, costs too little to be refused for it."""
    largest, twice = LARGEST[kind], doubled(LARGEST[kind])
    namespace = largest["metadata"]["namespace"]
    if kind == "RoleBinding":
        made.append({**deepcopy(SHOP["Namespace"]), "metadata": {"name": namespace, "labels": LABELS}})
        admin.create(NAMESPACES, made[0])
    account.does("POST", collection(twice), twice)
    admin.create(collection(largest), largest)
    made.append(largest)
    twice["metadata"]["resourceVersion"] = account.read(place(largest))["metadata"]["resourceVersion"]
    account.does("PUT", place(largest), twice)


VARIABLES: dict[str, str] = {
    item["name"]: item["expression"]
    for item in yaml.safe_load(
        (ROOT / f"manifests/cluster/policy-{RULE.removeprefix('project-onboarding-')}.yaml").read_text()
    )["spec"]["variables"]
}


def test_the_roles_that_are_bound_are_those_that_rbac_lets_be_bound() -> None:
    role = yaml.safe_load((ROOT / "manifests/cluster/clusterrole-site.yaml").read_text())
    (allowed,) = (rule["resourceNames"] for rule in role["rules"] if rule["verbs"] == ["bind"])
    assert yaml.safe_load(VARIABLES["bindable"]) == allowed


def test_the_names_that_are_reserved_are_those_that_no_environment_can_declare() -> None:
    definition = yaml.safe_load((ROOT / "crds/projectonboarding.io_projectonboardings.yaml").read_text())
    assert f"!self.matches({VARIABLES['reserved']})" in str(definition)


def test_the_kinds_that_are_never_synced_are_those_of_the_builder() -> None:
    (listed,) = re.findall(r"kind in (\[.*?\])", VARIABLES["kindsAreExact"])
    assert set(yaml.safe_load(listed)) == {f"{group}/{kind}" for group, kind in GUARD_KINDS}


def test_the_levels_are_those_of_the_shipped_profiles() -> None:
    found: set[str] = set()
    for file in (ROOT / "manifests" / "profiles").rglob("*.yaml"):
        for item in yaml.safe_load_all(file.read_text()):
            if item and item["kind"] == "OnboardingPolicy":
                found.add(item["spec"].get("podSecurity", {}).get("enforce", "restricted"))
    assert found == {"restricted"}


BLOCK = re.compile(r"<!-- guard-account:begin -->\n```yaml\n(.*?)```\n<!-- guard-account:end -->", re.DOTALL)


def test_the_patch_of_the_documentation_sets_what_this_policy_alone_has(
    installed: ControlPlane, tmp_path: Path
) -> None:
    (text,) = BLOCK.findall((ROOT / "docs/guard-rails.md").read_text())
    folder = os.path.relpath(ROOT / "manifests/site", tmp_path)
    (tmp_path / "kustomization.yaml").write_text(f"resources: [{folder}]\n{text}")
    items = yaml.safe_load_all(installed.kubectl("kustomize", str(tmp_path)).stdout)
    (policy,) = (item for item in items if (item["kind"], item["metadata"]["name"]) == (KIND, RULE))
    lists = {item["name"]: yaml.safe_load(item["expression"]) for item in policy["spec"]["variables"][5:8]}
    assert lists["podSecurity"] == ["restricted", "baseline"]
    assert lists["appProjects"] == ["default", "platform"]
    assert lists["bindable"][-1] == "acme:auditor"
