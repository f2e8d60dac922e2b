"""Attacks on the approval of production that take several steps, under the shipped Cloud π profile, in memory.

What was approved once is approved for exactly that; whatever else comes in its place waits, with a sentence.
"""

from typing import Any, Final

import pytest

from onboarding.build.revision import Revision
from tests.attack.production import Edit, Production, Spec
from tests.attack.test_approvals import (
    CHANGED,
    FLOW,
    GIT,
    TWO,
    by,
    deploys,
    prod,
    project,
    repository,
    team,
    without_prod,
)
from tests.unit.walks import NAME

Words = str | tuple[str, ...]
TIER: Final = f"{NAME}.projects/tier"


def held(walk: Production, before: Revision | None, words: Words) -> None:
    """Demand that production is as before, and that the status says why."""
    assert walk.production == before
    for text in (words,) if isinstance(words, str) else words:
        assert text in walk.told, walk.told


CHART: Final = {"name": "app", "url": "https://charts.example.org/charts", "chart": "app", "revision": "1.2.3"}
VALUES: Final = {"name": "conf", "url": f"{GIT}/conf.git", "revision": "a" * 40, "deploys": False}
HELM: Final = {"path": "chart", "helm": {"valueFiles": ["values-<env>.yaml"], "valuesRepository": "conf"}}


def charted(spec: Spec) -> None:
    spec["repositories"] = [dict(CHART)]
    for item in spec["environments"]:
        item.pop("deployments", None)


def valued(spec: Spec) -> None:
    spec["repositories"] = [{**spec["repositories"][0], **HELM}, dict(VALUES)]


def values(**fields: Any) -> Edit:
    return lambda spec: spec["repositories"][1].update(fields)


RELEASES: Final[dict[str, tuple[tuple[Edit, ...], Edit, str]]] = {
    "a branch": ((), deploys(revision="main"), "revision 'main' can move"),
    "a tag": ((), deploys(revision="v1.2.3"), "revision 'v1.2.3' can move"),
    "a short commit": ((), deploys(revision="a" * 12), "revision 'aaaaaaaaaaaa' can move"),
    "a commit in capitals, which may be a branch": ((), deploys(revision="A" * 40), "can move"),
    "the branch of the repository": ((), prod(deployments=[]), "can move"),
    "a range of chart versions": ((charted,), repository(revision="1.x"), "revision '1.x' can move"),
    "the newest chart of a line": ((charted,), repository(revision="1.2"), "revision '1.2' can move"),
    "another chart of the version": ((charted,), repository(chart="other"), "repositories[app].chart: app → other"),
    "a values repository on a branch": ((valued,), values(revision="main"), "revision 'main' can move"),
    "another commit of the values": ((valued,), values(revision=TWO), f"repositories[conf].revision: {'a' * 40} →"),
    "the values repository moved": ((valued,), values(url=f"{GIT}/evil.git"), f"{GIT}/conf.git → {GIT}/evil.git"),
    "other value files of every environment": (
        (valued,),
        repository(helm={"valueFiles": ["evil-<env>.yaml"], "valuesRepository": "conf"}),
        "[values-prod.yaml] → [evil-prod.yaml]",
    ),
    "other value files of production": (
        (valued,),
        deploys(valueFiles=["values-<env>.yaml", "evil.yaml"]),
        "[values-prod.yaml] → [values-prod.yaml, evil.yaml]",
    ),
    "the URL behind a deployment of production": ((), repository(url=f"{GIT}/evil.git"), f"→ {GIT}/evil.git"),
    "a chart in the place of the repository": ((), charted, "repositories[app].chart: none → app"),
    "a repository of the same name under another": (
        (),
        project(repositories=[{"name": "app", "url": f"{GIT}/evil.git", "recurse": True}]),
        "repositories[app].recurse: none → true",
    ),
}


