"""Access that is given anew elsewhere is taken away after that, and never where that fails or waits."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from onboarding import names
from onboarding.build.kinds import (
    APPLICATION,
    LIMIT_RANGE,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    ObjectKey,
    Wanted,
)
from onboarding.build.revision import Binding
from onboarding.build.wanted import build_wanted
from onboarding.errors import ApiError
from onboarding.reconcile.apply.diff import Action, Change, Rank, diff_objects
from onboarding.reconcile.apply.outcome import Outcome, Result
from tests.unit.fakes import FakeCluster
from tests.unit.reconcile.apply.test_access_last import DOWN, work
from tests.unit.snapshots import GIT, OWNER, environment, revisions, spec_of

Access = dict[str, set[str]]
"""The groups by the name of their RoleBinding."""


def admin(*groups: str, role: str = "a") -> Binding:
    return Binding(persona="admin", cluster_role=role, groups=groups)


def viewer(*groups: str, role: str = "v") -> Binding:
    return Binding(persona="viewer", cluster_role=role, groups=groups)


class Troubled(FakeCluster):
    """A cluster that refuses certain writes on RoleBindings, by the beginning of their names."""

    refused: tuple[str, str] = ("", "")

    def _meet(self, verb: str, key: ObjectKey) -> None:
        super()._meet(verb, key)
        if key.kind is ROLE_BINDING and verb == self.refused[0] and key.name.startswith(self.refused[1]):
            raise DOWN

    def let(self, trouble: str) -> None:
        """Let something be in the way of what gives access."""
        quota = next(key for key in self.objects if key.kind is RESOURCE_QUOTA)
        limits = next(key for key in self.objects if key.kind is LIMIT_RANGE)
        if trouble == "unconfirmed":
            self.counting = False
            self.objects[quota] = {**self.objects[quota], "status": {}}
        elif trouble == "limits":
            self.objects[limits] = {**self.objects[limits], "spec": {"limits": []}}
            self.broken["change", LIMIT_RANGE.kind] = DOWN
        elif trouble:
            self.refused = (trouble, "")

    def mend(self) -> None:
        """Let nothing be in the way any more."""
        self.counting, self.broken, self.refused = True, {}, ("", "")
        self.count()


def build(*bindings: Binding, repository: str = "app") -> list[Wanted]:
    """Return what a project with these bindings and this repository wants, if any."""
    repositories = [{"name": repository, "url": GIT}] if repository else []
    found = revisions(spec_of(environment(), repositories=repositories))
    return build_wanted(OWNER, [revision.model_copy(update={"bindings": bindings}) for revision in found])


def in_place(wanted: Sequence[Wanted]) -> Troubled:
    cluster = Troubled()
    for item in wanted:
        cluster.put(item.key, item.manifest)
    return cluster


async def edit(cluster: FakeCluster, wanted: Sequence[Wanted]) -> list[Outcome]:
    """Make one pass towards what is wanted now."""
    live = cluster.owned("shop")
    gone = [key for key in live if key not in {item.key for item in wanted}]
    prune = [Change(Action.DELETE, key, Rank.REMOVALS, "dev", "hub", None, live[key]) for key in gone]
    return await work(cluster, [*diff_objects(wanted, live), *prune])


def binding_writes(cluster: FakeCluster) -> list[tuple[str, str]]:
    return [(verb, key.name) for verb, key in cluster.log if key.kind is ROLE_BINDING]


def access(cluster: FakeCluster) -> Access:
    """Return who is in by which RoleBinding."""
    return {
        key.name: {subject["name"] for subject in item["subjects"]}
        for key, item in cluster.objects.items()
        if key.kind is ROLE_BINDING and not key.name.startswith("sync:")
    }


BEFORE = (admin("ada", "gus"), viewer("vic"))
THERE: Access = {"admin:a": {"ada", "gus"}, "viewer:v": {"vic"}}
HOLDING = ("unconfirmed", "limits", "create")
TROUBLES = (*HOLDING, "change")
"""The quota is not confirmed, the LimitRange is refused, and so are creations and changes of RoleBindings."""
EDITS: dict[str, tuple[tuple[Binding, ...], Access, dict[str, Access]]] = {
    "roles changed": (
        (admin("ada", "gus", role="a2"), viewer("vic", role="v2")),
        {"admin:a2": {"ada", "gus"}, "viewer:v2": {"vic"}},
        dict.fromkeys(HOLDING, THERE),
    ),
    "role changed as a group leaves": (
        (admin("ada", role="a2"), viewer("vic")),
        {"admin:a2": {"ada"}, "viewer:v": {"vic"}},
        {trouble: {"admin:a": {"ada"}, "viewer:v": {"vic"}} for trouble in HOLDING},
    ),
    "role and all groups changed": (
        (admin("new", role="a2"), viewer("vic")),
        {"admin:a2": {"new"}, "viewer:v": {"vic"}},
        {trouble: {"viewer:v": {"vic"}} for trouble in HOLDING},
    ),
    "group removed": (
        (admin("ada"), viewer("vic")),
        {"admin:a": {"ada"}, "viewer:v": {"vic"}},
        {"change": THERE},
    ),
    "persona removed": ((viewer("vic"),), {"viewer:v": {"vic"}}, {}),
    "group moved": (
        (admin("ada"), viewer("vic", "gus")),
        {"admin:a": {"ada"}, "viewer:v": {"vic", "gus"}},
        {"unconfirmed": THERE, "limits": THERE, "change": THERE},
    ),
    "all groups of a persona moved": (
        (viewer("ada", "gus", "vic"),),
        {"viewer:v": {"ada", "gus", "vic"}},
        {"unconfirmed": THERE, "limits": THERE, "change": THERE},
    ),
    "groups exchanged": (
        (admin("vic"), viewer("ada", "gus")),
        {"admin:a": {"vic"}, "viewer:v": {"ada", "gus"}},
        {"unconfirmed": THERE, "limits": THERE, "change": THERE},
    ),
}
CASES = [(name, trouble) for name in EDITS for trouble in ("", *TROUBLES)]


@pytest.mark.parametrize(("name", "trouble"), CASES, ids=[f"{name}-{trouble or 'well'}" for name, trouble in CASES])
async def test_nobody_is_locked_out_for_what_is_in_the_way_of_the_new_binding(name: str, trouble: str) -> None:
    """Who stays in the team keeps the former access until the new one is written; who left is out at once."""
    bindings, after, meanwhile = EDITS[name]
    cluster = in_place(build(*BEFORE))
    cluster.let(trouble)
    await edit(cluster, build(*bindings))
    assert access(cluster) == meanwhile.get(trouble, after)
    cluster.mend()
    await edit(cluster, build(*bindings))
    assert access(cluster) == after
    assert await edit(cluster, build(*bindings)) == [], "and that is the end of it"


async def test_all_is_well_in_one_pass_and_the_fewest_writes() -> None:
    cluster = in_place(build(*BEFORE))
    outcomes = await edit(cluster, build(admin("ada", "gus", role="a2"), viewer("vic")))
    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    assert binding_writes(cluster) == [("create", "admin:a2"), ("delete", "admin:a")]


async def test_who_left_is_out_before_anything_else_is_done() -> None:
    cluster = in_place(build(*BEFORE))
    await edit(cluster, build(admin("ada", role="a2"), viewer("vic")))
    assert binding_writes(cluster) == [("change", "admin:a"), ("create", "admin:a2"), ("delete", "admin:a")]
    assert cluster.log[0][1].name == "admin:a"


async def test_of_an_exchange_of_which_one_half_is_refused_nobody_is_the_loser() -> None:
    cluster = in_place(build(*BEFORE))
    cluster.refused = ("change", "viewer")
    wanted = build(admin("vic"), viewer("ada", "gus"))
    await edit(cluster, wanted)
    assert access(cluster) == {"admin:a": {"ada", "gus", "vic"}, "viewer:v": {"vic"}}
    cluster.mend()
    await edit(cluster, wanted)
    assert access(cluster) == {"admin:a": {"vic"}, "viewer:v": {"ada", "gus"}}


async def test_another_environment_replaces_nothing() -> None:
    """A group that is let in elsewhere is out here at once."""
    cluster = in_place(build(*BEFORE))
    live = cluster.owned("shop")
    wanted = build(admin("ada", "gus", role="a2"), viewer("vic"))
    elsewhere = [replace(change, environment="prod") for change in diff_objects(wanted, live)]
    former = ObjectKey("hub", ROLE_BINDING, "shop-dev", "admin:a")
    cluster.let("create")
    await work(cluster, [*elsewhere, Change(Action.DELETE, former, Rank.REMOVALS, "dev", "hub", None, live[former])])
    assert former not in cluster.objects


async def test_a_strangers_binding_under_the_new_name_keeps_no_access_alive() -> None:
    """Else whoever may write RoleBindings could keep more than he shall have, by taking the narrower one's name."""
    cluster = in_place(build(admin("ada")))
    narrow = next(item for item in build(viewer("ada")) if item.key.name == "viewer:v")
    metadata = {"name": "viewer:v", "namespace": "shop-dev", "labels": {}}
    cluster.put(narrow.key, {**narrow.manifest, "metadata": metadata, "subjects": []})
    results = {outcome.change.key: outcome.result for outcome in await edit(cluster, build(viewer("ada")))}
    assert {key.name: result for key, result in results.items() if key.kind is ROLE_BINDING} == {
        "viewer:v": Result.CONFLICT,
        "admin:a": Result.DONE,
    }
    assert access(cluster) == {"viewer:v": set()}


