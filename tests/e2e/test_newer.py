"""Case 20 the other way round: the image was rolled back under newer definitions. What is newer is never built from."""

from collections.abc import Callable, Iterator

import orjson
import pytest

from onboarding import names
from onboarding.build.kinds import LIMIT_RANGE, NAMESPACE, RESOURCE_QUOTA, Manifest
from tests.support.definitions import PROJECTS_CRD, Definitions, add
from tests.support.hub import POLICY, PROJECTS, ROOT, Hub
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

NEWER = "NewerThanOperator"
LATER = {"type": "string", "maxLength": 10}
REMEDY = "this operator does not know the field; run a newer operator, or remove it"


@pytest.fixture(scope="module")
def newer(hub: Hub, operator: OperatorProcess) -> Iterator[None]:
    """Definitions that know more than the operator, which goes on under them."""
    definitions = Definitions(hub.api)
    kinds = {
        PROJECTS_CRD: "spec.environments[].later",
        "onboardingpolicies.projectonboarding.io": "spec.stages[].later",
        "onboardingdecisions.projectonboarding.io": "spec.later",
    }
    keeps = [definitions.kept(name) for name in kinds]
    for keep in keeps:
        keep.__enter__()
    for name, path in kinds.items():
        definitions.change(name, add(path, LATER))
    hub.declare("unaffected")
    hub.wait("unaffected", within=60)
    yield
    for keep in keeps:
        keep.__exit__(None, None, None)
    operator.wait_ready()


def declared(hub: Hub, name: str) -> Manifest:
    """Declare a project, and return the quota of its environment once it is in place."""
    hub.declare(name)
    hub.wait(name, within=60)
    return quota(hub, name)


def quota(hub: Hub, name: str) -> Manifest:
    found = hub.one(RESOURCE_QUOTA, "onboarding", f"{name}-dev")
    assert found is not None
    return found["spec"]


@pytest.mark.usefixtures("newer")
def test_a_project_with_a_newer_field_is_held_as_it_is(hub: Hub) -> None:
    before = declared(hub, "later")
    environment = {"name": "dev", "stage": "dev", "size": "large", "later": "yes"}
    hub.declare("later", environments=[environment])
    found = hub.wait("later", "False", NEWER)
    assert found["message"] == f"spec.environments[0].later: {REMEDY}"
    assert quota(hub, "later") == before
    assert hub.project("later")["spec"]["environments"] == [environment]
    hub.api.delete(LIMIT_RANGE.path("later-dev", "onboarding"))
    wait_until(lambda: hub.one(LIMIT_RANGE, "onboarding", "later-dev"), what="what is admitted is repaired")
    hub.declare("later", environments=[])
    hub.wait("later")
    assert hub.live("later") == {}


@pytest.mark.usefixtures("newer")
def test_a_policy_with_a_newer_field_takes_nothing_away(hub: Hub) -> None:
    before = declared(hub, "ruled")
    policy = hub.api.request("GET", POLICY)
    stages = policy["spec"]["stages"]
    hub.api.patch(POLICY, {"spec": {"stages": [{**stages[0], "later": "yes"}, *stages[1:]]}})
    try:
        found = hub.wait("ruled", "False", NEWER)
        assert found["message"] == f"OnboardingPolicy default: spec.stages[0].later: {REMEDY}"
        told = wait_until(lambda: ready(hub.api.request("GET", POLICY), NEWER), what="the policy says so")
        assert told == f"spec.stages[0].later: {REMEDY}"
        assert quota(hub, "ruled") == before
        assert hub.api.request("GET", POLICY)["spec"]["stages"][0]["later"] == "yes"
    finally:
        hub.change_policy(stages=stages)
    hub.wait("ruled")


def ready(item: Manifest, reason: str) -> str:
    """Return what the condition Ready says, if it bears a reason."""
    conditions = item.get("status", {}).get("conditions", [])
    return next((found["message"] for found in conditions if (found["type"], found["reason"]) == ("Ready", reason)), "")


@pytest.fixture
def decide(hub: Hub) -> Iterator[Callable[..., None]]:
    """What writes a decision that has a newer field; all are taken back."""
    made: list[str] = []

    def write(name: str, project: str, **fields: str) -> None:
        about = {"name": project, "uid": hub.project(project)["metadata"]["uid"]}
        groups = ["system:masters", "system:authenticated"]
        spec = {"project": about, "by": {"username": "devcluster-admin", "groups": groups}, "reason": "test"}
        body = {"apiVersion": names.API_VERSION, "kind": "OnboardingDecision", "metadata": {"name": name}}
        hub.api.create(f"{ROOT}/onboardingdecisions", {**body, "spec": {**spec, **fields, "later": "yes"}})
        made.append(name)

    yield write
    for name in made:
        hub.api.delete(f"{ROOT}/onboardingdecisions/{name}")


