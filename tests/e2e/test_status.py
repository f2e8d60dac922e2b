"""The status is read right by every tool at every step: kstatus, Flux's rules, and no more than 8 KiB."""

import json

from devcluster import ControlPlane
from onboarding.build.kinds import NAMESPACE, Manifest
from tests.support.conditions import flux_problems, kstatus
from tests.support.hub import POLICY, PROJECTS, REPOSITORY, Hub
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

MAX_BYTES = 8 * 1024
DEV, PROD = {"name": "dev", "stage": "dev"}, {"name": "prod", "stage": "prod"}


def history(hub: Hub, name: str, since: Manifest) -> list[Manifest]:
    """Return every version of a project after one of them."""
    versions = hub.api.history(PROJECTS, since["metadata"]["resourceVersion"])
    return [item for item in versions if item["kind"] == "ProjectOnboarding" and item["metadata"]["name"] == name]


def test_what_nobody_has_looked_at_is_in_progress(hub: Hub, installed: ControlPlane) -> None:
    """Without an operator a new project is InProgress, by the default of observedGeneration; it runs first here."""
    made = hub.declare("unseen")
    assert made["status"] == {"observedGeneration": -1}
    assert kstatus(made) == "InProgress"


def test_what_was_unseen_becomes_current(hub: Hub, operator: OperatorProcess) -> None:
    """The operator's start is enough: the project that waited becomes Current."""
    hub.wait("unseen")
    assert kstatus(hub.project("unseen")) == "Current"


def test_no_step_of_an_onboarding_looks_finished(hub: Hub, operator: OperatorProcess) -> None:
    """Every version of a project from its creation to Ready is InProgress but the last, and keeps Flux's rules."""
    made = hub.declare("stepwise", repositories=[REPOSITORY])
    hub.wait("stepwise")
    versions = history(hub, "stepwise", made)
    assert {kstatus(item) for item in versions[:-1]} <= {"InProgress"}
    assert kstatus(versions[-1]) == "Current"
    assert [problem for item in versions for problem in flux_problems(item)] == []


def test_a_change_is_in_progress_until_it_is_done(hub: Hub, operator: OperatorProcess) -> None:
    """Between a change of the spec and the end of its pass no tool takes the project for current."""
    hub.declare("edited")
    hub.wait("edited")
    changed = hub.declare("edited", environments=[{**DEV, "size": "large"}])
    assert kstatus(changed) == "InProgress"
    hub.wait("edited")
    assert [problem for item in history(hub, "edited", changed) for problem in flux_problems(item)] == []


def test_a_hold_is_not_a_failure_and_a_refusal_is(hub: Hub, operator: OperatorProcess) -> None:
    """Held with nothing in place is InProgress, held beside what is in place is Current, and refused is Failed."""
    development, production = gates = hub.api.get(POLICY)["spec"]["gates"]
    hub.change_policy(gates=[development, {**production, "approvals": [{"name": "visa", "actor": "poa"}]}])
    try:
        hub.declare("held", environments=[PROD])
        hub.wait("held", "False", "Held")
        assert kstatus(hub.project("held")) == "InProgress"
        hub.declare("half-held", environments=[DEV, PROD])
        hub.wait("half-held", "True", "EnvironmentsHeld")
        assert kstatus(hub.project("half-held")) == "Current"
        assert hub.condition("half-held", "UpToDate")["status"] == "False"
        hub.declare("half-held", environments=[DEV])
    finally:
        hub.change_policy(gates=gates)
    wait_until(lambda: (hub.condition("half-held", "UpToDate") or {}).get("status") == "True", what="it is up to date")
    hub.declare("half-held", environments=[{**DEV, "size": "gigantic"}])
    refused = hub.wait("half-held", "False", "Refused", "size 'gigantic' is not in the policy")
    assert kstatus(hub.project("half-held")) == "Failed"
    assert refused["message"].endswith("all admitted environments are in place")


