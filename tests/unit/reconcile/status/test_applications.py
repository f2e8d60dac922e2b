"""What Argo CD says becomes one sentence for people: what is wrong, what mends it, who acts."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from onboarding.api.gates import Actor
from onboarding.build.kinds import APPLICATION, RESOURCE_QUOTA, ObjectKey
from onboarding.checks.probe import Answer, RefusedPodsRequest, Workload, WorkloadsFacts
from onboarding.reconcile.observed.cached_object import CachedObject, told_of
from onboarding.reconcile.status.applications import (
    ApplicationState,
    application_actions,
    application_states,
    application_status,
    workload_requests,
)
from tests.unit.argocd_status import COMMIT, compared, entry, failing, incomparable, item, synced
from tests.unit.argocd_words import WORDS
from tests.unit.snapshots import NOW, environment, live_of_spec, revisions, snapshot_of, spec_of

APP = ObjectKey("hub", APPLICATION, "argocd", "shop-dev-app")
QUOTA = ObjectKey("hub", RESOURCE_QUOTA, "shop-dev", "onboarding")
FULL = {"hard": {"requests.cpu": "2", "pods": "20"}, "used": {"requests.cpu": "2000m", "pods": "4"}}
DEGRADED = {"kind": "Deployment", "name": "web", "health": {"status": "Degraded", "message": "exceeded its deadline"}}


def standing(status: Mapping[str, Any], quota: Mapping[str, Any] | None = None, **fields: Any) -> ApplicationState:
    """Return where an Application stands of which Argo CD says this; ``fields`` are of its environment."""
    spec = spec_of(environment(**fields))
    live: dict[ObjectKey, CachedObject] = live_of_spec(spec)
    live[APP] = live[APP]._replace(told=told_of(APPLICATION, status))
    live[QUOTA] = live[QUOTA]._replace(told=told_of(RESOURCE_QUOTA, quota or {}))
    (revision,) = revisions(spec)
    (found,) = application_states(snapshot_of(spec, live), revision)
    return found


@pytest.mark.parametrize(("status", "message", "remedy", "actor"), WORDS.values(), ids=WORDS)
def test_the_true_cause_is_named(status: dict[str, Any], message: str, remedy: str, actor: str) -> None:
    found = standing(status)
    assert found.message[: len(message)] == message
    assert remedy in found.remedy
    assert (found.actor, found.failing, found.healthy) == (Actor(actor), True, False)


@pytest.mark.parametrize("status", [case[0] for case in WORDS.values()], ids=WORDS)
def test_no_machine_path_and_no_second_line_is_told(status: dict[str, Any]) -> None:
    message = standing(status).message
    assert not {"\n", "/dev/shm", "/tmp"} & {part for part in ("\n", "/dev/shm", "/tmp") if part in message}


@pytest.mark.parametrize("health", ["Progressing", "Degraded"])
def test_what_waits_while_the_quota_is_used_up_says_quota(health: str) -> None:
    found = standing(synced(health=health, resources=[DEGRADED] * (health == "Degraded")), FULL)
    assert found.message == f"{health}, and the quota of the environment is used up: requests.cpu 2 of 2"
    assert (found.remedy, found.actor) == (
        "reduce its requests, or choose a larger size for the environment",
        Actor.PROJECT,
    )


def refusing(world_spec: Any, seen: Answer[WorkloadsFacts] | None, health: str = "Progressing") -> ApplicationState:
    """Return where an Application stands while this was seen of its environment."""
    live: dict[ObjectKey, CachedObject] = live_of_spec(world_spec)
    live[APP] = live[APP]._replace(told=told_of(APPLICATION, synced(health=health)))
    snapshot = snapshot_of(world_spec, live, answers={WHAT_RUNS: seen} if seen else {})
    assert workload_requests(snapshot, revisions(world_spec)) == ({WHAT_RUNS} if health == "Progressing" else set())
    (found,) = application_states(snapshot, revisions(world_spec)[0])
    return found


WHAT_RUNS = RefusedPodsRequest("hub", "shop-dev")
TOO_LARGE = Workload(
    "Deployment",
    "web",
    {},
    (),
    replica_failure="exceeded quota: onboarding, requested: limits.cpu=5, used: limits.cpu=0, limited: limits.cpu=2",
)
SEEN = Answer(
    WorkloadsFacts((replace(TOO_LARGE, name="api", replica_failure=""), TOO_LARGE)), "", NOW + timedelta(days=1)
)


def test_what_refuses_the_pods_of_a_deployment_is_told_where_argo_cd_says_progressing() -> None:
    found = refusing(spec_of(environment()), SEEN)
    assert found.message == (
        "the quota of the environment refuses Deployment/web: requested limits.cpu=5; used limits.cpu=0; "
        "limit limits.cpu=2"
    )
    assert (found.failing, found.actor) == (True, Actor.PROJECT)


def test_case_09_a_count_that_is_used_up_has_its_own_remedy() -> None:
    counts = {"hard": {"count/jobs.batch": "5"}, "used": {"count/jobs.batch": "5"}}
    assert "spec.objectCounts" in standing(synced(health="Progressing"), counts).remedy
    assert "choose a larger size" in standing(synced(health="Progressing"), FULL).remedy


def test_case_08_a_request_above_the_default_limit_says_that_no_pod_can_be_made() -> None:
    failure = (
        'spec.containers[0].resources.requests: Invalid value: "700m": must be less than or equal to cpu limit of 500m'
    )
    seen = replace(SEEN, facts=WorkloadsFacts((replace(TOO_LARGE, name="heavy", replica_failure=failure),)))
    found = refusing(spec_of(environment()), seen)
    assert found.message == "no pod of Deployment/heavy can be made: it requests 700m of cpu, and its limit is 500m"
    assert found.remedy.startswith("set a limit on each container that is at least its request")
    assert (found.failing, found.actor) == (True, Actor.PROJECT)


def test_a_remedy_is_never_what_is_cut_off() -> None:
    status = failing(item("Widget", "a", "it is a Tuesday, " * 100))
    ((actor, action),) = application_actions([standing(status)])
    assert actor is Actor.PROJECT
    assert len(action.encode()) <= 512
    assert action.endswith("…: fix the error that the Application shows in Argo CD")


@pytest.mark.parametrize(
    ("seen", "health"),
    [
        (None, "Progressing"),
        (Answer(None, "no answer", NOW), "Progressing"),
        (replace(SEEN, at=NOW), "Progressing"),
        (SEEN, "Healthy"),
    ],
    ids=["not asked yet", "no answer", "seen before this was deployed", "healthy"],
)
def test_of_pods_nothing_is_told_that_is_not_known_now(seen: Answer[WorkloadsFacts] | None, health: str) -> None:
    assert refusing(spec_of(environment()), seen, health).message == ""


def test_a_quota_that_is_used_up_is_no_matter_of_what_is_healthy() -> None:
    assert standing(synced(), FULL).healthy
    assert standing(synced(), FULL).message == ""


def test_what_the_quota_refuses_names_the_quota_before_what_else_fails() -> None:
    refused = WORDS["quota"][0]["operationState"]["syncResult"]["resources"]
    assert "the quota of" in standing(failing(item("Aaa", "first", "no"), *refused)).message


def test_a_binding_that_gives_more_than_the_account_has_is_told() -> None:
    words = (
        'rolebindings.rbac.authorization.k8s.io "root" is forbidden: user "system:serviceaccount:'
        'project-onboarding-sync:shop-dev" (groups=["system:authenticated"]) is attempting to grant RBAC permissions '
        'not currently held:\n{APIGroups:["*"], Resources:["*"], Verbs:["*"]}'
    )
    found = standing(failing(item("RoleBinding", "root", words)))
    assert found.message == "RoleBinding/root would grant more rights than the service account of the environment has"
    assert (found.remedy, found.actor) == ("grant fewer rights, or remove it from the repository", Actor.PROJECT)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (synced(health="Degraded"), "Degraded: its workloads are not ready"),
        (
            synced(health="Degraded", resources=[DEGRADED]),
            "Deployment/web: exceeded its deadline",
        ),
        (synced(health="Progressing"), ""),
        ({}, ""),
    ],
)
def test_what_is_not_healthy_is_not_well(status: dict[str, Any], message: str) -> None:
    found = standing(status)
    assert (found.message, found.healthy) == (message, False)


def test_a_sync_by_hand_is_awaited_and_nothing_fails() -> None:
    status = synced(sync="OutOfSync")
    assert standing(status).message == ""
    found = standing(status, autoSync=False)
    assert (found.message, found.healthy) == ("waiting for a manual sync", True)
    assert found.remedy == "sync it in Argo CD"
    running = {**status, "operationState": {"phase": "Running"}}
    assert standing(running, autoSync=False).message == ""


def test_healthy_means_nothing_while_nothing_is_deployed() -> None:
    """Argo CD calls an Application without resources Healthy, whatever keeps it from having any."""
    assert standing(incomparable("x")).facts.effective_health == "Unknown"
    assert standing(compared(COMMIT, "OutOfSync")).facts.effective_health == "OutOfSync"
    assert standing(compared()).facts.effective_health == "Healthy"
    assert standing(synced(sync="Unknown")).facts.effective_health == "Healthy"


def test_the_status_says_what_runs_since_when() -> None:
    assert application_status(standing(synced())).model_dump(mode="json", by_alias=True, exclude_defaults=True) == {
        "name": "shop-dev-app",
        "sync": "Synced",
        "health": "Healthy",
        "phase": "Succeeded",
        "revision": "08303a2136b2",
        "deployedAt": "2026-01-02T03:05:00Z",
    }


def test_a_long_message_is_cut_and_an_application_stays_small() -> None:
    found = application_status(standing(failing(item("Widget", "a", "x" * 5000), item("Widget", "b", "y" * 5000))))
    assert found.message is not None
    assert len(found.message.encode()) == 200
    assert len(orjson.dumps(found.model_dump(mode="json"))) < 500


def test_the_worst_come_first() -> None:
    order = [
        standing(failing(item("Widget", "a", "no"))),
        standing(synced(health="Degraded")),
        standing(synced(health="Progressing")),
        standing({}),
        standing(synced(sync="OutOfSync"), autoSync=False),
        standing(synced()),
    ]
    mixed = order[::-1]
    assert sorted(mixed, key=lambda found: found.sort_key) == order


def test_applications_with_the_same_trouble_share_a_step() -> None:
    refused = standing(WORDS["no revision"][0])
    others = [standing(WORDS[name][0]) for name in ("no path", "no server", "chart")]
    steps = list(application_actions([standing(synced()), refused, *others, refused]))
    assert steps[0] == (
        Actor.PROJECT,
        (
            "Application shop-dev-app and 1 more: the repository has no revision nope: push that branch or tag, or "
            "set another revision"
        ),
    )
    assert len(steps) == 3


def test_what_mends_itself_is_no_step() -> None:
    assert list(application_actions([standing(synced()), standing(synced(health="Progressing")), standing({})])) == []


def test_a_deployment_that_follows_another_shows_its_own_time() -> None:
    history = [entry(0), entry(1, "1" * 40, "2026-01-03T00:00:00Z")]
    found = standing(synced("1" * 40, history=history)).facts
    assert (found.revision, found.deployed_at) == ("1" * 12, "2026-01-03T00:00:00Z")
