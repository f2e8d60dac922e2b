"""With the prefix of the documentation, administrators of a project are known by the prefixed form of their group."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devcluster import ControlPlane
from onboarding import names
from tests.api.persons import Person, patch
from tests.api.test_guard_lists import ROOT, as_list, rendered
from tests.support.waiting import wait_until

RULE = names.HUB_GUARD_POLICIES[0]
KIND = "projectonboarding"
BLOCK = re.compile(r"<!-- group-prefix:begin -->\n```yaml\n(.*?)```\n<!-- group-prefix:end -->", re.DOTALL)
DECLARED = {"bare": "team-a", "prefixed": "oidc:team-a", "of-kubernetes": "oidc:system:authenticated"}
"""The administrators that each project declares, by the name of the project."""
MEMBERS: dict[str, tuple[str, set[str]]] = {
    "a member in the form of the API server": ("oidc:team-a", {"bare", "prefixed"}),
    "another authenticator's group of the bare name": ("team-a", set()),
    "another group of the identity provider": ("oidc:team-b", set()),
    "the prefix twice": ("oidc:oidc:team-a", set()),
    "capitals": ("oidc:Team-A", set()),
    "another prefix": ("ldap:team-a", set()),
    "nothing but the prefix": ("oidc:", set()),
}
"""A group that somebody is in, and the projects that they may change."""


def project(name: str, group: str) -> dict[str, Any]:
    owner = {"name": "Ada", "email": "ada@example.org"}
    live = {"name": "live", "stage": "prod", "groups": {"admin": [group]}}
    spec = {"owner": owner, "team": {"groups": {"admin": [group]}}, "environments": [live]}
    return {"apiVersion": names.API_VERSION, "kind": "ProjectOnboarding", "metadata": {"name": name}, "spec": spec}


def member(installed: ControlPlane, group: str) -> Person:
    user = "prefix-" + re.sub("[^a-z]+", "-", group.lower())
    return Person(installed, installed.kubeconfig_for(user, ["prefix-people", group]))


def overlay(directory: Path) -> Path:
    """Write the kustomization of the documentation into a folder."""
    (text,) = BLOCK.findall((ROOT / "docs/install.md").read_text())
    install = os.path.relpath(ROOT / "manifests/install", directory)
    (directory / "kustomization.yaml").write_text(text.replace("../manifests/install", install))
    return directory


@pytest.fixture(scope="module", autouse=True)
def prefixed(installed: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let everybody write projects by RBAC, and put the prefix of the documentation in force until the last test."""
    admin = Person(installed, installed.kubeconfig)
    writes = f"--resource={KIND}s.{names.GROUP}"
    admin.does("create", "clusterrole", "prefix", "--verb=create,get,list,update,patch,delete", writes)
    admin.does("create", "clusterrolebinding", "prefix", "--clusterrole=prefix", "--group=prefix-people")
    before = rendered(admin, ROOT / "manifests/install")
    after = rendered(admin, overlay(tmp_path_factory.mktemp("prefix")))
    assert [one["metadata"]["name"] for one, other in zip(before, after, strict=True) if one != other] == [RULE]
    admin.does("create", "--filename=-", body=as_list([project(*item) for item in DECLARED.items()]))
    admin.does("replace", "--filename=-", body=as_list(after))
    own = member(installed, "oidc:team-a")
    wait_until(lambda: not own.refusal(*edit("bare")), what="the prefix is known")
    yield
    admin.does("replace", "--filename=-", body=as_list(before))
    wait_until(lambda: own.is_refused_by(RULE, *edit("bare")), what="the prefix is gone")
    admin.does("delete", KIND, *DECLARED, "--wait=false")
    admin.does("delete", "clusterrole,clusterrolebinding", "prefix")


def edit(name: str) -> list[str]:
    return patch(KIND, name, {"spec": {"description": "new"}}, "--dry-run=server")


@pytest.mark.parametrize(("group", "projects"), MEMBERS.values(), ids=MEMBERS)
def test_who_is_in_a_declared_group_of_the_identity_provider_changes_the_project_and_nobody_else(
    installed: ControlPlane, group: str, projects: set[str]
) -> None:
    who = member(installed, group)
    changed = {name for name in DECLARED if not who.is_refused_by(RULE, *edit(name))}
    assert changed == projects
    for name in projects:
        who.does(*edit(name))


def test_the_groups_of_an_environment_are_known_by_the_same_form(installed: ControlPlane) -> None:
    live = {"name": "live", "stage": "prod", "groups": {"admin": ["team-a", "more"]}}
    change = patch(KIND, "bare", {"spec": {"environments": [live]}}, "--dry-run=server")
    member(installed, "oidc:team-a").does(*change)
    member(installed, "team-a").meets(RULE, *change)
