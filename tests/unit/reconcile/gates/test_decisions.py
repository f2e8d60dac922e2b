"""A decision counts when somebody else made it, with what is declared now before them, and while its time lasts."""

from datetime import UTC, datetime
from typing import Any

import pytest

from onboarding.api.decision import OnboardingDecisionSpec, ProjectReference
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.reconcile.gates.approvals import Key
from onboarding.reconcile.gates.decisions import Decisions, count
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.gates.record import Record
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import (
    NOW,
    UID,
    approved,
    attested,
    decided,
    environment,
    policy_of,
    snapshot_of,
    spec_of,
    told,
)

DEV, PROD = environment(), environment("prod", stage="prod")
SOON, LATER, PAST = "2026-01-02T03:04:06Z", "2026-06-01T00:00:00Z", "2026-01-02T03:04:05Z"
PERSONAS = [
    {"name": "admin", "clusterRole": "onboarding:admin"},
    {"name": "poa", "clusterRole": "onboarding:viewer", "argocd": ["get"], "decides": True},
]
GATES = (
    {"name": "build", "opens": [{"stages": ["dev"]}]},
    {"name": "live", "opens": [{"stages": ["prod"]}], "approvals": [{"name": "poa", "actor": "poa"}]},
)
CHECKS = [
    {"id": "SponsorNamed", "gate": "build"},
    {"id": "RunAcknowledged", "gate": "live"},
    {"id": "PoaNamed", "gate": "live"},
]
POLICY = policy_of(*GATES, personas=PERSONAS, checks=CHECKS)
MEMBER = {"name": "Bo", "email": "Bo.Li@example.org", "roles": ["test"]}
ADA = {"name": "Ada", "email": "ada@example.org"}
TEAM = {
    "groups": {"admin": ["shop-admins", "both"], "poa": ["pilots", "both"], "gone": ["former"]},
    "people": [MEMBER],
    "poa": {"name": "Cy", "email": "cy@example.org"},
}
SPEC = spec_of(DEV, PROD, team=TEAM)


def counted(
    *decisions: OnboardingDecisionSpec, spec: ProjectOnboardingSpec = SPEC, record: Record | None = None
) -> Decisions:
    return count(decisions, spec, POLICY, Digests(spec, POLICY), NOW, record or Record())


def approve(by: str = "pat", **fields: Any) -> OnboardingDecisionSpec:
    (approval,) = approved(SPEC, POLICY, "live", "poa", by=by, **fields)
    return approval


def test_an_approval_of_somebody_else_who_saw_what_is_declared_counts() -> None:
    decision = approve(groups=("pilots", "system:authenticated"))
    found = counted(decision)
    assert (found.approvals.given, found.void) == ({("live", "poa", "prod"): {decision.digest}}, [])


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "a group of the project": ({"groups": ["x", "shop-admins"]}, "its author is in group shop-admins of the project"),
    "a group that decides and builds": ({"groups": ["both"]}, "its author is in group both of the project"),
    "a group of both kinds": ({"groups": ["pilots", "shop-admins"]}, "is in group shop-admins of the project"),
    "a group of an unknown persona": ({"groups": ["former"]}, "is in group former of the project"),
    "the owner": (
        {"by": "ada@example.org"},
        "its author belongs to the project (Ada, spec.owner): somebody else must decide",
    ),
    "the owner in capitals": ({"by": "ADA@Example.ORG"}, "its author belongs to the project"),
    "a member of the team": ({"by": "bo.li@example.org"}, "its author belongs to the project"),
    "another digest": ({"digest": f"v2:{'0' * 64}"}, "the fields that it covers have changed since: review them"),
    "a digest of a former release for one environment": (
        {"digest": f"v1:{'0' * 64}"},
        "its digest is of a former release and covers no environment",
    ),
    "no digest": ({"digest": None}, "the fields that it covers have changed since: review them"),
    "a gate without that approval": (
        {"gate": "build", "environment": None},
        "the policy requires no approval poa at gate build",
    ),
    "an approval that is not demanded": ({"approval": "pope"}, "requires no approval pope at gate live"),
}


