"""What is newer than this operator is never read in part: what is admitted stays, and somebody is told why."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from pydantic import ValidationError

from onboarding import names
from onboarding.api.common import Model
from onboarding.api.conditions import Reason
from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.build.kinds import NAMESPACE
from onboarding.build.revision import Revision
from onboarding.reconcile.apply.changes import find_changes
from onboarding.reconcile.observed.admitted import read_admitted
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.capacity import CapacityLedger
from onboarding.reconcile.observed.platform import POLICIES, TARGETS
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.observed.unread import UnreadDecision
from onboarding.reconcile.observed.validity import is_newer, summarize, unreadable
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.status.ready import ReadyState, ready_state
from onboarding.reconcile.status.status import report
from tests.unit.crds import CRDS, root_of
from tests.unit.fakes import FakeSecrets
from tests.unit.snapshots import NOW, POLICY, UID, decided, environment, live_of_spec, offer, snapshot_of, spec_of
from tests.unit.snapshots import told as status_of

ROOT = Path(__file__).parents[4]
UNKNOWN = "fromTheFuture"
MODELS: dict[str, type[Model]] = {
    "projectonboardings": ProjectOnboardingSpec,
    "onboardingpolicies": OnboardingPolicySpec,
    "hostingtargets": HostingTargetSpec,
    "onboardingdecisions": OnboardingDecisionSpec,
}


def example_of(schema: Any, optional: bool = True) -> Any:
    """Return a value of a schema in which every field and every list has something."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "object" if "properties" in schema:
            return {name: example_of(field, optional) for name, field in schema["properties"].items()}
        case "object":
            return {"key": example_of(schema["additionalProperties"], optional)}
        case "array":
            return [example_of(schema["items"], optional)]
    return {"string": "text", "integer": 1, "boolean": True}[schema["type"]]


