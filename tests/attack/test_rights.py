"""Attacks on the rights of production: those whose groups are kept out write their own, each in another way."""

from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from typing import Any, NamedTuple

import pytest

from devcluster import ControlPlane
from onboarding import names
from tests.api.persons import Person, patch
from tests.support.waiting import wait_until

RULE = names.HUB_GUARD_POLICIES[0]
KIND = "projectonboarding"
WRITES = f"{KIND}s.{names.GROUP}"
DEVS, LIVE = "rights-devs", "rights-live"
OWNER = {"name": "Ada", "email": "ada@example.org"}


def environment(name: str, *, stage: str = "prod", **groups: list[str]) -> dict[str, Any]:
    return {"name": name, "stage": stage, **({"groups": groups} if groups else {})}


DEV, PROD = environment("dev", stage="dev"), environment("prod", admin=[LIVE], developer=[LIVE])
AUDIT = environment("audit", viewer=["rights-auditors"])
"""Has groups of its own, and the administrators of the team."""


def project(*environments: dict[str, Any], name: str = "rights", **groups: list[str]) -> dict[str, Any]:
    spec = {"owner": OWNER, "team": {"groups": {"admin": [DEVS], **groups}}, "environments": list(environments)}
    return {"apiVersion": names.API_VERSION, "kind": "ProjectOnboarding", "metadata": {"name": name}, "spec": spec}


class People(NamedTuple):
    """Everybody writes projects by RBAC."""

    admin: Person
    """Holds edit, as every verb."""
    team: Person
    """Administrator of the team."""
    live: Person
    """Administrator of production alone."""
    both: Person
    stranger: Person


@pytest.fixture(scope="module")
def people(installed: ControlPlane) -> Iterator[People]:
    """Give everybody the right to write projects, and create one whose production has administrators of its own."""
    admin = Person(installed, installed.kubeconfig)
    admin.does("create", "clusterrole", "rights", "--verb=create,get,list,update,patch,delete", f"--resource={WRITES}")
    admin.does("create", "clusterrolebinding", "rights", "--clusterrole=rights", "--group=rights-people")
    groups = {"team": [DEVS], "live": [LIVE], "both": [DEVS, LIVE], "stranger": ["rights-others"]}
    persons = (
        Person(installed, installed.kubeconfig_for(f"rights-{who}", ["rights-people", *held]))
        for who, held in groups.items()
    )
    people = People(admin, *persons)
    admin.does("create", "--filename=-", body=project(DEV, PROD, AUDIT))
    rename = patch(KIND, "rights", {"metadata": {"labels": {"a": "b"}}}, "--dry-run=server")
    wait_until(partial(people.stranger.is_refused_by, RULE, *rename), what="the policy is enforced")
    yield people
    admin.does("delete", KIND, "rights", "--ignore-not-found", "--wait=false")
    admin.does("delete", "clusterrole,clusterrolebinding", "rights")


def environments(*items: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"environments": list(items)}}


def with_groups(item: dict[str, Any], **groups: list[str]) -> dict[str, Any]:
    return {**deepcopy(item), "groups": groups}


WITHOUT = {key: value for key, value in PROD.items() if key != "groups"}
OF_TEAM: dict[str, dict[str, Any]] = {
    "own group added to production": environments(DEV, with_groups(PROD, admin=[LIVE, DEVS], developer=[LIVE]), AUDIT),
    "own group instead of theirs": environments(DEV, with_groups(PROD, admin=[DEVS], developer=[LIVE]), AUDIT),
    "own group for another persona": environments(DEV, with_groups(PROD, admin=[LIVE], developer=[DEVS]), AUDIT),
    "a persona that had the team's groups": environments(
        DEV, with_groups(PROD, admin=[LIVE], developer=[LIVE], viewer=[DEVS]), AUDIT
    ),
    "a persona taken away, which falls back to the team": environments(DEV, with_groups(PROD, admin=[LIVE]), AUDIT),
    "groups taken away": environments(DEV, WITHOUT, AUDIT),
    "groups emptied": environments(DEV, with_groups(PROD), AUDIT),
    "the environment taken away": environments(DEV, AUDIT),
    "all environments taken away": {"spec": {"environments": None}},
    "the environment renamed": environments(DEV, {**PROD, "name": "live"}, AUDIT),
    "the environment renamed, and another in its place": environments(
        DEV, {**PROD, "name": "live"}, with_groups(PROD, admin=[DEVS]), AUDIT
    ),
    "the team's administrators changed in the same edit": {
        "spec": {**environments(DEV, WITHOUT, AUDIT)["spec"], "team": {"groups": {"admin": [DEVS, LIVE]}}}
    },
}
"""What an administrator of the team tries who is none of production."""


@pytest.mark.parametrize("change", OF_TEAM.values(), ids=OF_TEAM)
def test_groups_of_production_are_changed_by_its_administrators_alone(people: People, change: dict[str, Any]) -> None:
    refusal = people.team.refusal(*patch(KIND, "rights", change, "--dry-run=server"))
    assert f"(rule {RULE})" in refusal
    assert "spec.environments[prod].groups is changed or removed by the administrators of that environment" in refusal
    assert f"({LIVE}). Ask one of them, or a holder of the verb edit on projects" in refusal
    assert "'rights'" in refusal
    for person in (people.both, people.admin):
        person.does(*patch(KIND, "rights", change, "--dry-run=server"))