@pytest.mark.parametrize(("fields", "reason"), OTHERS.values(), ids=OTHERS)
def test_an_approval_is_void_and_says_why(fields: dict[str, Any], reason: str) -> None:
    decision = approve(**fields)
    found = counted(decision)
    assert not any(found.approvals.there(key) for key in found.approvals.digests)
    ((void, told_reason),) = found.void
    assert (void, reason in told_reason) == (decision, True), told_reason


def test_the_sponsor_decides_nothing() -> None:
    sponsored = SPEC.model_copy(update={"sponsor": SPEC.owner.model_copy(update={"email": "sam@example.org"})})
    ((_, reason),) = counted(approve("SAM@example.org"), spec=sponsored).void
    assert "its author belongs to the project (Ada, spec.sponsor)" in reason


@pytest.mark.parametrize("by", ["ada", "cy@example.org", "bo", "ada@example.org.evil.com"])
def test_somebody_with_another_name_is_somebody_else(by: str) -> None:
    assert counted(approve(by)).void == []


def test_what_changes_after_an_approval_voids_it_only_where_the_gate_looks() -> None:
    decision = approve()
    key = Key("live", "poa", "prod")
    elsewhere = SPEC.model_copy(update={"description": "new", "environments": spec_of(PROD).environments})
    assert counted(decision, spec=elsewhere).approvals.there(key)
    moved = SPEC.model_copy(update={"owner": SPEC.owner.model_copy(update={"email": "eve@example.org"})})
    assert not counted(decision, spec=moved).approvals.there(key)


EXPIRING = {
    "Waive": {"check": "SponsorNamed"},
    "Attest": {"check": "RunAcknowledged", "digest": Digests(SPEC, POLICY).of_check("RunAcknowledged")},
    "Grant": {"grant": {"production": {"cpu": "9"}}},
}


@pytest.mark.parametrize(("kind", "fields"), EXPIRING.items(), ids=EXPIRING)
@pytest.mark.parametrize(
    ("expires", "counts"),
    [(SOON, True), (PAST, False), ("2026-02-31T00:00:00Z", False), ("1999-01-01T00:00:00Z", False)],
)
def test_what_expires_counts_until_then(kind: str, fields: dict[str, Any], expires: str, counts: bool) -> None:
    found = counted(decided(kind, expires=expires, **fields))
    assert bool(found.waived or found.attested or found.granted) is counts
    assert [reason for _, reason in found.void] == ([] if counts else [f"it expired at {expires}: decide again"])
    assert found.next_change == (datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC) if counts else None)


def test_the_nearest_end_is_when_to_look_again_whatever_the_order() -> None:
    soon, later = (decided("Waive", check="PoaNamed", environment=None, expires=when) for when in (SOON, LATER))
    own = decided("Waive", check="PoaNamed", groups=["shop-admins"], expires=SOON)
    for decisions in ((soon, later), (later, soon)):
        assert counted(*decisions).next_change == datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)
    assert counted(later, own, approve()).next_change == datetime(2026, 6, 1, tzinfo=UTC)
    assert make_plan(snapshot_of(SPEC, policy=POLICY, decisions=(soon,))).again_at == datetime(
        2026, 1, 2, 3, 4, 6, tzinfo=UTC
    )


@pytest.mark.parametrize("kind", ["Waive", "Attest", "Grant", "ConfirmDelete", "Approve"])
@pytest.mark.parametrize("author", [{"groups": ["shop-admins"]}, {"by": "ada@example.org"}], ids=["group", "owner"])
def test_who_asks_cannot_answer(kind: str, author: dict[str, Any]) -> None:
    approval = approve().model_dump(include={"gate", "approval", "environment", "digest"})
    fields = {**EXPIRING, "Approve": approval, "ConfirmDelete": {}}[kind]
    expires = {"expires": LATER} if kind in EXPIRING else {}
    ((_, reason),) = counted(decided(kind, **author, **fields, **expires)).void
    assert reason.endswith("somebody else must decide")