@pytest.mark.parametrize(("start", "edit", "words"), RELEASES.values(), ids=RELEASES)
def test_something_else_is_released_under_the_approval(start: tuple[Edit, ...], edit: Edit, words: str) -> None:
    walk = Production(*start, approved=True)
    before = walk.production
    walk.change(edit)
    held(walk, before, words)


SETTINGS: Final[dict[str, tuple[Edit, Words]]] = {
    "the project adds deciders of its own": (
        team(poa=["poas", "friends"]),
        "Admission waits for approval poa of gate production: team.groups.poa: [poas] → [friends, poas]",
    ),
    "the person who decides is another": (
        lambda spec: spec["team"].update(poa={"name": "Friend", "email": "friend@example.org"}),
        "Admission waits for approval poa of gate production: team.poa",
    ),
    "a flow of another environment names production": (
        lambda spec: spec["flows"][0].update(environments=["dev", "prod"]),
        "flows[dev-db].name: none → dev-db",
    ),
    "a flow of another environment is of all": (
        lambda spec: spec["flows"][0].pop("environments"),
        "flows[dev-db].name: none → dev-db",
    ),
    "labels": (prod(labels={TIER: "x"}), f"environments[prod].labels.{TIER}: none → x"),
    "release windows of its own": (
        prod(releaseWindows=[{"schedule": "* * * * *", "duration": "24h"}]),
        "Configuration waits for approval poa of gate production: environments[prod].releaseWindows",
    ),
    "the health path": (prod(healthPath="/up"), "environments[prod].healthPath: none → /up"),
    "fictive data": (prod(data="Fictive"), "production serves real data"),
    "another target": (prod(target="g-cloud"), "g-cloud"),
    "another stage": (prod(stage="preprod"), "preprod"),
    "another namespace": (prod(namespace="walk-0001-x"), "walk-0001-x"),
    "a weaker classification": (project(classification={"zone": "DR"}), "classification.zone: NP → DR"),
    "another journey": (project(journey="accelerated"), "journey: none → accelerated"),
}


@pytest.mark.parametrize(("edit", "words"), SETTINGS.values(), ids=SETTINGS)
def test_a_setting_of_production_is_changed_under_the_approval(edit: Edit, words: Words) -> None:
    walk = Production(project(flows=[{**FLOW, "name": "dev-db", "environments": ["dev"]}]), approved=True)
    before = walk.production
    walk.change(edit)
    held(walk, before, words)


def test_the_project_replaces_its_deciders_in_production() -> None:
    walk = Production(approved=True)
    seen = walk.digest()
    walk.change(prod(groups={"poa": ["friends"]}), deploys(revision=TWO))
    walk.approve(digest=seen, **by("dana", "friends"))
    assert "team.groups.poa: [poas] → [friends]" in walk.told
    assert f"→ {TWO}" in walk.told
    assert "its author is in no group of the project's persona poa: a member of friends decides" in walk.told
    assert walk.production is not None
    assert "friends" not in {group for item in walk.production.bindings for group in item.groups}
    assert walk.production.repositories[0].revision == "a" * 40


def test_the_digest_of_before_is_used_for_what_came_later() -> None:
    walk = Production()
    seen = walk.digest()
    walk.change(prod(size="xlarge"))
    walk.approve(digest=seen)
    held(walk, None, CHANGED)
    walk.change(prod(size=None))
    assert walk.production is not None, "nothing but what was seen is approved"
    before = walk.production
    walk.change(prod(size="xlarge"))
    held(walk, before, "environments[prod].size: none → xlarge")


def test_production_is_removed_and_declared_again_larger() -> None:
    walk = Production(approved=True)
    item = dict(walk.spec["environments"][2])
    walk.change(without_prod)
    walk.change(lambda spec: spec["environments"].append({**item, "size": "xlarge"}))
    assert walk.production is None or walk.production.resources.cpu == "4"
    assert "approval poa of gate production" in walk.told
    assert "size: none → xlarge" in walk.told or CHANGED in walk.told


