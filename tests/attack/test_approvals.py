"""Attacks on the approval of production under the shipped Cloud π profile, in memory.

Each is held or refused with a sentence, takes nothing away, and lets nothing into production that nobody approved.
"""

from copy import deepcopy
from typing import Any, Final

import pytest

from tests.attack.production import NAME, Edit, Production, Spec

CHANGED: Final = "the fields that it covers have changed since: review them and decide again"
GIT: Final = "https://git.example.org"
TWO: Final = "b" * 40


def prod(**fields: Any) -> Edit:
    return lambda spec: spec["environments"][2].update(fields)


def team(**groups: list[str]) -> Edit:
    return lambda spec: spec["team"]["groups"].update(groups)


def project(**fields: Any) -> Edit:
    return lambda spec: spec.update(deepcopy(fields))


def repository(**fields: Any) -> Edit:
    return lambda spec: spec["repositories"][0].update(fields)


def deploys(**fields: Any) -> Edit:
    return lambda spec: spec["environments"][2]["deployments"][0].update(fields)


def environment(name: str, **fields: Any) -> Edit:
    given = {"name": name, "stage": "prod", "target": "cloud-pi-np", **fields}
    deployed = {"deployments": [{"repository": "app", "revision": "a" * 40}]}
    return lambda spec: spec["environments"].append({**given, **deployed})


def without_prod(spec: Spec) -> None:
    del spec["environments"][2]


FLOW: Final = {"name": "db", "zone": "postgresql", "port": 5432, "justification": "Data"}
BIG: Final = {"cpu": "6", "memory": "12Gi", "ephemeralStorage": "30Gi", "storage": "100Gi", "pods": 75}
EIGHT: Final[dict[str, tuple[Edit, str, str]]] = {
    "revision": (deploys(revision=TWO), "Release", f"repositories[app].revision: {'a' * 40} → {TWO}"),
    "path": (deploys(path="elsewhere"), "Release", "repositories[app].path: none → elsewhere"),
    "size": (prod(size="xlarge"), "Configuration", "environments[prod].size: none → xlarge"),
    "resources": (prod(resources=BIG), "Configuration", "environments[prod].resources.cpu: none → 6"),
    "groups of the team": (
        team(admin=["admins", "more"]),
        "Admission Configuration",
        "team.groups.admin: [admins] → [admins, m",
    ),
    "groups of production": (
        prod(groups={"admin": ["live"]}),
        "Admission Configuration",
        "team.groups.admin: [admins] → [live]",
    ),
    "autoSync": (prod(autoSync=True), "Configuration", "environments[prod].autoSync: none → true"),
    "URL of a repository": (repository(url=f"{GIT}/other.git"), "Configuration", f"{GIT}/app.git → {GIT}/other.git"),
    "domain": (
        prod(domains=["shop.gouv.fr"]),
        "Admission Configuration",
        "environments[prod].domains: none → [shop.gouv.fr]",
    ),
    "exposure": (
        prod(exposures=["internet"]),
        "Admission Configuration",
        "environments[prod].exposures: none → [internet]",
    ),
}
"""The changes of the red team with which one administrator went around the approval; the eighth is the next test."""


@pytest.mark.parametrize(("edit", "groups", "words"), EIGHT.values(), ids=EIGHT)
def test_a_change_after_the_approval_waits_and_only_it(edit: Edit, groups: str, words: str) -> None:
    walk = Production(approved=True)
    before = walk.production
    walk.change(edit, lambda spec: spec["environments"][0].update(size="medium"))
    assert walk.waits == groups.split()
    assert all(words in text for text in walk.changes)
    held = before
    if walk.production != before:
        # Only the groups that are no longer named are gone.
        assert before is not None
        held = before.with_values(bindings=tuple(item for item in before.bindings if item.persona != "admin"))
    assert walk.production == held
    assert walk.admitted()[f"{NAME}-dev"].resources.cpu == "4"
    walk.approve()
    assert walk.waits == []


def test_another_production_waits_by_itself_and_voids_nothing() -> None:
    walk = Production(approved=True)
    before = walk.production
    walk.change(environment("more", size="xlarge"))
    assert (walk.production, walk.waits, walk.void) == (before, [], [])
    (more,) = [item for item in walk.status["environments"] if item["name"] == "more"]
    assert "approval poa of gate production for environment more is missing" in more["held"]


def by(username: str = "dana", *groups: str) -> dict[str, Any]:
    return {"by": {"username": username, "groups": [*groups]}}