@pytest.mark.parametrize("kind", ["Waive", "Attest"])
@pytest.mark.parametrize("check", ["SizeUnknown", "Nonsense"])
def test_a_decision_about_a_check_that_no_policy_puts_at_a_gate_is_void(kind: str, check: str) -> None:
    digest = {"digest": Digests(SPEC, POLICY).of_check(check)} if kind == "Attest" else {}
    ((_, reason),) = counted(decided(kind, check=check, expires=LATER, **digest)).void
    assert reason == f"{check} is not a check that a policy can assign to a gate"


def test_an_attestation_is_of_what_was_looked_at() -> None:
    good = attested(SPEC, "RunAcknowledged")
    assert counted(good).attested.keys() == {"RunAcknowledged"}
    changed = SPEC.model_copy(update={"organisation": spec_of(organisation={"name": "x"}).organisation})
    ((_, reason),) = counted(good, spec=changed).void
    assert reason == "the fields that it covers have changed since: review them and decide again"


@pytest.mark.parametrize("author", [{}, {"groups": ["shop-admins"]}, {"by": "ada@example.org"}])
def test_a_rejection_holds_whoever_made_it_also_after_an_approval(author: dict[str, Any]) -> None:
    spec = spec_of(DEV, PROD, sponsor=ADA, team={"poa": TEAM["poa"], "groups": {"admin": ["shop-admins"]}})
    no = decided("Reject", gate="live", approval="poa", **author)
    yes = (*approved(spec, POLICY, "live", "poa"), attested(spec, "RunAcknowledged"))
    for decisions in ((no, *yes), (*yes, no)):
        plan = make_plan(snapshot_of(spec, policy=POLICY, decisions=decisions))
        (obstacle,) = plan.gates[1].obstacles
        assert obstacle.message == f"Reject live/poa by {no.by.username}: I say so"
        assert plan.held.keys() == {"prod"}
    assert make_plan(snapshot_of(spec, policy=POLICY, decisions=yes)).held == {}


def test_a_decision_about_another_incarnation_is_not_even_looked_at() -> None:
    declared = ProjectCache()
    for name, uid, project in (("a", UID, "shop"), ("b", UID.replace("1", "2"), "shop"), ("c", UID, "other")):
        about = ProjectReference(name=project, uid=uid)
        declared.put_decision(name, approve().model_copy(update={"project": about}))
    assert [decision.project.uid for decision in declared.decisions("shop", UID)] == [UID]
    assert len(declared.decisions("shop", UID.replace("1", "2"))) == 1


@pytest.mark.parametrize(("environment_", "there"), [(None, {"dev", "more"}), ("dev", {"dev"}), ("more", {"more"})])
def test_a_waiver_is_for_one_environment_or_for_all(environment_: str | None, there: set[str]) -> None:
    policy = policy_of(GATES[0], checks=[{"id": "DomainAllowed", "gate": "build"}])
    bad = {"domains": ["bad.com"]}
    target = HostingTargetSpec.model_validate({"sites": [{"name": "a"}], "domains": [{"suffix": "good.org"}]})
    spec = spec_of({**DEV, **bad}, environment("more", **bad))
    waiver = decided("Waive", check="DomainAllowed", environment=environment_, expires=LATER)
    plan = make_plan(snapshot_of(spec, policy=policy, targets={"main": target}, decisions=(waiver,)))
    assert {revision.environment for revision in plan.building} == there
    assert {found.environment for found in plan.findings if found.waiver} == there


@pytest.mark.parametrize(("environment_", "opens"), [(None, True), ("dev", False)])
def test_a_waiver_for_an_environment_waives_nothing_of_the_project(environment_: str | None, opens: bool) -> None:
    waiver = decided("Waive", check="SponsorNamed", environment=environment_, expires=LATER)
    assert make_plan(snapshot_of(SPEC, policy=POLICY, decisions=(waiver,))).gates[0].open is opens