def places(value: Any, schema: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Return every object and every enumerated value in a value, with its path, and what holds it."""
    if schema["type"] == "object" and "properties" in schema:
        yield path, value, None
        for name, field in schema["properties"].items():
            if "enum" in field:
                yield f"{path}.{name}", value, name
            yield from places(value[name], field, f"{path}.{name}")
    elif schema["type"] == "object":
        yield from places(value["key"], schema["additionalProperties"], f"{path}.key")
    elif schema["type"] == "array":
        yield from places(value[0], schema["items"], f"{path}[0]")


def futures() -> Iterator[Any]:
    """Return, for each place of each kind, a spec that a newer definition allows there."""
    for plural, model in MODELS.items():
        schema = root_of(CRDS[f"{plural}.{names.GROUP}"])["properties"]["spec"]
        for index, (path, _, key) in enumerate(places(example_of(schema), schema, "spec")):
            value = example_of(schema)
            _, holder, _ = list(places(value, schema, "spec"))[index]
            holder[key or UNKNOWN] = UNKNOWN
            yield pytest.param(model, value, path if key else f"{path}.{UNKNOWN}", id=f"{path}{'' if key else '.+'}")


@pytest.mark.parametrize(("model", "spec", "path"), list(futures()))
def test_a_field_or_value_that_is_not_known_is_found_at_every_depth(
    model: type[Model], spec: dict[str, Any], path: str
) -> None:
    with pytest.raises(ValidationError) as error:
        model.model_validate_json(orjson.dumps(spec))
    problems = unreadable(error.value)
    assert [problem.field for problem in problems if problem.newer] == [path]
    assert is_newer(problems)
    assert summarize(problems).startswith(f"{path}: this operator does not know the ")
    assert UNKNOWN not in summarize(problems).removeprefix(path)


def test_a_spec_that_is_merely_wrong_is_not_newer() -> None:
    with pytest.raises(ValidationError) as error:
        ProjectOnboardingSpec.model_validate({"owner": {"name": "Ada", "email": "no address"}})
    assert not is_newer(unreadable(error.value))


SPEC = spec_of(environment(), environment("qa", stage="dev"))
LIVE = live_of_spec(SPEC)


def changes(snapshot: Snapshot) -> list[str]:
    return [str(change) for change in find_changes(snapshot, make_plan(snapshot), FakeSecrets().source)]


def verdict(snapshot: Snapshot) -> ReadyState:
    return ready_state(snapshot, make_plan(snapshot), ())


def newer_project() -> Snapshot:
    snapshot = snapshot_of(None, LIVE, problem="spec.x: this operator does not know the field")
    return replace(snapshot, project=replace(snapshot.project, newer=True))


def unread(decision: str, name: str = "shop", uid: str = UID) -> UnreadDecision:
    return UnreadDecision.of(
        "d-1", {"decision": decision, "project": {"name": name, "uid": uid}, "x": 1}, "spec.x: unknown"
    )


GROWN = spec_of(environment(labels={"team.example/a": "b"}), environment("new"))
"""What is declared by now: an environment changes, one comes and one leaves."""
TARGET_WORDS = {"main": "spec.x: this operator does not know the field"}
HELD = {
    "a project": newer_project(),
    "a policy": snapshot_of(GROWN, LIVE, policy=None, policy_problem="OnboardingPolicy p: spec.x", policy_newer=True),
    "a target": snapshot_of(
        GROWN, LIVE, targets={}, target_problems=TARGET_WORDS, newer_targets=frozenset({"main", "twin", "in-cluster"})
    ),
    "a suspension": snapshot_of(GROWN, LIVE, unread=(unread("Suspend"),)),
    "a rejection": snapshot_of(GROWN, LIVE, unread=(unread("Reject"),)),
    "a decision of a new kind": snapshot_of(GROWN, LIVE, unread=(unread("Freeze"),)),
}


@pytest.mark.parametrize("snapshot", HELD.values(), ids=HELD)
@pytest.mark.parametrize("deleting", [False, True], ids=["", "deleted"])
def test_what_is_admitted_stays_and_nothing_new_comes(snapshot: Snapshot, deleting: bool) -> None:
    snapshot = replace(snapshot, project=replace(snapshot.project, deleting=deleting))
    assert changes(snapshot) == []
    found = verdict(snapshot)
    assert (found.status, found.reason, found.stalled) == ("False", Reason.NEWER_THAN_OPERATOR, True)
    assert found.actor == "platform"
    assert "spec.x" in found.message


@pytest.mark.parametrize("snapshot", HELD.values(), ids=HELD)
def test_what_is_admitted_is_still_repaired(snapshot: Snapshot) -> None:
    missing = next(key for key in LIVE if key.kind.kind == "LimitRange")
    live = {key: item for key, item in LIVE.items() if key != missing}
    assert changes(replace(snapshot, live=live)) == [f"create {missing}"]


def annotated(live: CachedObject, **fields: Any) -> CachedObject:
    """Return a namespace whose admitted revision has other fields."""
    content = orjson.loads(live.content)
    annotations = content["metadata"]["annotations"]
    admitted = {**orjson.loads(annotations[names.ANNOTATION_ADMITTED]), **fields}
    annotations[names.ANNOTATION_ADMITTED] = orjson.dumps(admitted).decode()
    annotation = content["metadata"]["annotations"][names.ANNOTATION_ADMITTED]
    return live._replace(content=orjson.dumps(content, option=orjson.OPT_SORT_KEYS), admitted=read_admitted(annotation))


ADMITTED = orjson.loads(
    orjson.loads(next(item for key, item in LIVE.items() if key.kind is NAMESPACE).content)["metadata"]["annotations"][
        names.ANNOTATION_ADMITTED
    ]
)
NEWER_REVISIONS = {
    "a field": {UNKNOWN: 1},
    "a field of a part": {"resources": {**ADMITTED["resources"], UNKNOWN: "1"}},
    "a value": {"podSecurity": {"enforce": UNKNOWN}},
    "a field of a list": {"repositories": [{**ADMITTED["repositories"][0], UNKNOWN: 1}]},
}


@pytest.mark.parametrize("fields", NEWER_REVISIONS.values(), ids=NEWER_REVISIONS)
@pytest.mark.parametrize("spec", [SPEC, GROWN, None], ids=["unchanged", "changed", "unreadable"])
def test_what_a_newer_operator_admitted_is_left_exactly_as_it_is(fields: dict[str, Any], spec: Any) -> None:
    """Neither repaired, nor pruned, nor narrowed: of an AppProject all environments have a share."""
    (namespace, *_) = (key for key in LIVE if key.kind is NAMESPACE)
    damaged = {key: item for key, item in LIVE.items() if key.kind.kind != "LimitRange"}
    snapshot = snapshot_of(spec, {**damaged, namespace: annotated(LIVE[namespace], **fields)})
    assert changes(snapshot) == []
    found = verdict(snapshot)
    assert (found.status, found.reason) == ("False", Reason.NEWER_THAN_OPERATOR)
    assert str(namespace) in found.message
    assert names.ANNOTATION_ADMITTED in found.message


def test_an_annotation_that_somebody_broke_is_no_newer_one() -> None:
    (namespace, *_) = (key for key in LIVE if key.kind is NAMESPACE)
    snapshot = snapshot_of(SPEC, {**LIVE, namespace: annotated(LIVE[namespace], resources={"cpu": 1})})
    assert make_plan(snapshot).newer is None
    assert changes(snapshot) == [f"change {namespace} (metadata.annotations.{names.ANNOTATION_ADMITTED})"]


def test_what_a_newer_operator_admitted_takes_its_room() -> None:
    ledger = CapacityLedger("inst-1", lambda _: None)
    for key, item in LIVE.items():
        if key.kind is NAMESPACE:
            resources = {**ADMITTED["resources"], UNKNOWN: "1"}
            ledger.on_update(key, annotated(item, resources=resources, **{UNKNOWN: 1}))
    other = CapacityLedger("inst-1", lambda _: None)
    for key, item in LIVE.items():
        if key.kind is NAMESPACE:
            other.on_update(key, item)
    assert ledger.usage("nobody", ()).sums == other.usage("nobody", ()).sums != {}


@pytest.mark.parametrize("decision", ["Approve", "Waive", "Attest", "Grant", "ConfirmDelete"])
def test_a_newer_decision_that_grants_something_does_not_count_and_holds_nothing(decision: str) -> None:
    snapshot = snapshot_of(SPEC, LIVE, unread=(unread(decision),))
    assert verdict(snapshot).reason is Reason.READY
    actions = [action["action"] for action in status_of(snapshot)["nextActions"]]
    assert actions == ["OnboardingDecision d-1 cannot be read: spec.x: unknown; it does not count"]


def test_a_status_that_a_newer_operator_wrote_breaks_no_pass() -> None:
    gate = {"name": "development", "state": UNKNOWN, UNKNOWN: 1}
    check = {"id": "RunAcknowledged", "result": UNKNOWN, "nextActor": UNKNOWN, "severity": UNKNOWN, "message": "m"}
    status = {
        "observedGeneration": 3,
        "gates": [gate],
        "checks": [{**check, "since": "now", "remedy": "r"}],
        UNKNOWN: 1,
    }
    for seen in (snapshot_of(SPEC, LIVE), newer_project()):
        snapshot = replace(seen, project=replace(seen.project, status=status))
        found = report(snapshot, make_plan(snapshot), (), verdict(snapshot), None).status
        assert UNKNOWN not in orjson.dumps(found).decode()


def body(version: int = 5, spec: Any = None) -> dict[str, Any]:
    own = {"name": "shop", "uid": UID, "generation": 2, "resourceVersion": str(version)}
    return {"metadata": own, "spec": spec or SPEC.model_dump(mode="json", by_alias=True), "status": {}}


def test_the_world_of_a_project_tells_what_is_newer() -> None:
    declared = ProjectCache()
    everything = yaml.safe_load((ROOT / "examples/everything.yaml").read_text())["spec"]
    declared.put_project(body(spec={**everything, UNKNOWN: 1}))
    project = declared.project("shop")
    assert project is not None
    assert (project.spec, project.newer) == (None, True)
    good = POLICY.model_dump(mode="json", by_alias=True)
    declared.offered.put(POLICIES, offer("default", {**good, UNKNOWN: 1}))
    declared.offered.put(TARGETS, offer("main", {"sites": [{"name": "a", UNKNOWN: 1}]}))
    assert declared.offered.policy_newer("default")
    assert declared.offered.newer_targets == {"main"}
    reasons = {due.head.name: due.status["conditions"][0]["reason"] for due in declared.offered.due({}, NOW)}
    assert reasons == {"default": "NewerThanOperator", "main": "NewerThanOperator"}


def test_a_decision_that_cannot_be_read_is_about_its_project_or_else_about_all() -> None:
    declared = ProjectCache()
    for name in ("shop", "other"):
        found = body()
        found["metadata"]["name"] = name
        declared.put_project(found)
    assert declared.put_decision("one", unread("Suspend")) == {"shop"}
    assert declared.put_decision(
        "two", UnreadDecision.of("two", {"decision": "Suspend", "project": ["shop"]}, "p")
    ) == {
        "shop",
        "other",
    }
    assert [item.name for item in declared.unread("shop", UID)] == ["d-1", "two"]
    assert [item.name for item in declared.unread("shop", "another")] == ["two"]
    assert declared.put_decision("two", None) == {"shop", "other"}
    assert declared.unread("other", UID) == ()
    assert declared.put_decision("one", decided("Suspend")) == {"shop"}
    assert declared.unread("shop", UID) == ()
    assert declared.put_decision("one", decided("Suspend")) == set()


def test_a_revision_is_read_as_it_was_written() -> None:
    assert Revision.parse(orjson.dumps(ADMITTED).decode()).canonical == orjson.dumps(
        ADMITTED, option=orjson.OPT_SORT_KEYS
    )
