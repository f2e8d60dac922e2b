"""The state of an environment as a whole, which the metrics and the summary count."""

from dataclasses import replace

from onboarding.build.kinds import NAMESPACE
from onboarding.reconcile.apply.outcome import Result
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.situations import DEV, LIVE, PROD, REFUSED, conditions, outcome, report_of
from tests.unit.snapshots import confirm_delete, environment, live_of_spec, snapshot_of, spec_of


def test_a_project_without_environments_has_a_status_and_no_states() -> None:
    shown = report_of(snapshot_of(spec_of()))
    assert shown.status["summary"]["environments"] == "0/0"
    assert shown.states == {}


def test_the_states_are_one_word_per_environment() -> None:
    twin = spec_of(environment(target="twin"), REFUSED)
    shown = report_of(snapshot_of(twin, live_of_spec(spec_of(environment(target="twin")))))
    assert shown.states == {"dev": "Ready", "typo": "Held"}
    broken = report_of(snapshot_of(spec_of(DEV), LIVE), [outcome(Result.FAILED)])
    assert broken.states == {"dev": "Failed"}


def test_a_removed_environment_whose_namespace_is_terminating_is_being_removed_and_not_in_place() -> None:
    """Its namespace has no admitted revision to build from any more, and is there all the same."""
    both = live_of_spec(spec_of(DEV, PROD))
    live = {
        key: item._replace(deleting=True) if key.kind is NAMESPACE and item.environment == "prod" else item
        for key, item in both.items()
    }
    snapshot = snapshot_of(spec_of(DEV, deletionPolicy="Delete"), live, decisions=(confirm_delete("prod"),))
    shown = report_of(snapshot)
    provisioned = conditions(shown.status)["Provisioned"]
    assert (provisioned["status"], provisioned["message"]) == ("False", "removing prod")
    removed = shown.status["environments"][-1]
    assert removed == {"name": "prod", "sites": [{"name": "a", "namespace": "shop-prod", "state": "Removing"}]}
    assert shown.states == {"dev": "Ready", "prod": "Removing"}
    assert shown.status["summary"]["environments"] == "1/2"


def test_a_removed_environment_without_a_namespace_is_being_removed_while_anything_of_it_is_there() -> None:
    declared = spec_of(DEV, deletionPolicy="Delete")
    both = live_of_spec(spec_of(DEV, PROD))
    without = {key: item for key, item in both.items() if key.kind is not NAMESPACE or item.environment != "prod"}
    shown = report_of(snapshot_of(declared, without, decisions=(confirm_delete("prod"),)))
    assert shown.states == {"dev": "Ready", "prod": "Removing"}
    removing = snapshot_of(declared, both, decisions=(confirm_delete("prod"),))
    gone = replace(removing, live=live_of_spec(spec_of(DEV)))
    assert report_of(gone, plan=make_plan(removing)).states == {"dev": "Ready"}


def test_the_states_are_also_of_environments_for_which_the_status_has_no_room() -> None:
    spec = spec_of(*(environment(f"environment-{index:02}") for index in range(20)))
    outcomes = [outcome(Result.FAILED, item.name, "x" * 600) for item in spec.environments]
    assert len(report_of(snapshot_of(spec, live_of_spec(spec)), outcomes).states) == 20