@pytest.mark.parametrize("trouble", ["", *TROUBLES])
@pytest.mark.parametrize("repository", ["renamed", ""], ids=["renamed", "removed"])
async def test_the_application_of_a_renamed_repository_stays_until_the_new_one_is_there(
    repository: str, trouble: str
) -> None:
    """One that nothing replaces goes at once."""
    cluster = in_place(build(*BEFORE))
    cluster.let(trouble)
    await edit(cluster, build(*BEFORE, repository=repository))
    found = {key.name for key in cluster.objects if key.kind is APPLICATION}
    held = trouble in ("unconfirmed", "limits")
    assert found == (({"shop-dev-app"} if held else {"shop-dev-renamed"}) if repository else set())


async def test_the_site_of_an_application_is_not_asked_for() -> None:
    """It lies beside an Argo CD on the hub, and its namespace on another cluster; its deletion knows the hub only."""
    cluster = in_place(build(*BEFORE))
    live = cluster.owned("shop")
    former = next(key for key in live if key.kind is APPLICATION)
    new = [replace(c, cluster="site-b") for c in diff_objects(build(*BEFORE, repository="renamed"), live)]
    cluster.broken["create", APPLICATION.kind] = ApiError(500, "InternalError", "no")
    outcomes = await work(
        cluster, [*new, Change(Action.DELETE, former, Rank.REMOVALS, "dev", "hub", None, live[former])]
    )
    assert Result.SKIPPED in {outcome.result for outcome in outcomes}
    assert former in cluster.objects


@pytest.mark.parametrize("replaced", [True, False])
async def test_a_sync_account_stays_until_the_one_that_replaces_it_is_there(replaced: bool) -> None:
    wanted = build(*BEFORE)
    account = next(item for item in wanted if item.key.kind is SERVICE_ACCOUNT)
    former = account.key._replace(name="former")
    cluster = in_place([item for item in wanted if item is not account or not replaced])
    metadata = {**account.manifest["metadata"], "name": "former", "namespace": names.SYNC_NAMESPACE}
    cluster.put(former, {**account.manifest, "metadata": metadata})
    cluster.let("unconfirmed")
    await edit(cluster, wanted)
    assert (former in cluster.objects) is replaced
    cluster.mend()
    await edit(cluster, wanted)
    assert former not in cluster.objects
