"""An environment gets what its sites have room for, what its project may take, and no less than it uses."""

from dataclasses import replace
from typing import Any

import pytest

from onboarding.api.capacity import Budget
from onboarding.api.gates import Actor
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.quota import quota_of
from onboarding.api.target import HostingTargetSpec
from onboarding.checks import capacity
from onboarding.checks.finding import Check, Finding
from onboarding.checks.inputs import CapacityInputs, Headroom
from onboarding.checks.totals import Totals
from tests.unit.snapshots import POLICY, SITES, environment, inputs_of, revisions, spec_of

GI = 1024**3 * 1000
SMALL = Totals(2000, 4 * GI, 10 * GI)
"""What an environment of size small takes on a site; of size large it takes 8 CPU."""
HUGE = {"cpu": "3500m", "memory": "12Gi", "ephemeralStorage": "8Gi", "storage": "10Gi", "gpu": 2, "pods": 20}


def inputs(
    room: Headroom | None = None,
    *,
    sites: tuple[dict[str, str | int], ...] = ({},),
    policy: OnboardingPolicySpec = POLICY,
    **fields: Any,
) -> CapacityInputs:
    """Return the inputs of one environment on a target whose sites have these capacities."""
    given = inputs_of(spec_of(environment(target="main", **fields)), policy=policy)
    declared = [{**site, "capacity": budget} for site, budget in zip(SITES, sites, strict=False)]
    targets = {"main": HostingTargetSpec.model_validate({"sites": declared})}
    declaration = replace(given, project=replace(given.project, targets=targets))
    return CapacityInputs(declaration, room or Headroom())


def quota(size: str = "small", **resources: Any) -> dict[str, str]:
    """Return the quota that an environment has once it is admitted."""
    declared = environment(resources=resources) if resources else environment(size=size)
    (revision,) = revisions(spec_of(declared))
    return quota_of(revision.resources, revision.gpu_resource, revision.object_counts)


def found(check: Check[CapacityInputs], given: CapacityInputs) -> Finding:
    finding = check.run(given)
    assert finding is not None
    return finding


ALL_FITS = {
    "nothing is declared": ({}, Totals(10**9, 10**18, 10**18, 10**6)),
    "the last of it": ({"cpu": "4", "memory": "8Gi", "storage": "20Gi", "gpu": 0}, SMALL),
    "in other units": ({"cpu": "4000m", "memory": "8192Mi"}, SMALL),
    "a GPU is not asked for": ({"gpu": 2}, Totals(gpu=2)),
}


@pytest.mark.parametrize(("declared", "taken"), ALL_FITS.values(), ids=ALL_FITS.keys())
def test_a_site_with_room_takes_an_environment(declared: dict[str, Any], taken: Totals) -> None:
    assert capacity.sites_have_room.run(inputs(Headroom(taken={"a": taken}), sites=(declared,))) is None


FULL = {
    "cpu": ({"cpu": "5500m"}, Totals(cpu=4000), {}, "cpu 2 wanted, 4 of 5500m taken"),
    "memory": ({"memory": "12Gi"}, Totals(memory=9 * GI), {}, "memory 4Gi wanted, 9Gi of 12Gi taken"),
    "storage": ({"storage": "100G"}, Totals(storage=95 * 10**12), {}, "storage 10Gi wanted, 95G of 100G taken"),
    "gpu": ({"gpu": 3}, Totals(gpu=2), {"resources": HUGE}, "gpu 2 wanted, 2 of 3 taken"),
    "nothing at all": ({"gpu": 0}, Totals(), {"resources": HUGE}, "gpu 2 wanted, 0 of 0 taken"),
    "a thousandth of a core": ({"cpu": "3999m"}, SMALL, {}, "cpu 2 wanted, 2 of 3999m taken"),
}


@pytest.mark.parametrize(("declared", "taken", "fields", "figures"), FULL.values(), ids=FULL.keys())
def test_a_full_site_is_named_with_the_figures(
    declared: dict[str, Any], taken: Totals, fields: dict[str, Any], figures: str
) -> None:
    finding = found(capacity.sites_have_room, inputs(Headroom(taken={"a": taken}), sites=(declared,), **fields))
    assert finding == Finding(f"target 'main' has no room: site 'a': {figures}")
    assert capacity.sites_have_room.actor is Actor.PLATFORM


