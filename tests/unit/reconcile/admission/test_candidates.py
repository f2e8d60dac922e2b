"""Each environment leaves its share of the room to the others, and none lacks room for what opens behind it."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from onboarding.api.status import CheckResult
from onboarding.api.target import HostingTargetSpec
from onboarding.checks.totals import Totals
from onboarding.reconcile.observed.capacity import CapacityLedger, SiteKey, Usage, allocations_of
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from tests.unit.snapshots import (
    OWNER,
    SITES,
    attested,
    built,
    environment,
    policy_of,
    snapshot_of,
    spec_of,
    told,
    with_status,
)

CAPACITY = {"cpu": "5"}
"""Room for two small environments of 2 CPU, and not for a third."""
TWIN = HostingTargetSpec.model_validate({"sites": [{**site, "capacity": CAPACITY} for site in SITES]})
ONE = HostingTargetSpec.model_validate({"sites": [{**SITES[0], "capacity": CAPACITY}]})
TARGETS = {"main": ONE, "twin": TWIN}
NON_PRODUCTION = {"ceilings": {"nonProduction": {"cpu": "4"}}}


def judged(*environments: Any, **fields: Any) -> ReconcilePlan:
    return make_plan(snapshot_of(spec_of(*environments), targets=TARGETS, **fields))


def places(plan: ReconcilePlan) -> list[tuple[str, str]]:
    return [(revision.environment, revision.site) for revision in plan.building]


def taken(plan: ReconcilePlan) -> dict[str, int]:
    """Return the CPU that is built on each site."""
    sums: dict[str, int] = {}
    for revision in plan.building:
        sums[revision.site] = sums.get(revision.site, 0) + Totals.of(revision.resources).cpu
    return sums


def test_two_environments_never_take_the_same_room_in_one_pass() -> None:
    plan = judged(environment("a"), environment("b"), environment("c"))
    assert places(plan) == [("a", "a"), ("b", "a")]
    assert plan.held == {"c": "target 'main' has no room: site 'a': cpu 2 wanted, 4 of 5 taken"}


@pytest.mark.parametrize("order", list(permutations(["one", "two", "wide"])))
def test_nor_where_one_of_them_finds_room_on_one_of_its_sites_only(order: tuple[str, ...]) -> None:
    declared = {name: environment(name, target="twin", sites=["a"]) for name in ("one", "two")}
    declared["wide"] = environment("wide", target="twin")
    full = {SiteKey.of("twin", TWIN.sites[1]): Totals(cpu=4000)}
    plan = judged(*(declared[name] for name in order), usage=Usage(full, {}))
    assert taken(plan) == {"a": 4000}
    assert "wide" in plan.held


def test_what_grows_leaves_room_for_what_is_there_and_shrinks_later() -> None:
    before = snapshot_of(spec_of(environment("a"), environment("b")), targets=TARGETS)
    shrinks = {"cpu": "1", "memory": "4Gi", "ephemeralStorage": "8Gi", "storage": "10Gi", "pods": 20}
    grows = {**shrinks, "cpu": "3"}
    after = spec_of(environment("a", resources=shrinks), environment("b", resources=grows), environment("c"))
    ledger = CapacityLedger(OWNER.installation, lambda _: None)
    for key, live in built(before).items():
        if key.kind.kind == "Namespace":
            ledger.on_update(key, live)
    namespaces = [key for key in built(before) if key.kind.kind == "Namespace"]
    usage = ledger.usage("shop", namespaces)
    plan = make_plan(snapshot_of(after, built(before), targets=TARGETS, usage=usage))
    assert {revision.environment: revision.resources.cpu for revision in plan.building} == {"a": "1", "b": "3"}
    assert plan.held.keys() == {"c"}
    ledger.reserve("shop", allocations_of(plan.building), plan.full)
    assert ledger.usage("other", []).sums[SiteKey.of("main", ONE.sites[0])].cpu == 5000


GATES = policy_of({"name": "early", "opens": [{"stages": ["dev"]}]}, {"name": "late", "opens": [{"stages": ["prod"]}]})


@pytest.mark.parametrize("order", list(permutations(["late", "early", "first"])))
def test_nothing_lacks_room_for_what_opens_behind_it(order: tuple[str, ...]) -> None:
    stages = {"late": "prod", "early": "dev", "first": "dev"}
    environments = [environment(name, stage=stages[name]) for name in order]
    plan = judged(*environments, policy=GATES)
    assert {name for name, _ in places(plan)} == {"early", "first"}
    assert [item.name for item in spec_of(*environments).environments] == list(order)


def test_a_ceiling_is_shared_by_environments_of_its_kind_alone() -> None:
    policy = policy_of(**NON_PRODUCTION)
    three = [environment("a", target="twin"), environment("b"), environment("prod", stage="prod")]
    plan = make_plan(snapshot_of(spec_of(*three), policy=policy))
    assert places(plan) == [("a", "a"), ("a", "b"), ("prod", "a")]
    assert plan.held["b"].startswith("the project's ceiling of non-production environments is exceeded: cpu 2")


def test_what_is_leaving_still_counts_against_the_ceiling() -> None:
    before = snapshot_of(spec_of(environment("a"), environment("b")), policy=policy_of(**NON_PRODUCTION))
    plan = make_plan(
        replace(snapshot_of(spec_of(environment("b"), environment("c"))), live=built(before), policy=before.policy)
    )
    assert (plan.removing, plan.held.keys()) == ({"a"}, {"c"})


def test_the_same_again_is_nothing_new_and_needs_no_room() -> None:
    before = snapshot_of(spec_of(environment("a")))
    over_full = Usage({SiteKey.of("main", ONE.sites[0]): Totals(cpu=99000)}, {})
    plan = make_plan(replace(before, live=built(before), targets=TARGETS, usage=over_full))
    assert (plan.held, plan.arriving, places(plan)) == ({}, set(), [("a", "a")])


ZONED = HostingTargetSpec.model_validate(
    {
        "sites": SITES[:1],
        "network": {
            "zones": [
                {"name": "rie", "cidrs": ["192.0.2.0/24"], "attested": True},
                {"name": "s3", "cidrs": ["198.51.100.0/24"]},
            ]
        },
    }
)
FLOWS = [
    {"name": "back", "zone": zone, "port": 443, "justification": "needed"} | {"name": zone} for zone in ("rie", "s3")
]


def flows(snapshot: Snapshot) -> list[str]:
    (revision,) = make_plan(snapshot).building
    return [flow.zone for flow in revision.flows]


def test_flows_of_a_zone_that_wants_it_open_with_its_attestation_and_stay_open_after() -> None:
    spec = spec_of(environment(), flows=FLOWS)
    gates = [{"name": stage, "opens": [{"stages": [stage]}]} for stage in ("dev", "prod")]
    policy = policy_of(*gates, checks=[{"id": "FlowsOpened", "gate": "prod"}])
    before = snapshot_of(spec, targets={"main": ZONED}, policy=policy)
    assert flows(before) == ["s3"]
    opened = replace(before, decisions=(attested(spec, "FlowsOpened"),))
    assert flows(opened) == ["rie", "s3"]
    ended = replace(before, live=built(opened))
    assert flows(ended) == ["rie", "s3"]
    less = spec_of(environment(), flows=FLOWS[1:])
    assert flows(replace(ended, project=replace(ended.project, spec=less))) == ["s3"]


def test_a_shrink_below_what_is_used_is_looked_at_again_after_a_while() -> None:
    before = snapshot_of(spec_of(environment(size="large")))
    live = {
        key: item._replace(told=b'{"used":{"requests.cpu":"5"}}') if key.kind.kind == "ResourceQuota" else item
        for key, item in built(before).items()
    }
    plan = make_plan(snapshot_of(spec_of(environment()), live))
    assert [found.check.id for found in plan.findings] == ["ShrinkBelowUse"]
    assert [revision.resources.cpu for revision in plan.building] == ["8"]
    assert plan.again_at is not None
    assert plan.findings[0].finding.result is CheckResult.FAIL


def test_what_a_date_decides_is_looked_at_again_when_the_next_day_begins() -> None:
    later = HostingTargetSpec.model_validate({"sites": SITES[:1], "contract": {"availableFrom": "2026-02-01"}})
    snapshot = snapshot_of(spec_of(environment()), targets={"main": later})
    plan = make_plan(snapshot)
    assert (plan.held.keys(), plan.again_at) == ({"dev"}, datetime(2026, 1, 3, tzinfo=UTC))
    there = make_plan(replace(snapshot, now=datetime(2026, 2, 1, tzinfo=UTC)))
    assert (places(there), there.again_at) == ([("dev", "a")], None)
    policy = policy_of(
        {"name": "build", "opens": [{"stages": ["dev"]}]},
        {"name": "audit"},
        checks=[{"id": "CertificateValid", "gate": "audit"}],
    )
    shown = snapshot_of(spec_of(environment(domains=["dev.example.org"])), policy=policy)
    assert make_plan(shown).again_at is None
    assert make_plan(replace(shown, live=built(shown))).again_at == datetime(2026, 1, 3, tzinfo=UTC)


def test_the_status_of_a_project_without_room_says_so_and_repeats_nothing() -> None:
    snapshot = snapshot_of(spec_of(environment("a"), environment("b"), environment("c")), targets=TARGETS)
    status = told(snapshot)
    (found,) = status["checks"]
    assert (found["id"], found["environment"], found["nextActor"]) == ("CapacityExceeded", "c", "platform")
    assert told(with_status(snapshot, status, live=built(snapshot))) == status


@pytest.mark.parametrize(("size", "asked"), [("small", True), ("large", False)])
def test_an_environment_without_room_asks_nothing_of_its_gate(size: str, asked: bool) -> None:
    """Its checks would be asked for something that cannot come, again and again."""
    gate = {"name": "start", "opens": [{"stages": ["dev"]}]}
    policy = policy_of(gate, checks=[{"id": "GroupsExist", "gate": "start"}])
    before = snapshot_of(spec_of(environment("a")), targets=TARGETS)
    plan = make_plan(
        snapshot_of(
            spec_of(environment("a"), environment("b", size=size)), built(before), targets=TARGETS, policy=policy
        )
    )
    assert ("b" in plan.held, bool(plan.requests)) == (True, asked)
