"""What is recorded where the component is installed later, loses a policy or meets another one, and how that shows."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from onboarding import names
from tests.api.guard_objects import refuses
from tests.api.insiders_people import ARGO, BEGUN, KIND, People, annotated, is_no_change_of_the_spec, spec
from tests.api.persons import patch
from tests.support.guards import connected_to
from tests.support.insiders import DRY, MUTATING, RULE, VALIDATING, bind, lines, project, recorded, unbind


@pytest.fixture
def rebound(people: People) -> Iterator[None]:
    """Bind both policies again, however the test goes."""
    yield
    bind(people.admin)


@pytest.mark.usefixtures("rebound")
def test_where_nobody_records_specs_are_not_changed_and_all_else_goes_on(people: People, shop: str) -> None:
    unbind(people.admin, MUTATING)
    for who, user in ((people.bob, "ins-bob"), (people.admin, "devcluster-admin"), (people.argo, ARGO)):
        refusal = who.refusal(*patch(KIND, shop, spec(description="new")))
        assert f"does not record '{user}' and what spec names, because the MutatingAdmissionPolicy {RULE}" in refusal
        assert "ask the platform to apply manifests/insiders" in refusal
        who.meets(RULE, "create", DRY, "--filename=-", body=project("ins-made"))
        who.meets(RULE, "create", DRY, "--filename=-", body=project("ins-made", "generation:1\ncreator:pat"))
    people.bob.meets(RULE, *patch(KIND, shop, annotated(None)))
    is_no_change_of_the_spec(people, shop)
    people.ann.does("delete", KIND, shop, DRY)


@pytest.mark.usefixtures("rebound")
def test_a_change_that_nobody_recorded_is_told_for_ever(people: People, shop: str) -> None:
    unbind(people.admin, MUTATING, VALIDATING)
    people.bob.does(*patch(KIND, shop, spec(sponsor={"name": "Sam", "email": "sam@example.org"})))
    assert recorded(people.admin, shop) == BEGUN, "the generation of the object is higher"
    bind(people.admin)
    people.ann.does(*patch(KIND, shop, spec(sponsor=None)))
    people.ann.does(*patch(KIND, shop, spec(description="new")))
    assert recorded(people.admin, shop) == ["generation:4", *BEGUN[1:], "person:sam@example.org", "unrecorded:"]


@pytest.mark.usefixtures("rebound")
def test_a_project_from_before_is_recorded_from_its_next_change(people: People) -> None:
    unbind(people.admin, MUTATING, VALIDATING)
    people.ann.does("create", "--filename=-", body=project("ins-old"))
    assert recorded(people.admin, "ins-old") is None
    bind(people.admin)
    people.bob.does("label", KIND, "ins-old", "a=b")
    assert recorded(people.admin, "ins-old") is None
    people.bob.does(*patch(KIND, "ins-old", spec(owner={"name": "Eve", "email": "eve@example.org"})))
    found = ["generation:2", "author:ins-bob", *BEGUN[2:], "person:eve@example.org", "unrecorded:"]
    assert recorded(people.admin, "ins-old") == found, "also whom the change removes"
    people.admin.does("delete", KIND, "ins-old")


AUDITED = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingAdmissionPolicy",
    "metadata": {"name": "zz-ins-audited"},
    "spec": {
        "reinvocationPolicy": "Never",
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": [names.GROUP],
                    "apiVersions": ["v1alpha1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["projectonboardings"],
                }
            ]
        },
        "matchConditions": [{"name": "one", "expression": "object.metadata.name == 'ins-audited'"}],
        "mutations": [
            {
                "patchType": "JSONPatch",
                "jsonPatch": {
                    "expression": "[JSONPatch{op: 'add', path: '/spec/team/groups/viewer', value: ['auditors']}]"
                },
            }
        ],
    },
}


def test_what_another_policy_adds_to_the_spec_is_recorded(people: People) -> None:
    """It comes after ours, which is asked again."""
    binding = {
        **AUDITED,
        "kind": "MutatingAdmissionPolicyBinding",
        "spec": {"policyName": AUDITED["metadata"]["name"]},  # type: ignore[index]
    }
    for body in (AUDITED, binding):
        people.admin.does("create", "--filename=-", body=body)
    try:
        made: dict[str, Any] = {}
        command = ["create", DRY, "--output=json", "--filename=-"]
        for _ in range(100):
            made = json.loads(people.ann.does(*command, body=project("ins-audited")))
            if "viewer" in made["spec"]["team"]["groups"]:
                break
        assert lines(made) == [*BEGUN[:3], "group:viewer:auditors", BEGUN[3]]
    finally:
        people.admin.does("delete", "mutatingadmissionpolicy,mutatingadmissionpolicybinding", "zz-ins-audited")


async def test_the_operator_proves_that_the_policy_is_in_force(people: People) -> None:
    async with connected_to(people.operator.kubeconfig) as hub:
        await hub.until(lambda state: state.insiders_kept)


def test_its_own_probe_is_refused_to_everybody_and_no_other(people: People) -> None:
    def probe(mark: str) -> dict[str, Any]:
        labels, annotations = {names.LABEL_INSTALLATION: "x"}, {names.ANNOTATION_GUARD_PROBE: mark}
        metadata = {"name": "project-onboarding-guard-probe", "labels": labels, "annotations": annotations}
        return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}

    command = ["create", DRY, "--filename=-", f"--namespace={names.SYNC_NAMESPACE}"]
    for who in (people.operator, people.admin):
        assert refuses(who, RULE, *command, body=probe(f"{RULE}/1"))
    people.operator.does(*command, body=probe("of another policy"))