def test_every_resource_that_does_not_fit_is_named() -> None:
    finding = found(capacity.sites_have_room, inputs(sites=({"cpu": "1", "memory": "1Gi"},)))
    assert "cpu 2 wanted, 0 of 1 taken, memory 4Gi wanted, 0 of 1Gi taken" in finding.message


@pytest.mark.parametrize(
    ("taken", "site", "named"),
    [({"a": SMALL}, "a", ["'a'"]), ({"b": SMALL}, "b", ["'b'"]), ({"a": SMALL, "b": SMALL}, "", ["'a'", "'b'"])],
    ids=["the first", "the second", "both"],
)
def test_of_several_sites_the_full_ones_are_named(taken: dict[str, Totals], site: str, named: list[str]) -> None:
    finding = found(capacity.sites_have_room, inputs(Headroom(taken=taken), sites=({"cpu": "3"}, {"cpu": "3"})))
    assert finding.site == site
    assert [name for name in ("'a'", "'b'") if f"site {name}" in finding.message] == named


def test_console_1911_an_edited_environment_is_counted_once() -> None:
    """Cloud π console, issue 1911: 4 cores of 8 taken by the environment itself; 7 were refused as 4 + 7."""
    room = Headroom(taken={"a": Totals()}, current={"a": quota(**(HUGE | {"cpu": "4"}))}, ceiling=Budget(cpu="8"))
    given = inputs(room, sites=({"cpu": "8"},), resources=HUGE | {"cpu": "7"})
    assert capacity.sites_have_room.run(given) is None
    assert capacity.project_keeps_to_its_ceiling.run(given) is None


OVER_FULL = {
    "what stays": ("small", True),
    "what shrinks": ("tiny", True),
    "what grows": ("large", False),
}


@pytest.mark.parametrize(("size", "stays"), OVER_FULL.values(), ids=OVER_FULL.keys())
@pytest.mark.parametrize("check", [capacity.sites_have_room, capacity.project_keeps_to_its_ceiling], ids=lambda c: c.id)
def test_where_less_is_declared_than_is_taken_only_growth_is_held(
    check: Check[CapacityInputs], size: str, stays: bool
) -> None:
    tiny = POLICY.sizes[0].model_copy(update={"name": "tiny", "cpu": "1"})
    policy = POLICY.model_copy(update={"sizes": (*POLICY.sizes, tiny)})
    room = Headroom(taken={"a": SMALL}, committed=SMALL, current={"a": quota()}, ceiling=Budget(cpu="1"))
    given = inputs(room, sites=({"cpu": "1"},), policy=policy, size=size)
    assert (check.run(given) is None) is stays


def test_growth_of_one_resource_is_not_held_by_another_that_is_over_full() -> None:
    room = Headroom(taken={"a": SMALL}, current={"a": quota()})
    assert capacity.sites_have_room.run(inputs(room, sites=({"cpu": "10", "memory": "1Gi"},), size="large")) is None


@pytest.mark.parametrize("broken", [{"stage": "none"}, {"size": "none"}, {"target": "none"}], ids=str)
def test_what_is_not_known_is_another_checks_finding(broken: dict[str, str]) -> None:
    given = inputs_of(spec_of(environment(**broken)))
    for check in (capacity.sites_have_room, capacity.project_keeps_to_its_ceiling, capacity.quota_holds_what_is_used):
        assert check.run(CapacityInputs(given)) is None


CEILINGS = {
    "no ceiling": (Budget(), Totals(10**9), {}, ""),
    "the last of it": (Budget(cpu="4"), SMALL, {}, ""),
    "beyond it": (Budget(cpu="3500m"), SMALL, {}, "cpu 2 wanted, 2 of 3500m taken"),
    "gpu": (Budget(gpu=1), Totals(), {"resources": HUGE}, "gpu 2 wanted, 0 of 1 taken"),
    "storage": (Budget(storage="15Gi"), SMALL, {}, "storage 10Gi wanted, 10Gi of 15Gi taken"),
}


