"""One key, one object: no two objects of a project have one name, and what is admitted keeps its own."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.build.kinds import APPLICATION, NAMESPACE, ObjectKey
from onboarding.build.naming import application_name, ownership_labels
from onboarding.build.revision import Revision
from onboarding.build.wanted import build_wanted
from onboarding.errors import TwiceError
from onboarding.reconcile.admission.revocation import revoke
from onboarding.reconcile.apply.changes import find_changes
from onboarding.reconcile.observed.cached_object import CachedObject, cached_object_of
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from tests.unit.snapshots import (
    GIT,
    OWNER,
    SITES,
    environment,
    live_from,
    policy_of,
    revisions,
    snapshot_of,
    spec_of,
    stored,
)

TARGETS = {
    "main": HostingTargetSpec.model_validate({"sites": SITES[:1]}),
    "twin": HostingTargetSpec.model_validate({"sites": [{**SITES[0], "name": "a"}, {**SITES[1], "name": "a-b"}]}),
}
POLICY = policy_of(
    allowNamespaceNames=True,
    personas=[
        {"name": "admin", "clusterRole": "onboarding:admin", "argocd": ["get", "sync"]},
        {"name": "viewer", "clusterRole": "onboarding:viewer"},
        {"name": "sync", "clusterRole": "onboarding:viewer", "argocd": ["get"]},
    ],
)
Live = Mapping[ObjectKey, CachedObject]
Names = dict[tuple[str, str, str], str]
"""The name of each Application, by environment, site and repository."""


def repository(name: str) -> dict[str, str]:
    return {"name": name, "url": GIT}


def plan_of(spec: ProjectOnboardingSpec, live: Live | None = None) -> ReconcilePlan:
    return make_plan(snapshot_of(spec, live, policy=POLICY, targets=TARGETS))


def names_of(built: tuple[Revision, ...]) -> Names:
    return {
        (item.environment, item.site, repository.name): application_name("shop", item, repository.name)
        for item in built
        for repository in item.repositories
    }


def live_after(spec: ProjectOnboardingSpec, live: Live | None = None) -> Live:
    """Return what is there after a reconcile that nothing stopped."""
    return live_from(build_wanted(OWNER, plan_of(spec, live).building))


FLAPPING = spec_of(environment("a"), environment("a-b"), repositories=[repository("b-c"), repository("c")])
"""Finding F4: both environments wanted Application shop-a-b-c, and the operator wrote it over and over."""


def test_of_two_names_that_join_alike_the_later_one_has_a_hash() -> None:
    names = names_of(plan_of(FLAPPING).building)
    hashed = names["a-b", "a", "c"]
    assert names["a", "a", "b-c"] == "shop-a-b-c"
    assert re.fullmatch(r"shop-a-b-c-[0-9a-f]{8}", hashed)
    assert {key: name for key, name in names.items() if name != hashed} == {
        ("a", "a", "b-c"): "shop-a-b-c",
        ("a", "a", "c"): "shop-a-c",
        ("a-b", "a", "b-c"): "shop-a-b-b-c",
    }
    live = live_after(FLAPPING)
    snapshot = snapshot_of(FLAPPING, live, policy=POLICY, targets=TARGETS)
    assert not find_changes(snapshot, plan_of(FLAPPING, live), lambda _: None)


def test_sites_join_alike_too() -> None:
    spec = spec_of(environment("x", target="twin"), repositories=[repository("b-c"), repository("c")])
    names = names_of(plan_of(spec).building)
    assert names["x", "a", "b-c"] == "shop-x-a-b-c"
    assert re.fullmatch(r"shop-x-a-b-c-[0-9a-f]{8}", names["x", "a-b", "c"])


@pytest.mark.parametrize("order", [("a", "a-b"), ("a-b", "a")])
def test_what_is_admitted_keeps_its_name_whatever_comes_or_goes(order: tuple[str, str]) -> None:
    repositories = [repository("b-c"), repository("c")]
    first, second = (spec_of(environment(name), repositories=repositories) for name in order)
    both = spec_of(*map(environment, sorted(order)), repositories=repositories)
    names = names_of(plan_of(both, live_after(first)).building)
    former = names_of(plan_of(first).building)
    assert {key: names[key] for key in former} == former
    # The rival is gone, and nothing is renamed: a renamed Application is one deleted and one made.
    alone = names_of(plan_of(second, live_after(both, live_after(first))).building)
    assert alone == {key: name for key, name in names.items() if key[0] == order[1]}


def test_a_name_stays_if_the_target_gets_another_site() -> None:
    spec = spec_of(environment("a", target="grows"))
    before = {**TARGETS, "grows": TARGETS["main"]}
    after = {**TARGETS, "grows": TARGETS["twin"]}
    live = live_from(build_wanted(OWNER, make_plan(snapshot_of(spec, policy=POLICY, targets=before)).building))
    names = names_of(make_plan(snapshot_of(spec, live, policy=POLICY, targets=after)).building)
    assert names == {("a", "a", "app"): "shop-a-app", ("a", "a-b", "app"): "shop-a-a-b-app"}


def test_an_application_of_another_environment_is_not_taken_over() -> None:
    """It is being removed, or the annotation of its namespace cannot be read."""
    spec = spec_of(environment("a-b"), repositories=[repository("c")])
    key = ObjectKey("hub", APPLICATION, "argocd", "shop-a-b-c")
    former = revisions(spec_of(environment("a"), repositories=[repository("b-c")]))
    (built,) = (item for item in build_wanted(OWNER, former) if item.key == key)
    names = names_of(plan_of(spec, live_from([built])).building)
    assert re.fullmatch(r"shop-a-b-c-[0-9a-f]{8}", names["a-b", "a", "c"])


def test_a_hash_stays_with_its_application_if_the_annotation_is_lost() -> None:
    live = live_after(FLAPPING)
    (key,) = (key for key in live if key.kind is APPLICATION and re.search(r"-[0-9a-f]{8}$", key.name))
    spec = spec_of(environment("a-b"), repositories=[repository("c")])
    assert names_of(plan_of(spec, {key: live[key]}).building) == {("a-b", "a", "c"): key.name}


def test_a_name_goes_with_its_repository() -> None:
    building = plan_of(FLAPPING).building
    (admitted,) = (item for item in building if item.environment == "a-b")
    assert set(admitted.application_names) == {"c"}
    assert Revision.parse(admitted.canonical.decode()) == admitted
    left = revoke(admitted, FLAPPING.model_copy(update={"repositories": FLAPPING.repositories[:1]}), POLICY, "shop")
    assert left.application_names == {}
    assert b"applicationNames" not in left.canonical


@pytest.mark.parametrize(("owner", "keeps"), [("a", "a"), ("a-b", "a-b"), ("", "a")])
def test_two_that_a_former_version_admitted_under_one_name_are_told_apart(owner: str, keeps: str) -> None:
    former = [item.with_values(application_names={}) for item in revisions(FLAPPING)]
    with pytest.raises(TwiceError, match="Application argocd/shop-a-b-c would be made twice"):
        build_wanted(OWNER, former)
    live = dict(live_from(item for one in former for item in build_wanted(OWNER, [one])))
    key = ObjectKey("hub", APPLICATION, "argocd", "shop-a-b-c")
    if owner:
        (revision,) = (item for item in former if item.environment == owner)
        (built,) = (item for item in build_wanted(OWNER, [revision]) if item.key == key)
        assert built.manifest["metadata"]["labels"] == ownership_labels(OWNER, revision)
        live[key] = cached_object_of(APPLICATION, stored(built.manifest))
    else:
        del live[key]
    names = names_of(plan_of(FLAPPING, live).building)
    kept = {"a": ("a", "a", "b-c"), "a-b": ("a-b", "a", "c")}
    assert [environment for environment, user in kept.items() if names[user] == "shop-a-b-c"] == [keeps]
    assert len(set(names.values())) == 4
    # Also while it is held: what is admitted is built, and that is unique from now on.
    held = FLAPPING.model_copy(update={"mode": "Plan"})
    assert names_of(plan_of(held, live).building) == names


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"namespace": "shop-one"}, {"namespace": "shop-one"}),
        ({}, {"namespace": "shop-x"}),
        ({"namespace": "shop-y"}, {}),
    ],
)
def test_of_two_environments_with_one_namespace_the_later_one_is_held(
    first: dict[str, str], second: dict[str, str]
) -> None:
    one, other = environment("x", **first), environment("y", **second)
    for declared, earlier, later in (((one, other), "x", "y"), ((other, one), "y", "x")):
        plan = plan_of(spec_of(*declared))
        assert {item.environment for item in plan.building} == {earlier}
        assert plan.held[later] == (
            f"environments {earlier!r} and {later!r} have one namespace, "
            f"{first.get('namespace') or second.get('namespace')!r}, and {earlier!r} comes first"
        )
        # The admitted one comes first, whatever stands first in the spec.
        live = live_after(spec_of(*declared))
        assert {item.environment for item in plan_of(spec_of(*reversed(declared)), live).building} == {earlier}


def test_a_namespace_is_shared_by_name_on_clusters_of_their_own() -> None:
    spec = spec_of(
        environment("x", target="twin", sites=["a"], namespace="shop-one"),
        environment("y", target="twin", sites=["a-b"], namespace="shop-one"),
    )
    assert {item.environment for item in plan_of(spec).building} == {"x", "y"}


NAMES = st.sampled_from(("a", "b", "c", "a-b", "b-c", "a-b-c"))
ENVIRONMENTS = st.lists(
    st.fixed_dictionaries(
        {"name": NAMES, "target": st.sampled_from(("main", "twin"))},
        optional={"namespace": st.sampled_from(("shop-a", "shop-a-b", "shop-x"))},
    ),
    max_size=5,
    unique_by=lambda item: item["name"],
)
REPOSITORIES = st.lists(NAMES, min_size=1, max_size=4, unique=True)
FLOWS = st.lists(NAMES, max_size=2, unique=True)
COURSES = st.lists(st.tuples(ENVIRONMENTS, REPOSITORIES, FLOWS), min_size=1, max_size=4)


def course_spec(environments: list[dict[str, Any]], repositories: list[str], flows: list[str]) -> ProjectOnboardingSpec:
    return spec_of(
        *(environment(**item) for item in environments),
        repositories=[repository(name) for name in repositories],
        team={"groups": {"admin": ["admins"], "sync": ["syncers"]}},
        flows=[
            {"name": name, "environment": environments[0]["name"], "port": 80, "justification": "talk"}
            for name in flows
            if environments
        ],
    )


@settings(max_examples=200)
@given(COURSES)
def test_keys_are_unique_and_names_stay_in_every_course(course: list[tuple[Any, Any, Any]]) -> None:
    """Environments and repositories come, go and change places; what was admitted keeps its name as long as it is."""
    live: Live = {}
    names: Names = {}
    for step in course:
        spec = course_spec(*step)
        building = plan_of(spec, live).building
        wanted = build_wanted(OWNER, building)
        for key in (item.key for item in wanted if item.key.kind in (APPLICATION, NAMESPACE)):
            assert len(key.name) <= 63
            assert re.fullmatch(r"shop(-[a-z0-9-]*[a-z0-9])", key.name), key
        now = names_of(building)
        assert {user: now[user] for user in names.keys() & now.keys()} == {
            user: names[user] for user in names.keys() & now.keys()
        }
        live, names = live_from(wanted), now
        # What waited for a namespace of another environment may come now, and nothing else changes.
        settled = names_of(plan_of(spec, live).building)
        assert {user: settled[user] for user in names} == names