def test_a_project_is_not_deleted_around_them(people: People) -> None:
    people.team.meets(RULE, "delete", KIND, "rights", "--dry-run=server")
    people.live.meets(RULE, "delete", KIND, "rights", "--dry-run=server")
    people.both.does("delete", KIND, "rights", "--dry-run=server")


FREE: dict[str, dict[str, Any]] = {
    "everything else": {"spec": {"description": "new"}},
    "groups of an environment with the team's administrators": environments(
        DEV, PROD, environment("audit", viewer=["x"])
    ),
    "that environment taken away": environments(DEV, PROD),
    "an environment without groups taken away": environments(PROD, AUDIT),
    "groups of one that had none": environments(with_groups(DEV, admin=[LIVE]), PROD, AUDIT),
    "a new environment with groups": environments(DEV, PROD, AUDIT, environment("next", admin=[DEVS])),
    "the order of environments": environments(AUDIT, PROD, DEV),
    "groups of the team": {"spec": {"team": {"groups": {"admin": [DEVS, "more"], "viewer": ["x"]}}}},
}
"""What an administrator of the team may do."""


@pytest.mark.parametrize("change", FREE.values(), ids=FREE)
def test_an_administrator_of_the_team_changes_what_is_the_teams(people: People, change: dict[str, Any]) -> None:
    people.team.does(*patch(KIND, "rights", change, "--dry-run=server"))


OF_LIVE: dict[str, dict[str, Any]] = {
    "its own groups": environments(DEV, with_groups(PROD, admin=[LIVE, "more"]), AUDIT),
    "its own groups taken away": environments(DEV, WITHOUT, AUDIT),
}
NOT_OF_LIVE: dict[str, dict[str, Any]] = {
    "groups of another environment": environments(with_groups(DEV, admin=[LIVE]), PROD, AUDIT),
    "its environment taken away": environments(DEV, AUDIT),
    "a new environment": environments(DEV, with_groups(PROD, admin=[LIVE, "x"]), AUDIT, environment("y", stage="dev")),
    "another field of its environment": environments(
        DEV, {**with_groups(PROD, admin=[LIVE, "x"]), "autoSync": True}, AUDIT
    ),
    "a field of another environment": environments(
        {**DEV, "autoSync": False}, with_groups(PROD, admin=[LIVE, "x"]), AUDIT
    ),
    "groups of the team": {
        "spec": {
            **environments(DEV, with_groups(PROD, admin=[LIVE, "x"]), AUDIT)["spec"],
            "team": {"groups": {"admin": [DEVS, LIVE]}},
        }
    },
    "a new field of the spec": {
        "spec": {**environments(DEV, with_groups(PROD, admin=[LIVE, "x"]), AUDIT)["spec"], "description": "mine"}
    },
    "a label": {"metadata": {"labels": {"a": "b"}}, **environments(DEV, with_groups(PROD, admin=[LIVE, "x"]), AUDIT)},
    "an annotation": {
        "metadata": {"annotations": {"a": "b"}},
        **environments(DEV, with_groups(PROD, admin=[LIVE, "x"]), AUDIT),
    },
    "the finalizers": {
        "metadata": {"finalizers": [f"{names.GROUP}/other"]},
        **environments(DEV, with_groups(PROD, admin=[LIVE, "x"]), AUDIT),
    },
    "nothing": {},
}


@pytest.mark.parametrize("change", OF_LIVE.values(), ids=OF_LIVE)
def test_an_administrator_of_production_changes_its_groups(people: People, change: dict[str, Any]) -> None:
    people.live.does(*patch(KIND, "rights", change, "--dry-run=server"))
    people.stranger.meets(RULE, *patch(KIND, "rights", change, "--dry-run=server"))


@pytest.mark.parametrize("change", NOT_OF_LIVE.values(), ids=NOT_OF_LIVE)
def test_an_administrator_of_production_changes_nothing_else(people: People, change: dict[str, Any]) -> None:
    people.live.meets(RULE, *patch(KIND, "rights", change, "--dry-run=server"))


def test_the_largest_project_stays_within_the_cost_of_the_rules(people: People) -> None:
    """Twenty environments, each with twenty groups for eight personas, all of them changed at once."""
    personas = ["admin", *(f"p{index}" for index in range(7))]
    groups = {persona: [f"{persona}-{index}-{'g' * 200}" for index in range(19)] for persona in personas}
    large = [with_groups(environment(f"e{index}"), **groups) for index in range(20)]
    body = project(*large, name="rights-large")
    people.admin.does("create", "--filename=-", body=body)
    try:
        mine = [with_groups(item, **{**groups, "admin": [DEVS]}) for item in large]
        changed = project(*mine, name="rights-large")
        people.team.meets(RULE, "replace", "--dry-run=server", "--filename=-", body=changed)
        people.admin.does("replace", "--dry-run=server", "--filename=-", body=changed)
    finally:
        people.admin.does("delete", KIND, "rights-large", "--wait=false")