@pytest.mark.parametrize(("ceiling", "committed", "fields", "figures"), CEILINGS.values(), ids=CEILINGS.keys())
def test_a_project_keeps_to_its_ceiling(
    ceiling: Budget, committed: Totals, fields: dict[str, Any], figures: str
) -> None:
    given = inputs(Headroom(committed=committed, ceiling=ceiling), **fields)
    finding = capacity.project_keeps_to_its_ceiling.run(given)
    expected = f"the project's ceiling of non-production environments is exceeded: {figures}"
    assert (finding.message if finding else "") == (expected if figures else "")
    assert "Grant" in capacity.project_keeps_to_its_ceiling.remedy


def test_an_environment_takes_of_the_ceiling_on_each_of_its_sites() -> None:
    given = inputs(Headroom(ceiling=Budget(cpu="3")), sites=({}, {}), stage="prod")
    finding = found(capacity.project_keeps_to_its_ceiling, given)
    assert "of production environments is exceeded: cpu 4 wanted, 0 of 3 taken" in finding.message
    assert capacity.project_keeps_to_its_ceiling.run(replace(given, room=Headroom(ceiling=Budget(cpu="4")))) is None


@pytest.mark.parametrize(
    ("fields", "committed", "actor"),
    [({}, Totals(), Actor.PLATFORM), ({}, SMALL, Actor.PROJECT), ({"size": "small"}, Totals(), Actor.PROJECT)],
    ids=["the policy's default alone", "together with others", "a size that was chosen"],
)
def test_who_mends_a_ceiling_that_is_exceeded(fields: dict[str, str], committed: Totals, actor: Actor) -> None:
    ceiling = Budget(cpu="3" if committed != Totals() else "1")
    given = inputs(Headroom(committed=committed, ceiling=ceiling), **fields)
    assert found(capacity.project_keeps_to_its_ceiling, given).actor is actor


def policy_with(**container: dict[str, str]) -> OnboardingPolicySpec:
    """Return a policy with other amounts of cpu for containers."""
    amounts = {"memory": "128Mi", "ephemeral_storage": "256Mi"}
    given = {name: {**amounts, **value} for name, value in container.items()}
    base = POLICY.container.model_dump(exclude_none=True)
    return POLICY.model_copy(update={"container": type(POLICY.container).model_validate({**base, **given})})


PODS = {
    "the policy's sizes": ({}, {}, ""),
    "cut to the quota": ({}, {"cpu": "50m"}, ""),
    "no cpu": ({}, {"cpu": "0"}, "cpu 0 at most, 0 in the quota"),
    "no memory": ({}, {"memory": "0"}, "memory 0 at most, 0 in the quota"),
    "no ephemeral storage": ({}, {"ephemeralStorage": "0"}, "ephemeral-storage 0 at most, 0 in the quota"),
    "the minimum exactly": ({"minimum": {"cpu": "50m"}}, {"cpu": "50m"}, ""),
    "less than the minimum": (
        {"minimum": {"cpu": "60m"}},
        {"cpu": "50m"},
        "cpu 50m requested, 60m at least, 50m in the quota",
    ),
    "a request below the minimum": (
        {"minimum": {"cpu": "200m"}},
        {"cpu": "4"},
        "cpu 100m requested, 200m at least, 4 in the quota",
    ),
    "a maximum below the limit": ({"maximum": {"cpu": "250m"}}, {"cpu": "4"}, ""),
    "a maximum below the minimum": (
        {"minimum": {"cpu": "100m"}, "maximum": {"cpu": "80m"}},
        {"cpu": "4"},
        "cpu 80m requested, 100m at least, 4 in the quota",
    ),
}


@pytest.mark.parametrize(("container", "resources", "figures"), PODS.values(), ids=PODS.keys())
def test_a_default_pod_fits(container: dict[str, Any], resources: dict[str, str], figures: str) -> None:
    fields = {"resources": HUGE | resources} if resources else {}
    finding = capacity.default_pod_fits.run(inputs(policy=policy_with(**container), **fields).declared)
    expected = f"a container without requests and limits does not start: {figures}"
    assert (finding.message if finding else "") == (expected if figures else "")
    assert finding is None or finding.actor is Actor.PROJECT


