"""Each environment leaves its share of the room to the others, and none lacks room for what opens behind it."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from onboarding.api.status import CheckResult
from onboarding.api.target import HostingTargetSpec
from onboarding.checks.totals import Totals
from onboarding.reconcile.judge import Judgement, judge
from onboarding.reconcile.ledger import Ledger, Occupancy, SiteKey, claims_of
from onboarding.reconcile.world import World
from tests.unit.worlds import (
    OWNER,
    SITES,
    attested,
    built,
    environment,
    policy_of,
    spec_of,
    told,
    with_status,
    world_of,
)

CAPACITY = {"cpu": "5"}
"""Room for two small environments of 2 CPU, and not for a third."""
TWIN = HostingTargetSpec.model_validate({"sites": [{**site, "capacity": CAPACITY} for site in SITES]})
ONE = HostingTargetSpec.model_validate({"sites": [{**SITES[0], "capacity": CAPACITY}]})
TARGETS = {"main": ONE, "twin": TWIN}
NON_PRODUCTION = {"ceilings": {"nonProduction": {"cpu": "4"}}}


def judged(*environments: Any, **fields: Any) -> Judgement:
    return judge(world_of(spec_of(*environments), targets=TARGETS, **fields))


def places(judgement: Judgement) -> list[tuple[str, str]]:
    return [(revision.environment, revision.site) for revision in judgement.building]


def taken(judgement: Judgement) -> dict[str, int]:
    """Return the CPU that is built on each site."""
    sums: dict[str, int] = {}
    for revision in judgement.building:
        sums[revision.site] = sums.get(revision.site, 0) + Totals.of(revision.resources).cpu
    return sums


def test_two_environments_never_take_the_same_room_in_one_pass() -> None:
    judgement = judged(environment("a"), environment("b"), environment("c"))
    assert places(judgement) == [("a", "a"), ("b", "a")]
    assert judgement.held == {"c": "target 'main' has no room: site 'a': cpu 2 wanted, 4 of 5 taken"}


@pytest.mark.parametrize("order", list(permutations(["one", "two", "wide"])))
def test_nor_where_one_of_them_finds_room_on_one_of_its_sites_only(order: tuple[str, ...]) -> None:
    declared = {name: environment(name, target="twin", sites=["a"]) for name in ("one", "two")}
    declared["wide"] = environment("wide", target="twin")
    full = {SiteKey.of("twin", TWIN.sites[1]): Totals(cpu=4000)}
    judgement = judged(*(declared[name] for name in order), occupancy=Occupancy(full, {}))
    assert taken(judgement) == {"a": 4000}
    assert "wide" in judgement.held


def test_what_grows_leaves_room_for_what_is_there_and_shrinks_later() -> None:
    before = world_of(spec_of(environment("a"), environment("b")), targets=TARGETS)
    shrinks = {"cpu": "1", "memory": "4Gi", "ephemeralStorage": "8Gi", "storage": "10Gi", "pods": 20}
    grows = {**shrinks, "cpu": "3"}
    after = spec_of(environment("a", resources=shrinks), environment("b", resources=grows), environment("c"))
    ledger = Ledger(OWNER.installation, lambda _: None)
    for key, live in built(before).items():
        if key.kind.kind == "Namespace":
            ledger.on_update(key, live)
    namespaces = [key for key in built(before) if key.kind.kind == "Namespace"]
    occupancy = ledger.occupancy("shop", namespaces)
    judgement = judge(world_of(after, built(before), targets=TARGETS, occupancy=occupancy))
    assert {revision.environment: revision.resources.cpu for revision in judgement.building} == {"a": "1", "b": "3"}
    assert judgement.held.keys() == {"c"}
    ledger.reserve("shop", claims_of(judgement.building), judgement.full)
    assert ledger.occupancy("other", []).sums[SiteKey.of("main", ONE.sites[0])].cpu == 5000


DOORS = policy_of({"name": "early", "opens": [{"stages": ["dev"]}]}, {"name": "late", "opens": [{"stages": ["prod"]}]})


@pytest.mark.parametrize("order", list(permutations(["late", "early", "first"])))
def test_nothing_lacks_room_for_what_opens_behind_it(order: tuple[str, ...]) -> None:
    stages = {"late": "prod", "early": "dev", "first": "dev"}
    environments = [environment(name, stage=stages[name]) for name in order]
    judgement = judged(*environments, policy=DOORS)
    assert {name for name, _ in places(judgement)} == {"early", "first"}
    assert [item.name for item in spec_of(*environments).environments] == list(order)


def test_a_ceiling_is_shared_by_environments_of_its_kind_alone() -> None:
    policy = policy_of(**NON_PRODUCTION)
    three = [environment("a", target="twin"), environment("b"), environment("prod", stage="prod")]
    judgement = judge(world_of(spec_of(*three), policy=policy))
    assert places(judgement) == [("a", "a"), ("a", "b"), ("prod", "a")]
    assert judgement.held["b"].startswith("the project's ceiling of non-production environments is exceeded: cpu 2")


def test_what_is_leaving_still_counts_against_the_ceiling() -> None:
    before = world_of(spec_of(environment("a"), environment("b")), policy=policy_of(**NON_PRODUCTION))
    judgement = judge(
        replace(world_of(spec_of(environment("b"), environment("c"))), live=built(before), policy=before.policy)
    )
    assert (judgement.gone, judgement.held.keys()) == ({"a"}, {"c"})


def test_the_same_again_is_nothing_new_and_needs_no_room() -> None:
    before = world_of(spec_of(environment("a")))
    over_full = Occupancy({SiteKey.of("main", ONE.sites[0]): Totals(cpu=99000)}, {})
    judgement = judge(replace(before, live=built(before), targets=TARGETS, occupancy=over_full))
    assert (judgement.held, judgement.arriving, places(judgement)) == ({}, set(), [("a", "a")])


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


def flows(world: World) -> list[str]:
    (revision,) = judge(world).building
    return [flow.zone for flow in revision.flows]


def test_flows_of_a_zone_that_wants_it_open_with_its_attestation_and_stay_open_after() -> None:
    spec = spec_of(environment(), flows=FLOWS)
    before = world_of(spec, targets={"main": ZONED})
    assert flows(before) == ["s3"]
    opened = replace(before, decisions=(attested(spec, "FlowsOpened"),))
    assert flows(opened) == ["rie", "s3"]
    ended = replace(before, live=built(opened))
    assert flows(ended) == ["rie", "s3"]
    less = spec_of(environment(), flows=FLOWS[1:])
    assert flows(replace(ended, project=replace(ended.project, spec=less))) == ["s3"]


def test_a_shrink_below_what_is_used_is_looked_at_again_after_a_while() -> None:
    before = world_of(spec_of(environment(size="large")))
    live = {
        key: item._replace(told=b'{"used":{"requests.cpu":"5"}}') if key.kind.kind == "ResourceQuota" else item
        for key, item in built(before).items()
    }
    judgement = judge(world_of(spec_of(environment()), live))
    assert [found.check.id for found in judgement.findings] == ["ShrinkBelowUse"]
    assert [revision.resources.cpu for revision in judgement.building] == ["8"]
    assert judgement.again_at is not None
    assert judgement.findings[0].finding.result is CheckResult.FAIL


def test_what_a_date_decides_is_looked_at_again_when_the_next_day_begins() -> None:
    later = HostingTargetSpec.model_validate({"sites": SITES[:1], "contract": {"availableFrom": "2026-02-01"}})
    world = world_of(spec_of(environment()), targets={"main": later})
    judgement = judge(world)
    assert (judgement.held.keys(), judgement.again_at) == ({"dev"}, datetime(2026, 1, 3, tzinfo=UTC))
    there = judge(replace(world, now=datetime(2026, 2, 1, tzinfo=UTC)))
    assert (places(there), there.again_at) == ([("dev", "a")], None)
    policy = policy_of(
        {"name": "build", "opens": [{"stages": ["dev"]}]},
        {"name": "audit"},
        checks=[{"id": "CertificateValid", "gate": "audit"}],
    )
    shown = world_of(spec_of(environment(domains=["dev.example.org"])), policy=policy)
    assert judge(shown).again_at is None
    assert judge(replace(shown, live=built(shown))).again_at == datetime(2026, 1, 3, tzinfo=UTC)


def test_the_status_of_a_project_without_room_says_so_and_repeats_nothing() -> None:
    world = world_of(spec_of(environment("a"), environment("b"), environment("c")), targets=TARGETS)
    status = told(world)
    (found,) = status["checks"]
    assert (found["id"], found["environment"], found["nextActor"]) == ("CapacityExceeded", "c", "platform")
    assert told(with_status(world, status, live=built(world))) == status
