"""What an approval covers keeps its admitted values until it is approved, field by field; the rest goes on.

The eight changes with which a project's administrator went around the approval of production (F2) are among the rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.gates import Coverage
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from tests.unit.situations import status_of
from tests.unit.snapshots import TARGETS, approved, built, decided, policy_of, snapshot_of, spec_of, told

ADMISSION, CONFIGURATION, RELEASE = Coverage
GIT: Final = "https://git.example.org"
ONE, TWO = "1" * 40, "2" * 40
APP: Final = {"name": "app", "url": f"{GIT}/app.git", "revision": ONE}
WEB: Final = {"name": "web", "url": f"{GIT}/web.git", "revision": ONE}
FLOW: Final = {"name": "db", "zone": "postgresql", "port": 5432, "justification": "Data"}
ZONE: Final = {"name": "postgresql", "cidrs": ["192.0.2.0/24"]}
TWIN: Final = HostingTargetSpec.model_validate(
    {
        **TARGETS["twin"].model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "network": {"zones": [ZONE]},
        "exposures": ["internet"],
    }
)
PERSONAS: Final = [
    {"name": "admin", "clusterRole": "onboarding:admin", "argocd": ["get", "sync"]},
    {"name": "poa", "clusterRole": "onboarding:viewer", "argocd": ["get"], "decides": True},
]
LOGINS: Final = [{"name": name, "secret": name, "prefixes": [f"{GIT}/"]} for name in ("one", "two")]
BEFORE: Final[Mapping[str, Any]] = {
    "team": {"groups": {"admin": ["admins"], "poa": ["pilots"]}, "poa": {"name": "Cy", "email": "cy@example.org"}},
    "repositories": [{**APP, "credentials": "one"}],
    "flows": [FLOW],
}
PROD: Final[Mapping[str, Any]] = {"name": "prod", "stage": "prod", "target": "twin", "sites": ["a"], "size": "small"}


@dataclass(frozen=True)
class Change:
    """A change of the environment or of the project, with the group that it belongs to."""

    group: Coverage
    prod: Mapping[str, Any] | None = None
    project: Mapping[str, Any] | None = None
    built: bool = True
    """Whether something is built from it."""

    @property
    def spec(self) -> ProjectOnboardingSpec:
        return declared({**PROD, **(self.prod or {})}, **{**BEFORE, **(self.project or {})})


def _repositories(**fields: Any) -> dict[str, Any]:
    return {"repositories": [{**BEFORE["repositories"][0], **fields}]}


CHANGES: Final[dict[str, Change]] = {
    "classification": Change(ADMISSION, project={"classification": {"personalData": True}}, built=False),
    "team.poa": Change(
        ADMISSION, project={"team": {**BEFORE["team"], "poa": {"name": "Di", "email": "di@example.org"}}}, built=False
    ),
    "team.groups of a deciding persona": Change(
        ADMISSION, project={"team": {**BEFORE["team"], "groups": {"admin": ["admins"], "poa": ["pilots", "more"]}}}
    ),
    "environments.sites": Change(ADMISSION, {"sites": ["a", "b"]}),
    "environments.profile": Change(ADMISSION, {"profile": "test"}, built=False),
    "environments.data": Change(ADMISSION, {"data": "Real"}, built=False),
    "environments.size": Change(CONFIGURATION, {"size": "large"}),
    "environments.resources": Change(
        CONFIGURATION,
        {
            "size": None,
            "resources": {"cpu": "400", "memory": "1Gi", "ephemeralStorage": "1Gi", "storage": "800Gi", "pods": 9},
        },
    ),
    "environments.labels": Change(CONFIGURATION, {"labels": {"shop.projects/tier": "x"}}),
    "environments.autoSync": Change(CONFIGURATION, {"autoSync": True}),
    "environments.domains": Change(CONFIGURATION, {"domains": ["shop.example.org"]}),
    "environments.exposures": Change(CONFIGURATION, {"exposures": ["internet"]}, built=False),
    "environments.healthPath": Change(CONFIGURATION, {"healthPath": "/health"}, built=False),
    "environments.releaseWindows": Change(
        CONFIGURATION, {"releaseWindows": [{"schedule": "0 5 * * 1", "duration": "1h"}]}
    ),
    "environments.groups": Change(CONFIGURATION, {"groups": {"admin": ["admins", "own"]}}),
    "team.groups": Change(
        CONFIGURATION,
        project={"team": {**BEFORE["team"], "groups": {"admin": ["admins", "more"], "poa": ["pilots"]}}},
    ),
    "flows": Change(CONFIGURATION, project={"flows": [FLOW, {**FLOW, "name": "more", "port": 1}]}),
    "repositories": Change(CONFIGURATION, project={"repositories": [*BEFORE["repositories"], WEB]}),
    "repositories.url": Change(CONFIGURATION, project=_repositories(url=f"{GIT}/other.git")),
    "repositories.credentials": Change(CONFIGURATION, project=_repositories(credentials="two")),
    "repositories.revision": Change(RELEASE, project=_repositories(revision=TWO)),
    "repositories.path": Change(RELEASE, project=_repositories(path="elsewhere")),
    "repositories.helm": Change(RELEASE, project=_repositories(helm={"valueFiles": ["a.yaml"]})),
    "repositories.recurse": Change(RELEASE, project=_repositories(recurse=True)),
    "repositories.chart": Change(RELEASE, project=_repositories(chart="web", revision="1.2.3")),
    "environments.deployments": Change(
        RELEASE, {"deployments": [{"repository": "app", "revision": TWO, "path": "elsewhere"}]}
    ),
}
COVERS: Final = [(ADMISSION,), (CONFIGURATION,), (RELEASE,), (ADMISSION, CONFIGURATION, RELEASE)]
BRINGS: Final = {"repositories": {CONFIGURATION, RELEASE}}
"""A repository that comes brings its revision."""


def declared(prod: Mapping[str, Any], **fields: Any) -> ProjectOnboardingSpec:
    return spec_of({name: value for name, value in prod.items() if value is not None}, **fields)


def policy(*covers: Coverage) -> OnboardingPolicySpec:
    """Return a policy whose production asks for one approval."""
    approval = {"name": "poa", "actor": "poa", "covers": list(covers)}
    gate = {"name": "live", "opens": [{"stages": ["prod"]}], "approvals": [approval]}
    plain = policy_of(gate, personas=PERSONAS, delivery={"credentials": LOGINS})
    stages = tuple(stage.model_copy(update={"pinned": stage.production}) for stage in plain.stages)
    return plain.model_copy(update={"stages": stages})


def snapshot(
    spec: ProjectOnboardingSpec, covers: tuple[Coverage, ...], *decisions: OnboardingDecisionSpec, **fields: Any
) -> Snapshot:
    given = {"policy": policy(*covers), "targets": {**TARGETS, "twin": TWIN}, "decisions": decisions, **fields}
    return snapshot_of(spec, **given)


def approve(spec: ProjectOnboardingSpec, covers: tuple[Coverage, ...]) -> tuple[OnboardingDecisionSpec, ...]:
    return approved(spec, policy(*covers), "live", "poa")


def values(plan: ReconcilePlan) -> set[bytes]:
    """Return what is built, on each site, without the declared fields, from which nothing is built.

    To claim no domain, and to record no claim, is the same.
    """
    return {
        revision.with_values(
            declared={},
            domains=revision.domains or None,
            bindings=tuple(item.model_copy(update={"own": False}) for item in revision.bindings),
        ).canonical
        for revision in plan.building
    }


def changes(plan: ReconcilePlan, environment: str = "prod") -> list[str]:
    """Return the groups of an environment that keep their admitted values."""
    return [text.partition(" waits for approval poa of gate live: ")[0] for text in plan.by_name[environment].changes]


BASE: Final = declared(PROD, **BEFORE)
TABLE: Final = [(name, covers) for name in CHANGES for covers in COVERS]


@pytest.mark.parametrize(("name", "covers"), TABLE)
def test_a_covered_change_waits_and_any_other_goes_on(name: str, covers: tuple[Coverage, ...]) -> None:
    change, first = CHANGES[name], approve(BASE, covers)
    admitted = make_plan(snapshot(BASE, covers, *first))
    assert (len(admitted.building), admitted.held) == (1, {})
    live = built(snapshot(BASE, covers, *first))
    whole = make_plan(snapshot(change.spec, covers, *first, *approve(change.spec, covers), live=live))
    assert (whole.held, changes(whole), values(whole) != values(admitted)) == ({}, [], change.built)

    after = snapshot(change.spec, covers, *first, live=live)
    plan, waits = make_plan(after), BRINGS.get(name, {change.group}) & {*covers}
    assert set(changes(plan)) == waits
    assert values(plan) == values(admitted if waits else whole)
    assert (plan.held.keys() == {"prod"}) is bool(waits)
    asked = [item for gate in told(after)["gates"] for item in gate.get("approvals", ())]
    assert [item["environment"] for item in asked] == (["prod"] if waits else [])
    assert not any(gate.get("void") for gate in told(after)["gates"]), "it covers what is admitted"

    suspended = snapshot(change.spec, covers, *first, *approve(change.spec, covers), decided("Suspend"), live=live)
    assert values(make_plan(suspended)) == values(admitted)


@pytest.mark.parametrize(("name", "covers"), TABLE)
def test_an_environment_of_before_an_approval_covered_anything_is_like_any_other(
    name: str, covers: tuple[Coverage, ...]
) -> None:
    """Nothing is known of what was declared for it: what is built tells whether it has changed since."""
    change, ungated = CHANGES[name], policy_of(personas=PERSONAS, delivery={"credentials": LOGINS})
    live = built(snapshot(BASE, covers, policy=ungated))
    admitted = make_plan(snapshot(BASE, covers, live=live))
    assert (changes(admitted), admitted.held, len(admitted.building)) == ([], {}, 1)
    assert {group for revision in admitted.building for group in revision.declared} == {*covers}
    plan, waits = make_plan(snapshot(change.spec, covers, live=live)), BRINGS.get(name, {change.group}) & {*covers}
    if change.built:
        assert set(changes(plan)) == waits
    assert values(plan) == values(admitted) or not waits


def test_what_was_approved_before_is_approved() -> None:
    """Decisions are not used up: back to the former size, and forth again, asks nobody."""
    larger = CHANGES["environments.size"].spec
    decisions = (*approve(BASE, COVERS[3]), *approve(larger, COVERS[3]))
    live = built(snapshot(BASE, COVERS[3], *decisions))
    for spec, cpu in ((larger, "8"), (BASE, "2"), (larger, "8")):
        plan = make_plan(now := snapshot(spec, COVERS[3], *decisions, live=live))
        assert ([item.resources.cpu for item in plan.building], plan.held) == ([cpu], {})
        assert status_of(now).get("nextActions") is None
        live = built(now)


def test_of_two_changes_only_the_covered_one_waits() -> None:
    both = declared({**PROD, "size": "large"}, **{**BEFORE, **_repositories(revision=TWO)})
    live = built(snapshot(BASE, (CONFIGURATION,), *approve(BASE, (CONFIGURATION,))))
    plan = make_plan(snapshot(both, (CONFIGURATION,), *approve(BASE, (CONFIGURATION,)), live=live))
    (revision,) = plan.building
    assert (revision.resources.cpu, revision.repositories[0].revision) == ("2", TWO)
    assert plan.by_name["prod"].changes == (
        "Configuration waits for approval poa of gate live: environments[prod].size: small → large",
    )


def test_a_second_production_waits_and_voids_nothing_of_the_first() -> None:
    covers = COVERS[3]
    two = BASE.model_copy(
        update={"environments": (*BASE.environments, *declared({**PROD, "name": "more", "size": "large"}).environments)}
    )
    live = built(snapshot(BASE, covers, *approve(BASE, covers)))
    after = snapshot(two, covers, *approve(BASE, covers), live=live)
    plan = make_plan(after)
    assert [revision.environment for revision in plan.building] == ["prod"]
    assert plan.held == {"more": "gate live: approval poa of gate live for environment more is missing"}
    (gate,) = told(after)["gates"]
    assert (gate["state"], gate.get("void")) == ("Open", None)
    assert [item["environment"] for item in gate["approvals"]] == ["more"]


def test_what_is_taken_away_goes_at_once_whatever_an_approval_covers() -> None:
    """A group, a flow and a repository that the spec no longer names."""
    covers = COVERS[3]
    less = declared(PROD, team={"groups": {"poa": ["pilots"]}, "poa": BEFORE["team"]["poa"]}, repositories=[], flows=[])
    live = built(snapshot(BASE, covers, *approve(BASE, covers)))
    (revision,) = make_plan(snapshot(less, covers, *approve(BASE, covers), live=live)).building
    assert ([item.persona for item in revision.bindings], revision.flows, revision.repositories) == (["poa"], (), ())


def test_a_site_that_is_added_or_left_waits_for_the_approval_of_the_environment() -> None:
    both, b = declared({**PROD, "sites": ["a", "b"]}, **BEFORE), declared({**PROD, "sites": ["b"]}, **BEFORE)
    live = built(snapshot(both, (ADMISSION,), *approve(both, (ADMISSION,))))
    plan = make_plan(snapshot(b, (ADMISSION,), *approve(both, (ADMISSION,)), live=live))
    assert ({revision.site for revision in plan.building}, plan.leaving) == ({"a", "b"}, frozenset())
    moved = make_plan(snapshot(b, (ADMISSION,), *approve(b, (ADMISSION,)), live=live))
    assert {revision.site for revision in moved.building} == {"b"}