def test_a_size_in_which_nothing_starts_is_the_platforms_to_mend() -> None:
    finding = capacity.default_pod_fits.run(inputs(policy=policy_with(minimum={"cpu": "200m"})).declared)
    assert finding is not None
    assert finding.actor is Actor.PLATFORM
    assert "size 'small'" in finding.remedy


SHRINKS = {
    "nothing runs there yet": ({}, {}, ""),
    "room is left": ({"a": {}}, {"a": {"requests.cpu": "1500m", "pods": "20"}}, ""),
    "all of it is used": ({"a": {}}, {"a": {"requests.cpu": "2", "limits.memory": "4096Mi"}}, ""),
    "one key": (
        {"a": {"limits.cpu": "8"}},
        {"a": {"requests.cpu": "2", "limits.cpu": "3500m"}},
        "site 'a': limits.cpu 2 wanted, 3500m used",
    ),
    "several keys": (
        {"a": {"pods": "50", "requests.memory": "12Gi"}},
        {"a": {"pods": "21", "requests.memory": "5Gi"}},
        "site 'a': requests.memory 4Gi wanted, 5Gi used, pods 20 wanted, 21 used",
    ),
    "a GPU": (
        {"a": {"requests.nvidia.com/gpu": "1"}},
        {"a": {"requests.nvidia.com/gpu": "1"}},
        "site 'a': requests.nvidia.com/gpu 0 wanted, 1 used",
    ),
    "what shrinks is what counts": ({"a": {"pods": "20"}}, {"a": {"pods": "21"}}, ""),
    "a quota of unknown size": ({}, {"a": {"pods": "21"}}, "site 'a': pods 20 wanted, 21 used"),
    "what the quota no longer counts": ({"a": {}}, {"a": {"count/jobs.batch": "90"}}, ""),
}


@pytest.mark.parametrize(("current", "used", "figures"), SHRINKS.values(), ids=SHRINKS.keys())
def test_a_quota_does_not_shrink_below_what_is_used(
    current: dict[str, dict[str, str]], used: dict[str, dict[str, str]], figures: str
) -> None:
    finding = capacity.quota_holds_what_is_used.run(inputs(Headroom(current=current, used=used)))
    assert (finding.message if finding else "") == (
        f"the quota would be less than what is used: {figures}" if figures else ""
    )


def test_a_storage_class_and_an_object_count_do_not_shrink_below_their_use_either() -> None:
    classes = "fast.storageclass.storage.k8s.io/requests.storage"
    policy = POLICY.model_copy(update={"object_counts": {"secrets": 10}})
    room = Headroom(current={"a": {classes: "8Gi", "secrets": "20"}}, used={"a": {classes: "6Gi", "secrets": "11"}})
    given = inputs(room, policy=policy, resources=HUGE | {"storageClasses": {"fast": "5Gi"}})
    message = found(capacity.quota_holds_what_is_used, given).message
    assert f"{classes} 5Gi wanted, 6Gi used" in message
    assert "secrets 10 wanted, 11 used" in message


def test_of_several_sites_the_one_that_uses_more_is_named() -> None:
    room = Headroom(current={"a": quota("large"), "b": quota("large")}, used={"b": {"limits.cpu": "5"}})
    finding = found(capacity.quota_holds_what_is_used, inputs(room, sites=({}, {})))
    assert (finding.site, finding.message[-40:]) == ("b", "used: site 'b': limits.cpu 2 wanted, 5 used"[-40:])


def test_all_that_is_wrong_is_said_at_once() -> None:
    room = Headroom(taken={"a": SMALL}, ceiling=Budget(cpu="1"), used={"a": {"pods": "30"}})
    given = inputs(room, sites=({"cpu": "3"},), policy=policy_with(minimum={"cpu": "200m"}))
    checks = (
        capacity.project_keeps_to_its_ceiling,
        capacity.sites_have_room,
        capacity.quota_holds_what_is_used,
    )
    assert capacity.default_pod_fits.run(given.declared)
    assert all(check.run(given) for check in checks)