OWN: Final = "its author is in no group of the project's persona poa: a member of poas decides"
BELONGS: Final = "its author belongs to the project"
WRONG: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "the pilot of another project": (by("dana", "other-poas"), OWN),
    "somebody in no group": (by("dana"), OWN),
    "a group of deciders in capitals": (by("dana", "POAS"), OWN),
    "a group of deciders in another alphabet": (by("dana", "p\u043eas"), OWN),
    "a group of deciders with a prefix that the policy does not name": (by("dana", "oidc:poas"), OWN),
    "the owner": (by("claire@example.org", "poas"), f"{BELONGS} (Claire, spec.owner)"),
    "the owner in capitals": (by("Claire@EXAMPLE.org", "poas"), BELONGS),
    "the owner behind the prefix of an identity provider": (by("oidc:claire@example.org", "poas"), BELONGS),
    "the owner behind an issuer": (by("https://id.example.org#claire@example.org", "poas"), BELONGS),
    "the owner with a Cyrillic letter": (by("\u0441laire@example.org", "poas"), BELONGS),
    "the owner in full width": (by("\uff43laire@example.org", "poas"), BELONGS),
    "the owner with an invisible letter": (by("cl\u200baire@example.org", "poas"), BELONGS),
    "the sponsor": (by("sam@example.org", "poas"), f"{BELONGS} (Sam, spec.sponsor)"),
    "a person of the team": (by("test@example.org", "poas"), f"{BELONGS} (test, spec.team.people)"),
    "the owner of the environment": (by("eve@example.org", "poas"), "spec.environments[prod].owner"),
    "an administrator of the team": (by("dana", "poas", "admins"), "its author is in group admins of the project"),
    "an administrator by another spelling": (by("dana", "poas", "oidc:Admins"), "is in group admins of the project"),
    "an administrator of production alone": (by("dana", "poas", "live"), "its author is in group live of the project"),
    "a group of a person": (by("dana", "poas", "guild"), "its author is in group guild of the project"),
    "the creator": (by("zoe", "poas"), "its author created this project"),
    "the creator behind a prefix": (by("oidc:Zoe", "poas"), "its author created this project"),
    "a former author of the spec": (by("mia", "poas"), "its author changed this project's spec"),
    "a former owner": (by("old@example.org", "poas"), "its author was named by the project (old@example.org)"),
    "a former group": (by("dana", "poas", "gone"), "its author is in group gone, once named as developer"),
    "the digest of preprod": ({"digest": "cloud-pi preprod"}, CHANGED),
    "the digest of another gate": ({"digest": "cloud-pi gate"}, CHANGED),
    "a digest that nobody showed": ({"digest": f"v2:{'0' * 64}"}, CHANGED),
    "a digest of a former release that nobody showed": ({"digest": f"v1:{'0' * 64}"}, "covers no environment"),
    "no environment": ({"environment": None}, "each is approved by itself: name one in spec.environment"),
    "an environment behind another gate": ({"environment": "preprod"}, "opens no environment preprod of the project"),
    "an environment that is not there": (
        {"environment": "production"},
        "opens no environment production of the project",
    ),
    "an approval that is not asked for": ({"approval": "boss"}, "the policy requires no approval boss"),
}


@pytest.mark.parametrize(("fields", "words"), WRONG.values(), ids=WRONG)
def test_a_decision_that_is_not_the_pilots_opens_nothing(fields: dict[str, Any], words: str) -> None:
    walk = Production(
        prod(groups={"admin": ["admins", "live"]}, owner={"name": "Eve", "email": "eve@example.org"}),
        lambda spec: spec["team"]["people"][0].update(groups=["guild"]),
    )
    walk.record = ["author:mia", "person:old@example.org ", "group:developer:gone"]
    walk.change()
    shown = {
        "cloud-pi preprod": walk.digest("cloud-pi", "preprod"),
        "cloud-pi gate": walk.digest("cloud-pi", "prod"),
    }
    named = {"digest": walk.digest(), **fields}
    walk.approve(**{**named, "digest": shown.get(named["digest"], named["digest"])})
    assert walk.production is None
    assert any(words in text for text in walk.void), walk.void
    assert "approval poa of gate production for environment prod is missing" in walk.told
    walk.approve()
    assert walk.production is not None


def test_a_project_without_pilots_of_its_own_is_told_to_name_them() -> None:
    walk = Production(team(poa=[]))
    walk.approve(**by("dana", "poas"))
    assert walk.production is None
    assert "the project names no group of persona poa: name it in spec.team.groups.poa" in walk.told


def test_an_approval_of_the_project_of_before_is_of_no_other_one() -> None:
    walk = Production()
    walk.approve(project={"name": NAME, "uid": "00000000-0000-4000-8000-000000000666"})
    assert walk.production is None
    assert "approval poa of gate production for environment prod is missing" in walk.told
