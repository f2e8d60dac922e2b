"""Every leaf of the spec is in exactly one group that approvals cover, or in none: proven over the schema."""

from typing import Any

import pytest

from onboarding.api.gates import Actor, Approval, Coverage
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.reconcile.gates.coverage import GROUP_OF, FieldGroups, declared_groups, differences
from onboarding.reconcile.gates.digest import approval_digest
from onboarding.reconcile.gates.fields import flat, pick
from tests.unit.reconcile.gates.test_digest import FULL, LEAVES, TEXTS, Leaf, changed, read
from tests.unit.snapshots import environment, policy_of, spec_of

GATE = {"name": "live", "opens": [{"stages": ["prod"]}]}
POLICY = policy_of(GATE, defaultJourney="standard")
(LIVE,) = POLICY.gates
EVERYTHING = Approval(name="poa", actor=Actor.POA, covers=tuple(Coverage))
SIZE = {"name": "small", "cpu": "2", "memory": "4Gi", "ephemeralStorage": "8Gi", "storage": "10Gi", "pods": 20}
DEV, PROD = environment(), environment("prod", stage="prod")
PINNED = {**PROD, "deployments": [{"repository": "app", "revision": "1" * 40}]}
OWNED = {**PROD, "groups": {"admin": ["own"]}}
APP = {"name": "app", "url": "https://git.example.org/shop.git", "revision": "main"}
FLOW = {"name": "db", "zone": "postgresql", "port": 5432, "justification": "Data"}
NAMES = {"environments.name", "environments.deployments.repository", "flows.environments", "repositories.name"}
"""Names by which items of other lists are found."""
OWN = ("environments.deployments", "environments.groups")
"""What an environment has in the place of the project's."""


def group_of(leaf: Leaf) -> Coverage | None:
    """Return the group of a leaf, by the one entry of the table that it lies under."""
    (entry,) = (path for path in GROUP_OF if leaf.path == path or leaf.path.startswith(f"{path}."))
    return GROUP_OF[entry]


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.path)
def test_a_leaf_is_in_one_group_or_in_none(leaf: Leaf) -> None:
    group_of(leaf)


@pytest.mark.parametrize("path", [path for path, group in GROUP_OF.items() if group])
def test_a_field_is_the_same_whether_all_are_read_or_one(path: str) -> None:
    assert flat(FULL)[path] == pick(FULL, path)


def seen(leaf: Leaf, spec: ProjectOnboardingSpec) -> FieldGroups:
    """Return the groups of the first environment, which has nothing of its own in the place of the leaf."""
    update: dict[str, Any] = {} if leaf.path.startswith(OWN) else {"deployments": (), "groups": {}}
    first = spec.environments[0].model_copy(update=update)
    if leaf.path != "repositories.deploys":
        repositories = tuple(item.model_copy(update={"deploys": True}) for item in spec.repositories)
        spec = spec.model_copy(update={"repositories": repositories})
    return declared_groups(spec, POLICY, first, LIVE)


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if leaf.path not in NAMES], ids=lambda leaf: leaf.path)
def test_a_change_of_a_leaf_moves_its_group_and_no_other(leaf: Leaf) -> None:
    old, new = seen(leaf, read(FULL)), seen(leaf, changed(leaf))
    moved = {group for group in Coverage if old[group] != new[group]}
    group = None if leaf in TEXTS else group_of(leaf)
    # The journey is in every group, and a repository that comes brings its revision.
    whole = {"journey": {*Coverage}, "repositories.deploys": {Coverage.CONFIGURATION, Coverage.RELEASE}}
    assert moved == whole.get(leaf.path, {group} - {None})
    assert all(list(differences(old[group], new[group])) for group in moved)


def test_the_groups_of_a_deciding_persona_are_admission() -> None:
    personas = [
        {"name": "admin", "clusterRole": "onboarding:admin"},
        {"name": "poa", "clusterRole": "onboarding:viewer", "argocd": ["get"], "decides": True},
    ]
    policy = policy_of(GATE, personas=personas)
    prod = environment("prod", stage="prod")
    groups = [{"admin": ["a"], "poa": ["p"]}, {"admin": ["a"], "poa": ["q"]}, {"admin": ["b"], "poa": ["p"]}]
    one, decides, builds = (
        declared_groups(spec, policy, spec.environments[0], policy.gates[0])
        for spec in (spec_of(prod, team={"groups": item}) for item in groups)
    )
    assert {group for group in Coverage if one[group] != decides[group]} == {Coverage.ADMISSION}
    assert {group for group in Coverage if one[group] != builds[group]} == {Coverage.CONFIGURATION}


OTHERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "another environment": ({}, {"environments": [PROD, environment(size="large")]}),
    "a flow of another environment": ({}, {"flows": [{**FLOW, "environments": ["dev"]}]}),
    "a flow that another environment gets, too": (
        {"flows": [{**FLOW, "environments": ["prod"]}]},
        {"flows": [{**FLOW, "environments": ["prod", "dev"]}]},
    ),
    "a revision that this environment does not take": (
        {"repositories": [APP], "environments": [PINNED, DEV]},
        {"repositories": [{**APP, "revision": "next"}], "environments": [PINNED, DEV]},
    ),
    "groups of the team that this environment replaces": (
        {"environments": [OWNED, DEV], "team": {"groups": {"admin": ["a"]}}},
        {"environments": [OWNED, DEV], "team": {"groups": {"admin": ["b"]}}},
    ),
    "the order of lists that have none": (
        {"flows": [FLOW, {**FLOW, "name": "b"}], "environments": [PROD, DEV]},
        {"flows": [{**FLOW, "name": "b"}, FLOW], "environments": [DEV, PROD]},
    ),
}


@pytest.mark.parametrize(("before", "after"), OTHERS.values(), ids=OTHERS)
def test_what_concerns_another_environment_voids_nothing_here(before: dict[str, Any], after: dict[str, Any]) -> None:
    digests = []
    for fields in (before, after):
        items = fields.get("environments", [PROD, DEV])
        spec = spec_of(*items, **{name: value for name, value in fields.items() if name != "environments"})
        prod = next(item for item in spec.environments if item.name == "prod")
        digests.append(approval_digest("prod", EVERYTHING, declared_groups(spec, POLICY, prod, LIVE)))
    assert digests[0] == digests[1]


def test_what_policy_and_target_make_of_a_declaration_is_in_no_digest() -> None:
    spec = spec_of(PROD)
    larger = policy_of(GATE, defaultJourney="standard", sizes=[{**SIZE, "cpu": "64"}])
    one, other = (declared_groups(spec, policy, spec.environments[0], LIVE) for policy in (POLICY, larger))
    assert one == other


def test_people_and_long_values_are_stored_as_a_hash() -> None:
    poa = {"name": "Cy", "email": "cy@example.org"}
    flows = [{**FLOW, "name": f"flow-{number}"} for number in range(20)]
    spec = spec_of(PROD, team={"poa": poa}, flows=flows)
    found = declared_groups(spec, POLICY, spec.environments[0], LIVE)
    assert found[Coverage.ADMISSION]["team.poa"].keys() == {"sha256"}
    assert found[Coverage.CONFIGURATION]["flows"].keys() == {"sha256"}
    more = spec.model_copy(update={"flows": spec.flows[1:]})
    after = declared_groups(more, POLICY, more.environments[0], LIVE)
    assert list(differences(found[Coverage.CONFIGURATION], after[Coverage.CONFIGURATION])) == ["flows changed"]
    assert "cy@example.org" not in str(found)


def test_a_difference_names_the_field_with_the_old_and_the_new_value() -> None:
    before = spec_of(PINNED, flows=[FLOW], team={"groups": {"admin": ["a"]}})
    deployed = [{"repository": "app", "revision": "2" * 40}]
    after = spec_of(
        {**PINNED, "size": "large", "deployments": deployed},
        flows=[{**FLOW, "port": 5433}],
        team={"groups": {"admin": ["a", "b"]}},
    )
    old, new = (declared_groups(spec, POLICY, spec.environments[0], LIVE) for spec in (before, after))
    assert [text for group in Coverage for text in differences(old[group], new[group])] == [
        "environments[prod].size: none → large",
        "flows[db].port: 5432 → 5433",
        "team.groups.admin: [a] → [a, b]",
        f"repositories[app].revision: {'1' * 40} → {'2' * 40}",
    ]