def test_a_typo_in_the_policy_takes_ready_from_no_project(hub: Hub, operator: OperatorProcess) -> None:
    """The policy is Failed by its own status; projects keep what they have, stay Current, and are not up to date."""
    hub.declare("innocent")
    hub.wait("innocent", "True", "Ready")
    stages = hub.api.get(POLICY)["spec"]["stages"]
    since = hub.project("innocent")
    hub.api.patch(POLICY, {"spec": {"stages": [{**stage, "defaultSize": "nosuch"} for stage in stages]}})
    try:
        hub.wait("innocent", "True", "EnvironmentsHeld", "nosuch")
        assert hub.condition("innocent", "UpToDate")["status"] == "False"
        assert kstatus(hub.project("innocent")) == "Current"
        wait_until(lambda: kstatus(hub.api.get(POLICY)) == "Failed", what="the policy is Failed")
        assert flux_problems(hub.api.get(POLICY)) == []
    finally:
        hub.change_policy(stages=stages)
    hub.wait("innocent", "True", "Ready")
    assert {kstatus(item) for item in history(hub, "innocent", since)} == {"Current"}


def test_a_conflict_is_failed_and_a_deletion_terminating(hub: Hub, operator: OperatorProcess) -> None:
    """What only a person can mend is Failed; what is being deleted is Terminating at every step."""
    hub.api.create(NAMESPACE.path(), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "clash-dev"}})
    hub.declare("clash", deletionPolicy="Delete")
    hub.wait("clash", "False", "Conflict")
    assert kstatus(hub.project("clash")) == "Failed"
    hub.declare("leaving", deletionPolicy="Delete")
    hub.wait("leaving")
    since = hub.project("leaving")
    hub.delete("leaving")
    hub.wait("leaving", "False", "AwaitingConfirmation")
    hub.api.patch(f"{PROJECTS}/leaving", {"spec": {"deletionPolicy": "Retain"}})
    hub.wait_gone("leaving")
    versions = history(hub, "leaving", since)
    assert {kstatus(item) for item in versions} == {"Terminating"}
    assert [problem for item in versions for problem in flux_problems(item)] == []


def test_the_largest_project_keeps_the_limit(hub: Hub, operator: OperatorProcess) -> None:
    """Twenty environments that are all held have a status of at most 8 KiB, and it still says who acts next."""
    environments = [{"name": f"environment-{number}", "stage": "dev", "size": "gigantic"} for number in range(20)]
    hub.declare("wide", environments=environments, description="x" * 255)
    hub.wait("wide", "False", "Refused")
    status = hub.project("wide")["status"]
    assert len(json.dumps(status, separators=(",", ":"))) <= MAX_BYTES
    assert status["nextActions"]


def test_a_foreign_hand_on_the_status_is_put_right(hub: Hub, operator: OperatorProcess) -> None:
    """Somebody with the right to edit writes a false Ready; the next pass says what is true again."""
    hub.declare("forged", environments=[{**DEV, "size": "huge"}])
    hub.wait("forged", "False", "Refused")
    status = hub.project("forged")["status"]
    for condition in status["conditions"]:
        condition["status"] = "True"
    hub.api.patch(f"{PROJECTS}/forged/status", {"status": status})
    wait_until(lambda: hub.condition("forged")["status"] == "False", what="Ready is true to the facts again")


def test_all_projects_of_the_suite_keep_the_rules(hub: Hub, operator: OperatorProcess) -> None:
    """Every project that any test of this suite left keeps Flux's rules and the limit."""
    hub.fence("after-all")
    projects = hub.api.items(PROJECTS)
    problems = {item["metadata"]["name"]: flux_problems(item) for item in projects}
    assert {name: found for name, found in problems.items() if found} == {}
    sizes = {item["metadata"]["name"]: len(json.dumps(item["status"], separators=(",", ":"))) for item in projects}
    assert {name: size for name, size in sizes.items() if size > MAX_BYTES} == {}
    assert all(item["status"]["observedGeneration"] != -1 for item in projects)