@pytest.mark.usefixtures("newer")
def test_a_suspension_that_cannot_be_read_holds(hub: Hub, decide: Callable[..., None]) -> None:
    before = declared(hub, "suspended")
    decide("suspend-later", "suspended", decision="Suspend", environment="other")
    found = hub.wait("suspended", "False", NEWER)
    assert found["message"].startswith(f"OnboardingDecision suspend-later cannot be read: spec.later: {REMEDY}")
    hub.declare("suspended", environments=[{"name": "dev", "stage": "dev", "size": "large"}])
    hub.wait("suspended", "False", NEWER)
    assert quota(hub, "suspended") == before


@pytest.mark.usefixtures("newer")
def test_a_confirmation_that_cannot_be_read_confirms_nothing(hub: Hub, decide: Callable[..., None]) -> None:
    hub.declare("sure-later", deletionPolicy="Delete")
    hub.wait("sure-later", within=60)
    decide("confirm-later", "sure-later", decision="ConfirmDelete", environment="dev")
    hub.declare("sure-later", deletionPolicy="Delete", environments=[])
    hub.wait("sure-later", reason="AwaitingConfirmation")
    actions = [item["action"] for item in hub.project("sure-later")["status"]["nextActions"]]
    assert f"OnboardingDecision confirm-later cannot be read: spec.later: {REMEDY}; it does not count" in actions
    assert hub.one(NAMESPACE, "sure-later-dev") is not None


def test_what_a_newer_operator_admitted_is_left_as_it_is(hub: Hub, operator: OperatorProcess) -> None:
    """Neither its content nor its annotation is touched; the holder of ``bypass`` plays the newer operator."""
    declared(hub, "admitted")
    path = NAMESPACE.path("", "admitted-dev")
    text = hub.api.request("GET", path)["metadata"]["annotations"][names.ANNOTATION_ADMITTED]
    newer = orjson.dumps({**orjson.loads(text), "later": "yes"}).decode()
    hub.api.patch(path, {"metadata": {"annotations": {names.ANNOTATION_ADMITTED: newer}}})
    found = hub.wait("admitted", "False", NEWER)
    assert "Namespace admitted-dev" in found["message"]
    hub.api.delete(LIMIT_RANGE.path("admitted-dev", "onboarding"))
    hub.declare("admitted", environments=[])
    hub.fence("admitted-fence")
    hub.wait("admitted", "False", NEWER)
    assert hub.one(LIMIT_RANGE, "onboarding", "admitted-dev") is None
    assert hub.api.request("GET", path)["metadata"]["annotations"][names.ANNOTATION_ADMITTED] == newer
    hub.api.patch(path, {"metadata": {"annotations": {names.ANNOTATION_ADMITTED: text}}})
    hub.wait("admitted")
    assert hub.live("admitted") == {}


def test_a_status_that_cannot_be_written_is_an_event_and_a_count(hub: Hub, operator: OperatorProcess) -> None:
    """An admission policy of the platform refuses it."""
    admission = "/apis/admissionregistration.k8s.io/v1"
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "no-status"}}
    resources = {
        "apiGroups": [names.GROUP],
        "apiVersions": ["*"],
        "operations": ["UPDATE"],
        "resources": ["projectonboardings/status"],
    }
    rules = {
        "matchConstraints": {"resourceRules": [resources]},
        "validations": [{"expression": "object.metadata.name != 'unwritten'", "message": "no status here"}],
    }
    hub.api.create(
        f"{admission}/validatingadmissionpolicies", {**head, "kind": "ValidatingAdmissionPolicy", "spec": rules}
    )
    binding = {"policyName": "no-status", "validationActions": ["Deny"]}
    hub.api.create(
        f"{admission}/validatingadmissionpolicybindings",
        {**head, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding},
    )
    try:
        wait_until(lambda: refused(hub), what="the policy is in force")
        hub.declare("unwritten")
        (event,) = wait_until(lambda: warnings(hub, "unwritten"), what="an Event tells of it")
        assert event["reason"] == "StatusNotWritten"
        assert "no status here" in event["note"]
        line = 'onboarding_reconcile_total{result="StatusNotWritten"}'
        wait_until(lambda: count(operator, line) >= 4, what="the passes are counted")
        assert len(warnings(hub, "unwritten")) == 1
    finally:
        hub.api.delete(f"{admission}/validatingadmissionpolicybindings/no-status")
        hub.api.delete(f"{admission}/validatingadmissionpolicies/no-status")
    hub.wait("unwritten", within=60)


def refused(hub: Hub) -> bool:
    """Say whether nobody may write that status; the project is made for this question."""
    if hub.project("unwritten") is None:
        hub.declare("unwritten", mode="Plan")
    status, _ = hub.api.text(
        "PATCH",
        f"{PROJECTS}/unwritten/status",
        body={"status": {"stage": "asked"}},
        Content_Type="application/merge-patch+json",
    )
    return status >= 400


def warnings(hub: Hub, name: str) -> list[Manifest]:
    events = hub.api.items("/apis/events.k8s.io/v1/namespaces/default/events")
    return [item for item in events if item["type"] == "Warning" and item["regarding"]["name"] == name]


def count(operator: OperatorProcess, line: str) -> float:
    lines = [found for found in operator.get("/metrics").splitlines() if found.startswith(line)]
    return float(lines[0].rsplit(" ", 1)[1]) if lines else 0.0