CEILING = {"ceilings": {"production": {"cpu": "2", "gpu": 0}, "nonProduction": {"cpu": "2", "memory": "4Gi"}}}
GRANTS: dict[str, tuple[list[dict[str, Any]], set[str]]] = {
    "none": ([], {"dev"}),
    "enough": ([{"nonProduction": {"cpu": "4", "memory": "8Gi"}}], {"dev", "more"}),
    "one field of two": ([{"nonProduction": {"cpu": "4"}}], {"dev"}),
    "each field in another grant": (
        [{"nonProduction": {"cpu": "4"}}, {"nonProduction": {"cpu": "1", "memory": "8Gi"}}],
        {"dev", "more"},
    ),
    "of the other kind": ([{"production": {"cpu": "4", "memory": "8Gi"}}], {"dev"}),
    "lower": ([{"nonProduction": {"cpu": "1", "memory": "1Gi"}}], {"dev"}),
    "a limit on what has none": ([{"nonProduction": {"cpu": "4", "memory": "8Gi", "storage": "1"}}], {"dev", "more"}),
}


@pytest.mark.parametrize(("grants", "there"), GRANTS.values(), ids=GRANTS)
def test_a_grant_raises_the_ceiling_field_by_field_and_never_lowers_it(
    grants: list[dict[str, Any]], there: set[str]
) -> None:
    decisions = tuple(decided("Grant", grant=grant, expires=LATER) for grant in grants)
    plan = make_plan(snapshot_of(spec_of(DEV, environment("more")), policy=policy_of(**CEILING), decisions=decisions))
    assert {revision.environment for revision in plan.building} == there
    ended = [decision.model_copy(update={"expires": PAST}) for decision in decisions]
    plan = make_plan(snapshot_of(spec_of(DEV, environment("more")), policy=policy_of(**CEILING), decisions=ended))
    assert {revision.environment for revision in plan.building} == {"dev"}


def test_what_does_not_count_is_shown_at_its_gate_and_in_its_check() -> None:
    old = attested(SPEC, "RunAcknowledged", expires=PAST)
    own = approve(groups=["shop-admins"])
    other = decided("Waive", check="SponsorNamed", environment="dev", groups=["shop-admins"], expires=LATER)
    whole = decided("Waive", check="SponsorNamed", by="ada@example.org", expires=LATER)
    status = told(snapshot_of(SPEC, policy=POLICY, decisions=(old, own, other, whole)))
    gates = {gate["name"]: gate for gate in status["gates"]}
    assert gates["live"]["void"] == [
        "Approve live/poa by pat: its author is in group shop-admins of the project: somebody else must decide"
    ]
    checks = {check["id"]: check for check in status["checks"]}
    assert checks["RunAcknowledged"]["remedy"].endswith(
        f"; Attest RunAcknowledged by pat: it expired at {PAST}: decide again"
    )
    assert "Waive SponsorNamed by ada@example.org: its author belongs" in checks["SponsorNamed"]["remedy"]
    assert "Waive SponsorNamed by pat: its author is in group shop-admins" in checks["SponsorNamed"]["remedy"]


def test_the_newest_decisions_that_do_not_count_are_shown_first() -> None:
    """There is room for three, and others must not hide why one's own does not count."""
    foreign = [
        approve(f"pilot-{day}", groups=["shop-admins"], created=f"2026-01-0{day}T00:00:00Z") for day in range(2, 6)
    ]
    outdated = approve("late", created="2026-01-09T00:00:00Z", digest=f"v2:{'0' * 64}")
    status = told(snapshot_of(SPEC, policy=POLICY, decisions=(*foreign, outdated)))
    (void,) = [gate["void"] for gate in status["gates"] if gate["name"] == "live"]
    assert [text.partition(":")[0].rpartition(" ")[2] for text in void] == ["late", "pilot-5", "pilot-4"]