def test_a_small_production_is_approved_and_renamed() -> None:
    walk = Production(prod(size="small"), approved=True)
    walk.change(prod(name="live", size="xlarge"))
    (live,) = [item for item in walk.status["environments"] if item["name"] == "live"]
    assert "approval poa of gate production for environment live is missing" in live["held"]
    assert "walk-0001-live" not in walk.admitted()


@pytest.mark.parametrize("there", [False, True], ids=["new", "in place"])
@pytest.mark.parametrize("environment", [None, "prod"], ids=["of the project", "of the environment"])
def test_a_digest_of_a_former_release_opens_and_changes_nothing(environment: str | None, there: bool) -> None:
    """It covers neither the size nor the release, so that it stands for nothing that comes now."""
    walk = Production(approved=there)
    before = walk.production
    walk.change(prod(size="xlarge"), deploys(revision=TWO))
    walk.approve(digest=walk.former_digest(), environment=environment)
    held(walk, before, "approval poa of gate production")


def test_a_waiver_of_another_environment_serves_none_else() -> None:
    walk = Production()
    walk.run(good=False)
    waiver = {"decision": "Waive", "check": "ProbesDefined", "expires": "2026-07-01T00:00:00Z"}
    walk.decide(**waiver, environment="dev")
    walk.decide(**{**waiver, "check": "ImagesExist"}, environment="dev")
    walk.approve()
    held(walk, None, "environment preprod: ProbesDefined")
    walk.decide(**{**waiver, "check": "SecurityAudited"}, environment="prod")
    walk.settle()
    held(walk, None, "environment preprod: ProbesDefined")


@pytest.mark.parametrize("journey", ["hackathon", "workshop", "accelerated"])
def test_the_journey_goes_there_and_back_with_another_release(journey: str) -> None:
    walk = Production(approved=True)
    before = walk.production
    walk.change(project(journey=journey), deploys(revision=TWO))
    held(walk, before, "journey")
    walk.change(project(journey="standard"))
    held(walk, before, f"repositories[app].revision: {'a' * 40} → {TWO}")


def test_a_change_waits_through_a_suspension_and_after_it() -> None:
    walk = Production(approved=True)
    before = walk.production
    walk.decide(decision="Suspend", environment="prod")
    walk.change(prod(size="xlarge"), deploys(revision=TWO))
    assert "Suspend by dana" in walk.told
    assert walk.production == before
    walk.withdraw_last()
    held(walk, before, ("environments[prod].size: none → xlarge", f"→ {TWO}"))


def test_a_change_is_hidden_behind_a_plan() -> None:
    walk = Production(approved=True)
    before = walk.production
    walk.change(project(mode="Plan"), prod(size="xlarge"))
    assert walk.production == before
    assert "environments[prod].size: none → xlarge" in walk.told
    walk.change(project(mode="Apply"))
    held(walk, before, "environments[prod].size: none → xlarge")


def covers(*groups: str) -> Edit:
    def edit(spec: Spec) -> None:
        (gate,) = [item for item in spec["gates"] if item["name"] == "production"]
        gate["approvals"][0]["covers"] = list(groups)

    return edit


def test_a_change_waits_while_the_policy_covers_less_and_more() -> None:
    """What the policy covers is the platform's word: less lets the rest in, and what is in then counts as admitted."""
    walk = Production(approved=True)
    before = walk.production
    walk.change(prod(size="xlarge"), deploys(revision=TWO))
    walk.change_policy(covers("Admission", "Configuration"))
    assert before is not None
    assert walk.production is not None
    assert walk.production.resources == before.resources
    assert walk.production.repositories[0].revision == TWO
    walk.change_policy(covers("Admission", "Configuration", "Release"))
    walk.change(deploys(revision="c" * 40))
    held(walk, walk.production.with_values(resources=before.resources), (f"{TWO} → {'c' * 40}", "size: none → xlarge"))
