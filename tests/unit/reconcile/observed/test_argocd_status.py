"""Of what Argo CD writes into an Application, what is kept stays equal until there is something to tell."""

from typing import Any

import orjson
import pytest

from onboarding.build.kinds import APPLICATION
from onboarding.reconcile.observed.argocd_status import Application, Cause, read_application
from onboarding.reconcile.observed.cached_object import cached_object_of, is_news, told_of
from tests.unit.argocd_status import (
    AT,
    COMMIT,
    LATER,
    OTHER,
    compared,
    entry,
    failing,
    incomparable,
    item,
    synced,
    trying_again,
)
from tests.unit.argocd_words import WORDS, lacking_rights
from tests.unit.reconcile.observed.test_cached_object import OURS, object_of

CREATED = "2026-01-02T03:04:05Z"
REFUSED = item("Pod", "bad", "no")


def facts(status: dict[str, Any], created: str = "") -> Application:
    """Return what is kept of a status, as facts."""
    told = told_of(APPLICATION, status, created)
    return read_application(orjson.loads(told) if told else {})


def is_told(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Return whether somebody is told of the change from one status to the next."""
    first, second = (
        cached_object_of(APPLICATION, object_of(OURS, metadata={"resourceVersion": version}, status=status))
        for version, status in (("7", before), ("8", after))
    )
    return is_news(APPLICATION, first, second)


def test_what_argo_cd_says_is_kept() -> None:
    assert facts(synced(), CREATED) == Application(
        "Synced", "Healthy", "Succeeded", COMMIT[:12], AT, first_sync=55, causes=()
    )
    assert facts({}) == Application()
    assert facts({"sync": None, "health": None, "operationState": None, "history": None}) == Application()


def test_3000_applications_at_rest_take_less_than_a_megabyte() -> None:
    told = told_of(APPLICATION, synced(), CREATED)
    assert len(told) < 200


QUIET: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a refresh": (
        synced(),
        synced(reconciledAt="2026-01-02T09:00:00Z", observedAt="2026-01-02T09:00:00Z", resourceHealthSource="appTree"),
    ),
    "a sync that deploys the same again": (
        synced(),
        synced(
            history=[entry(0), entry(1, at=LATER)],
            operationState={"phase": "Succeeded", "finishedAt": LATER, "startedAt": LATER},
        ),
    ),
    "a warning": (synced(), synced(conditions=[{"type": "OrphanedResourceWarning", "message": "1 orphaned"}])),
    "another attempt begins": (failing(REFUSED), trying_again(failing(REFUSED))),
    "another attempt fails": (failing(REFUSED), failing(REFUSED, attempt=3)),
    "another temporary file": (lacking_rights(17), lacking_rights(42)),
    "another order of the same failures": (
        failing(REFUSED, item("Pod", "worse", "no")),
        failing(item("Pod", "worse", "no"), REFUSED),
    ),
    "another port of the same connection": (
        incomparable("read tcp 127.0.0.1:3117->127.0.0.1:9: connection refused"),
        incomparable("read tcp 127.0.0.1:4711->127.0.0.1:9: connection refused"),
    ),
    "the tree of its resources": (synced(), synced(resources=[{"kind": "ConfigMap", "name": "a", "status": "Synced"}])),
}


@pytest.mark.parametrize(("before", "after"), QUIET.values(), ids=QUIET)
def test_nobody_is_told_of(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert facts(before) == facts(after)
    assert not is_told(before, after)


TOLD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the first sync": (compared(COMMIT, "OutOfSync", "Missing"), synced()),
    "a deployment": (synced(), synced(OTHER, history=[entry(0), entry(1, OTHER, LATER)])),
    "a commit that changes nothing here": (synced(), synced(OTHER, history=[entry(0)])),
    "another path of the same commit": (synced(), synced(history=[entry(0), entry(1, at=LATER, path="other")])),
    "the same as before the last": (
        synced(OTHER, history=[entry(0), entry(1, OTHER, LATER)]),
        synced(COMMIT, history=[entry(0), entry(1, OTHER, LATER), entry(2, COMMIT, "2026-01-03T00:00:00Z")]),
    ),
    "a sync under way": (synced(), synced(sync="OutOfSync", operationState={"phase": "Running"})),
    "a failure": (synced(), failing(REFUSED)),
    "that attempts have ended": (failing(REFUSED), failing(REFUSED, again=False)),
    "another health": (synced(), synced(health="Degraded")),
}


@pytest.mark.parametrize(("before", "after"), TOLD.values(), ids=TOLD)
def test_somebody_is_told_of(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert is_told(before, after)


def test_a_failure_is_not_told_twice() -> None:
    """Argo CD repeats it as a condition when it has given up."""
    assert facts(failing(REFUSED, again=False)).causes == (Cause("Pod/bad", "no"),)
    kept = facts(compared(conditions=[{"type": "SyncError", "message": "Failed last sync attempt: no"}]))
    assert kept.causes == (Cause("SyncError", "Failed last sync attempt: no"),)


def test_a_failure_is_over_where_the_repository_was_set_back_to_what_runs() -> None:
    broken = failing(REFUSED, again=False)["operationState"]
    assert facts(synced(OTHER, operationState=broken)).causes == ()
    assert facts(synced(COMMIT, operationState=broken)).causes == (Cause("Pod/bad", "no"),)


def test_of_what_is_out_of_sync_is_shown_what_runs() -> None:
    status = synced(OTHER, sync="OutOfSync", history=[entry(0)])
    assert (facts(status).revision, facts(status).deployed_at) == (COMMIT[:12], AT)
    assert facts(incomparable("x")).revision == ""


def test_of_several_sources_every_revision_is_shown() -> None:
    several = {"status": "Synced", "revisions": [COMMIT, "1.2.3"]}
    assert facts({"sync": several}).revision == f"{COMMIT[:12]}, 1.2.3"
    assert len(facts({"sync": {"status": "Synced", "revisions": [COMMIT] * 20}}).revision) == 100


def test_the_first_sync_is_known_while_argo_cd_remembers_it() -> None:
    assert facts(synced(history=[entry(3)]), CREATED).first_sync is None
    assert facts(synced(history=[entry(0, at=CREATED)]), CREATED).first_sync == 0
    assert facts(compared(), CREATED).first_sync is None


def test_at_most_three_causes_are_kept_and_none_is_long() -> None:
    kept = facts(failing(*(item("Pod", f"p{number}", "x" * 9000) for number in range(50))))
    assert [len(cause.message.encode()) for cause in kept.causes] == [500] * 3
    assert all(len(told_of(APPLICATION, status)) < 2000 for status, *_ in WORDS.values())


def test_a_hook_that_failed_is_a_cause() -> None:
    hook = {"kind": "Job", "name": "migrate", "hookPhase": "Failed", "message": "Job has reached the backoff limit"}
    assert facts(failing(hook)).causes == (Cause("Job/migrate", "Job has reached the backoff limit"),)


@pytest.mark.parametrize("step", ["generate manifest", "evaluate revision changes"])
def test_what_stands_before_the_words_of_whoever_refused_is_left_out(step: str) -> None:
    """Both steps ask the repository server, and either may be the one that it refuses."""
    told = f"Failed to load target state: failed to {step} for source 1 of 2: rpc error: code = Unknown desc = no"
    assert facts(incomparable(told)).causes == (Cause("ComparisonError", "no"),)


def test_words_of_an_operation_that_goes_well_are_no_cause() -> None:
    running = {"phase": "Running", "message": "waiting for healthy state of apps/Deployment/web"}
    assert facts(synced(sync="OutOfSync", operationState=running)).causes == ()
