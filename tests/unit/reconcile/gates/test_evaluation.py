"""What is asked is what something waits for; after a start everything is shown as before, and nothing new gets in."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.status import GateState
from onboarding.checks.probe import (
    Answer,
    DnsFacts,
    DnsRequest,
    EndpointRequest,
    GroupFacts,
    GroupRequest,
    RepositoryFacts,
    RepositoryRequest,
    Request,
    WorkloadsRequest,
)
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from onboarding.reconcile.status.events import events_of
from tests.unit.running import GOOD, answered, app
from tests.unit.snapshots import (
    GIT,
    built,
    decided,
    environment,
    policy_of,
    snapshot_of,
    spec_of,
    told,
    unconfirmed,
    with_status,
)

Answers = dict[Request[Any], Answer[Any]]

DEV = environment(domains=["dev.example.org"])
PROD = environment("prod", stage="prod", domains=["shop.example.org"], healthPath="/health")
ADA = {"name": "Ada", "email": "ada@example.org"}
REPOSITORY = RepositoryRequest(GIT, "HEAD", ".")
GROUPS = (GroupRequest("shop-admins"), GroupRequest("support"))
RUNS = WorkloadsRequest("hub", "shop-dev")
DNS = DnsRequest("dev.example.org")
HEALTH = EndpointRequest("https://shop.example.org/health")
BUILD, TALK, LIVE, RUN = (
    {"name": "build", "opens": [{"stages": ["dev"]}]},
    {"name": "talk"},
    {"name": "live", "opens": [{"stages": ["prod"]}]},
    {"name": "run"},
)
CHECKS = {
    "SponsorNamed": "talk",
    "RepositoryReachable": "build",
    "GroupsExist": "build",
    "DomainResolves": "talk",
    "WorkloadsDeployed": "talk",
    "ImageCompliant": "live",
}
FULL = [{"id": check, "gate": gate} for check, gate in CHECKS.items()]
POLICY = policy_of(BUILD, TALK, LIVE, checks=FULL)
WAIVED = decided("Waive", check="RepositoryReachable", expires="2030-01-01T00:00:00Z")
UNKNOWN: Answer[Any] = answered(None, "the server does not answer")
FOUND = answered(RepositoryFacts(found=True, commit="c0ffee", path_found=True))
GONE = answered(RepositoryFacts(found=False, refusal="404 Not Found"))
GROUP = answered(GroupFacts(found=True))


def answers(repository: Answer[Any] = FOUND, dns: bool = True, runs: Any = GOOD) -> Answers:
    addresses = ("192.0.2.1",) if dns else ()
    known = {REPOSITORY: repository, RUNS: answered(runs), **dict.fromkeys(GROUPS, GROUP)}
    return {**known, **{DnsRequest(item["domains"][0]): answered(DnsFacts(addresses)) for item in (DEV, PROD)}}


def snapshot(*environments: Any, policy: OnboardingPolicySpec = POLICY, known: Any = None, **fields: Any) -> Snapshot:
    spec = spec_of(*environments, sponsor=fields.pop("sponsor", ADA))
    return snapshot_of(spec, policy=policy, answers=answers() if known is None else known, **fields)


def settled(before: Snapshot) -> Snapshot:
    """Return a world once passes change nothing any more: what they make is there, and so is their status."""
    for _ in range(4):
        before = with_status(before, told(before), live=built(before))
    assert told(before) == before.project.status
    return before


def facts(plan: ReconcilePlan) -> Any:
    """Return what a judgement brings about, without the words for it."""
    return (
        [revision.canonical for revision in plan.building],
        (plan.removing, plan.leaving, unconfirmed(plan), plan.held.keys()),
        [result.open for result in plan.gates],
        (plan.requests, plan.full, plan.again_at, {item.name: item.gate for item in plan.environments}, plan.decisions),
    )


PARTS = {
    "repository": {"found": FOUND, "gone": GONE, "unknown": UNKNOWN},
    "names": {"resolve": True, "do not": False},
    "images": {"good": GOOD, "latest": app(image="nginx:latest")},
    "sponsor": {"named": ADA, "nobody": None},
    "environments": {"dev": (DEV,), "both": (DEV, PROD)},
    "decisions": {"none": (), "waived": (WAIVED,)},
}
SAMPLES = [dict(zip(PARTS, names, strict=True)) for names in product(*PARTS.values())]


def sample(names: dict[str, str]) -> Snapshot:
    """Return a world that was judged before, and in which dev is in place, whatever has become of it since."""
    chosen = {part: PARTS[part][name] for part, name in names.items()}
    known = answers(chosen["repository"], chosen["names"], chosen["images"])
    there = settled(snapshot(DEV, sponsor=None))
    now = snapshot(*chosen["environments"], known=known, sponsor=chosen["sponsor"], decisions=chosen["decisions"])
    return settled(replace(now, live=there.live))


@pytest.mark.parametrize("names", SAMPLES, ids=lambda names: ",".join(names.values()))
def test_after_a_start_everything_is_shown_as_before_and_nothing_new_gets_in(names: dict[str, str]) -> None:
    before = sample(names)
    restarted = replace(before, answers={})
    assert told(restarted) == before.project.status
    plan, former = make_plan(restarted), make_plan(before)
    assert facts(plan)[:2] == facts(former)[:2]
    assert {result.gate.name for result in plan.gates if result.open} <= {
        gate_index.gate.name for gate_index in former.gates if gate_index.open
    }
    assert not plan.urgent
    assert events_of(before.project.status, told(restarted)) == []


@pytest.mark.parametrize("names", SAMPLES[::5], ids=lambda names: ",".join(names.values()))
def test_the_same_world_is_judged_alike_whatever_the_status_says(names: dict[str, str]) -> None:
    before = sample(names)
    wrong = told(replace(before, answers=answers(GONE, dns=False, runs=app(image="nginx"))))
    for known in (before.answers, {}):
        first, *others = (
            facts(make_plan(with_status(before, status, answers=known)))
            for status in ({}, wrong, before.project.status)
        )
        assert all(other == first for other in others)


def test_answers_that_come_back_one_by_one_change_nothing() -> None:
    hosts = [DnsRequest("a.example.org"), DnsRequest("b.example.org")]
    known = {**answers(GONE), **dict.fromkeys(hosts, answered(DnsFacts(())))}
    before = settled(snapshot({**DEV, "domains": [request.host for request in hosts]}, known=known))
    coming: Answers = {}
    for request, answer in known.items():
        coming[request] = answer
        assert told(replace(before, answers=dict(coming))) == before.project.status


def test_a_check_that_was_shown_as_waived_is_shown_so_while_it_is_asked_anew() -> None:
    before = settled(snapshot(known=answers(GONE), decisions=(WAIVED,)))
    shown, *_ = before.project.status["checks"]
    assert (shown["id"], shown["result"]) == ("RepositoryReachable", "Waived")
    ended = told(replace(before, answers={}, decisions=()))["checks"][0]
    assert (ended["id"], ended["result"], ended["message"]) == ("RepositoryReachable", "Pending", shown["message"])


def asked(at: Snapshot) -> set[Request[Any]]:
    return set(make_plan(at).requests)


ASKS = policy_of(
    BUILD,
    TALK,
    LIVE,
    checks=[
        {"id": "RepositoryReachable", "gate": "build"},
        {"id": "DomainResolves", "gate": "talk"},
        {"id": "WorkloadsDeployed", "gate": "live"},
    ],
)


def test_only_what_something_waits_for_is_asked() -> None:
    dev = settled(snapshot(DEV, policy=ASKS))
    assert asked(snapshot(DEV, policy=ASKS)) == {REPOSITORY}
    assert asked(dev) == {DNS, RUNS}
    both = settled(snapshot(DEV, PROD, policy=ASKS))
    assert {revision.environment for revision in make_plan(both).building} == {"dev", "prod"}
    assert asked(both) == set()


@pytest.mark.parametrize(
    ("environments", "expected"),
    [
        ([{**DEV, "size": "large"}, PROD], {REPOSITORY}),
        ([DEV, PROD, environment("more")], {REPOSITORY}),
        ([DEV, {**PROD, "size": "large"}], {REPOSITORY, DNS, RUNS}),
        ([DEV], set()),
    ],
    ids=["growth behind the first gate", "another environment", "growth behind the last", "less"],
)
def test_behind_passed_gates_what_is_new_asks_up_to_its_own_gate(environments: list[Any], expected: set[Any]) -> None:
    both = settled(snapshot(DEV, PROD, policy=ASKS))
    changed = replace(both, project=replace(both.project, spec=spec_of(*environments, sponsor=ADA)))
    assert asked(changed) == expected


def test_what_no_gate_could_let_in_asks_nothing() -> None:
    """What exceeds the ceiling stays out whatever the answers are, so that no server is asked for its sake."""
    both = settled(snapshot(DEV, PROD, policy=ASKS))
    policy = ASKS.model_copy(update={"ceilings": policy_of(ceilings={"nonProduction": {"cpu": "3"}}).ceilings})
    spec = spec_of({**DEV, "size": "large"}, PROD, sponsor=ADA)
    plan = make_plan(replace(both, policy=policy, project=replace(both.project, spec=spec)))
    assert (set(plan.requests), plan.held.keys()) == (set(), {"dev"})


def test_a_held_gate_asks_what_it_and_those_behind_it_need_of_what_runs_before_each() -> None:
    checks = [*FULL, {"id": "EndpointHealthy", "gate": "run"}]
    held = settled(snapshot(DEV, policy=policy_of(BUILD, TALK, LIVE, RUN, checks=checks), sponsor=None))
    assert make_plan(held).gates[1].state is GateState.HELD
    assert asked(held) == {DNS, RUNS}
    waiting = settled(snapshot(DEV, PROD, policy=held.policy, sponsor=None))
    assert asked(waiting) == {REPOSITORY, *GROUPS, DNS, RUNS}
    through = settled(snapshot(DEV, PROD, policy=policy_of(BUILD, TALK, LIVE, RUN, checks=checks)))
    assert asked(through) == {HEALTH, WorkloadsRequest("hub", "shop-prod"), DnsRequest("shop.example.org")}


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, {REPOSITORY}), ({"severity": "Warning"}, {REPOSITORY}), ({"severity": "Ignored"}, set())],
    ids=["blocking", "warning", "ignored"],
)
def test_a_warning_is_asked_and_what_is_ignored_is_not(change: dict[str, str], expected: set[Any]) -> None:
    policy = policy_of(BUILD, checks=[{"id": "RepositoryReachable", "gate": "build", **change}])
    assert asked(snapshot(DEV, policy=policy)) == expected
    assert asked(snapshot(DEV, policy=policy, decisions=(WAIVED,))) == expected


def test_a_new_question_is_urgent_and_an_answered_one_is_not() -> None:
    assert make_plan(snapshot(DEV, known={})).urgent
    assert not make_plan(snapshot(DEV)).urgent
    assert not make_plan(snapshot(DEV, known=answers(UNKNOWN))).urgent


def test_a_question_of_before_is_urgent_only_where_it_alone_keeps_something_new_waiting() -> None:
    dev = settled(snapshot(DEV))
    restarted = replace(dev, answers={})
    assert not make_plan(restarted).urgent
    grown = replace(restarted, project=replace(dev.project, spec=spec_of({**DEV, "size": "large"}, sponsor=ADA)))
    plan = make_plan(grown)
    assert (plan.urgent, plan.held.keys()) == (True, {"dev"})
    assert plan.held["dev"].startswith("gate build: ")
    both = settled(snapshot(DEV, PROD, sponsor=None))
    waits = make_plan(replace(both, answers={}))
    assert (waits.urgent, waits.held) == (False, make_plan(both).held)


def test_a_real_obstacle_behind_a_gate_that_is_being_asked_anew_is_shown() -> None:
    dev = settled(snapshot(DEV, PROD))
    lost = replace(dev, answers={}, project=replace(dev.project, spec=spec_of(DEV, PROD, environment("x"))))
    gate_results = {gate["name"]: gate["state"] for gate in told(lost)["gates"]}
    assert gate_results == {"build": "Open", "talk": "Passed", "live": "Passed"}
    assert not any(result.open for result in make_plan(lost).gates)


def test_a_gate_that_the_status_does_not_know_yet_is_not_taken_for_open() -> None:
    rules = [{"id": "RepositoryReachable", "gate": "build"}]
    dev = settled(snapshot(policy=policy_of(TALK)))
    added = replace(dev, policy=policy_of(TALK, BUILD, checks=rules), answers={})
    status = told(added)
    assert [gate["state"] for gate in status["gates"]] == ["Open", "Held"]
    assert status["checks"][0]["result"] == "Pending"
    assert make_plan(added).urgent
