"""What every check of what runs does alike: it waits for the answer, counts what it does not name, and stays short."""

from dataclasses import replace
from typing import Any

import pytest

from onboarding.api.gates import Actor
from onboarding.api.status import CheckResult
from onboarding.checks import workloads
from onboarding.checks.catalogue import OF_RUNNING
from onboarding.checks.finding import Check
from onboarding.checks.inputs import RunningInputs
from onboarding.checks.probe import WorkloadsFacts
from tests.unit.running import APP, GOOD, WEB, WHAT_RUNS, answered, policy_with, running, web

CHECKS = [check for check in OF_RUNNING if check.run.__module__ == workloads.__name__]
NOT_SERVED = ("Certificate", "PodDisruptionBudget", "PodMonitor", "Schedule", "ServiceMonitor")


def identities(check: Check[Any]) -> str:
    return check.id


@pytest.mark.parametrize("check", CHECKS, ids=identities)
def test_every_check_asks_what_runs_there_and_waits_for_it(check: Check[RunningInputs]) -> None:
    inputs = running(None)
    assert tuple(check.requests_of(inputs)) == (WHAT_RUNS,)
    finding = check.run(inputs)
    assert finding is not None
    assert (finding.result, finding.actor) == (CheckResult.PENDING, Actor.OPERATOR)


@pytest.mark.parametrize("check", CHECKS, ids=identities)
def test_what_cannot_be_seen_is_unknown_with_the_reason_and_the_platforms(check: Check[RunningInputs]) -> None:
    finding = check.run(running(None, answers={WHAT_RUNS: answered(None, "the cluster cannot be reached")}))
    assert finding is not None
    assert finding.message == "what runs in namespace shop-dev: the cluster cannot be reached"
    assert (finding.result, finding.actor) == (CheckResult.UNKNOWN, Actor.PLATFORM)
    assert "site a" in finding.remedy


@pytest.mark.parametrize("check", CHECKS, ids=identities)
def test_an_empty_namespace_lacks_its_deployment_alone(check: Check[RunningInputs]) -> None:
    facts = WorkloadsFacts(not_served=NOT_SERVED)
    assert (check.run(running(facts)) is None) is (check is not workloads.workloads_deployed)


@pytest.mark.parametrize("check", CHECKS, ids=identities)
def test_a_check_has_words_for_the_reference(check: Check[RunningInputs]) -> None:
    assert check.description.endswith(".")
    assert check.remedy
    assert not check.remedy.endswith(".")


def test_three_offenders_are_named_in_order_and_the_rest_counted() -> None:
    many = tuple(replace(WEB, name=name, host_path=True) for name in ("e", "b", "d", "a", "c"))
    finding = workloads.no_host_path.run(running(WorkloadsFacts(many)))
    assert finding is not None
    named = [f"Deployment/{name}: a hostPath volume" for name in "abc"]
    assert finding.message == "; ".join([*named, "and 2 more"])


def test_what_was_not_looked_at_is_told_beside_what_was_found() -> None:
    finding = workloads.no_host_path.run(running(replace(web(host_path=True), omitted=7)))
    assert finding is not None
    assert finding.message == "Deployment/web: a hostPath volume; 7 workloads were not looked at"


def test_an_offender_may_be_among_what_was_not_looked_at() -> None:
    for check in (workloads.no_host_path, workloads.disruption_budgeted):
        finding = check.run(running(replace(GOOD, omitted=7)))
        assert finding is not None
        assert (finding.message, finding.result) == ("7 workloads were not looked at", CheckResult.UNKNOWN)


def test_the_longest_names_leave_a_message_that_fits_into_the_status() -> None:
    container = replace(APP, name="c" * 63, image="i" * 300)
    many = tuple(replace(WEB, name=f"{index}" * 253, containers=(container,)) for index in range(9))
    for check in CHECKS:
        finding = check.run(running(WorkloadsFacts(many, omitted=10**6), policy=policy_with(labels=["a" * 100])))
        assert finding is None or len(finding.message) <= 300, check.id
