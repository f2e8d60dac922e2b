"""The API server records everybody who ever belonged to a project, whatever they write into the annotation for it."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from devcluster import ControlPlane
from onboarding import names
from tests.api.guard_objects import refuses
from tests.api.persons import Person, patch
from tests.support.guards import connected_to
from tests.support.insiders import (
    ADA,
    DRY,
    KEY,
    MUTATING,
    RULE,
    VALIDATING,
    bind,
    lines,
    project,
    recorded,
    remove,
    unbind,
)

KIND = "projectonboarding"
WRITES = f"{KIND}s.{names.GROUP}"
BEGUN = ["generation:1", "creator:ins-ann", "group:admin:ins-admins", "person:ada@example.org"]
ARGO = "system:serviceaccount:argocd:argocd-application-controller"


class People(NamedTuple):
    """Everybody writes projects by RBAC; those without ``edit`` are administrators of the project."""

    admin: Person
    """Holds edit, as every verb."""
    ann: Person
    bob: Person
    argo: Person
    """A service account that holds every verb, as Argo CD's stock role does."""
    operator: Person


@pytest.fixture(scope="module")
def people(installed: ControlPlane) -> Iterator[People]:
    """Install the component until the last test."""
    admin = Person(installed, installed.kubeconfig)
    verbs = "--verb=create,get,list,update,patch,delete"
    admin.does("create", "clusterrole", "ins", verbs, f"--resource={WRITES},{WRITES}/status")
    admin.does("create", "clusterrolebinding", "ins", "--clusterrole=ins", "--group=ins-admins")
    account = "--serviceaccount=argocd:argocd-application-controller"
    admin.does("create", "serviceaccount", "argocd-application-controller", "--namespace=argocd")
    admin.does("create", "clusterrolebinding", "ins-argo", "--clusterrole=cluster-admin", account)
    ann, bob = (Person(installed, installed.kubeconfig_for(f"ins-{who}", ["ins-admins"])) for who in ("ann", "bob"))
    argo = Person(installed, installed.kubeconfig_for_service_account("argocd", "argocd-application-controller"))
    operator = Person(installed, installed.kubeconfig_for_service_account("project-onboarding", names.MANAGER))
    bind(admin)
    yield People(admin, ann, bob, argo, operator)
    remove(admin)
    admin.does("delete", KIND, "--selector=ins", "--ignore-not-found")
    admin.does("delete", "clusterrole,clusterrolebinding", "ins")
    admin.does("delete", "clusterrolebinding", "ins-argo")
    admin.does("delete", "serviceaccount", "argocd-application-controller", "--namespace=argocd")


@pytest.fixture
def shop(people: People) -> Iterator[str]:
    """A project that ann created."""
    people.ann.does("create", "--filename=-", body=project("ins-shop"))
    yield "ins-shop"
    people.admin.does(*patch(KIND, "ins-shop", {"metadata": {"finalizers": None}}))
    people.admin.does("delete", KIND, "ins-shop")


def spec(**fields: Any) -> dict[str, Any]:
    return {"spec": fields}


def annotated(value: str | None, **fields: Any) -> dict[str, Any]:
    return {"metadata": {"annotations": {KEY: value}}, **({"spec": fields} if fields else {})}


def test_everybody_who_changes_the_spec_and_whom_it_ever_names_is_recorded(people: People, shop: str) -> None:
    assert recorded(people.admin, shop) == BEGUN
    live = {"admin": ["ins-live", "ins-admins"], "poa": ["pilots"]}
    prod = {"name": "prod", "stage": "prod", "groups": live, "owner": {"name": "Eve", "email": "eve@example.org"}}
    bo = {"name": "Bo", "email": "bo@example.org", "groups": ["people-groups-give-no-access"]}
    sponsor = {"name": "Sam", "email": "sam@example.org"}
    team = {"groups": {"admin": ["ins-admins"], "viewer": ["ins-viewers"]}, "people": [bo]}
    people.bob.does(*patch(KIND, shop, spec(environments=[prod], team=team, sponsor=sponsor)))
    people.ann.does(*patch(KIND, shop, spec(environments=None, team={"people": None}, sponsor=None)))
    assert recorded(people.admin, shop) == [
        "generation:3",
        "author:ins-bob",
        "creator:ins-ann",
        "group:admin:ins-admins",
        "group:admin:ins-live",
        "group:poa:pilots",
        "group:viewer:ins-viewers",
        "person:ada@example.org",
        "person:bo@example.org",
        "person:eve@example.org",
        "person:sam@example.org",
    ]


def test_what_is_no_change_of_the_spec_records_nobody(people: People, shop: str) -> None:
    people.bob.does("label", KIND, shop, "a=b")
    people.bob.does(*patch(KIND, shop, spec(owner=ADA)))
    people.operator.does(*patch(KIND, shop, {"metadata": {"finalizers": [names.FINALIZER]}}))
    people.admin.does(*patch(KIND, shop, {**annotated("x"), "status": {"stage": "a"}}, "--subresource=status"))
    people.operator.does(*patch(KIND, shop, {"metadata": {"finalizers": None}}))
    assert recorded(people.admin, shop) == BEGUN


def test_a_dry_run_shows_what_would_be_recorded_and_records_nothing(people: People, shop: str) -> None:
    shown = json.loads(people.bob.does(*patch(KIND, shop, spec(description="x"), DRY, "--output=json")))
    assert lines(shown) == ["generation:2", "author:ins-bob", *BEGUN[1:]]
    assert recorded(people.admin, shop) == BEGUN


def test_a_project_whose_name_the_server_chooses_is_recorded(people: People) -> None:
    body = project("")
    body["metadata"] = {"generateName": "ins-made-"}
    assert lines(json.loads(people.ann.does("create", "--filename=-", "--output=json", DRY, body=body))) == BEGUN


def replace(person: Person, shop: str, annotations: Any = None, **fields: Any) -> str:
    """Replace the whole object and return why that is refused."""
    item = json.loads(person.does("get", KIND, shop, "--output=json"))
    item["metadata"]["annotations"] = annotations
    item["spec"] |= fields
    return person.refusal("replace", "--filename=-", body=item)


def applied(person: Person, shop: str, annotation: str | None = None, **fields: Any) -> str:
    """Apply the object on the server and return why that is refused."""
    command = ["apply", "--server-side", "--force-conflicts", "--field-manager=ins", "--filename=-"]
    return person.refusal(*command, body=project(shop, annotation, **fields))


def own_and_drop(person: Person, shop: str, **fields: Any) -> str:
    """Become the owner of the annotation, then apply without it, which removes what one owns."""
    text = "\n".join(recorded(person, shop) or [])
    return applied(person, shop, text) or applied(person, shop, **fields)


def json_patch(person: Person, shop: str, **fields: Any) -> str:
    changes = [{"op": "remove", "path": f"/metadata/annotations/{KEY.replace('/', '~1')}"}]
    changes += [{"op": "add", "path": f"/spec/{key}", "value": value} for key, value in fields.items()]
    return person.refusal(*patch(KIND, shop, changes))


LEFT_OUT: dict[str, Callable[..., str]] = {
    "replaced": replace,
    "applied": applied,
    "applied by its owner": own_and_drop,
    "a JSON patch": json_patch,
    "a merge patch": lambda person, shop, **fields: person.refusal(*patch(KIND, shop, annotated(None, **fields))),
    "all annotations": lambda person, shop, **fields: person.refusal(
        *patch(KIND, shop, {"metadata": {"annotations": None}, **({"spec": fields} if fields else {})})
    ),
}


@pytest.mark.parametrize("leave_out", LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_record_that_is_left_out_comes_back(people: People, shop: str, leave_out: Callable[..., str]) -> None:
    """Also for a holder of edit, who may change it: to leave it out is no change."""
    for who in (people.bob, people.admin):
        assert leave_out(who, shop) == ""
        assert recorded(people.admin, shop) == BEGUN
    assert leave_out(people.bob, shop, description="new") == ""
    assert recorded(people.admin, shop) == ["generation:2", "author:ins-bob", *BEGUN[1:]]


KEPT = "the annotation projectonboarding.io/insiders is kept by the platform. Leave it out"
LACKS = "the annotation projectonboarding.io/insiders lacks names that were recorded. Leave it out"
FORGED: dict[str, tuple[dict[str, Any], str]] = {
    "cleared": (annotated(""), KEPT),
    "without the creator": (annotated("\n".join([BEGUN[0], *BEGUN[2:]])), KEPT),
    "with a stranger": (annotated("\n".join([*BEGUN, "person:pilot@example.org"])), KEPT),
    "of a later generation": (annotated("\n".join(["generation:2", *BEGUN[1:]])), KEPT),
    "cleared with the spec": (annotated("-", description="new"), LACKS),
    "without the creator, with the spec": (annotated("\n".join([BEGUN[0], *BEGUN[2:]]), description="new"), LACKS),
    "another creator, with the spec": (annotated("\n".join([*BEGUN[2:], "creator:pat"]), description="new"), LACKS),
    "names that begin alike": (annotated("\n".join(f"{line}x" for line in BEGUN), description="new"), LACKS),
    "one long line": (annotated("  ".join(BEGUN), description="new"), LACKS),
    "very many lines": (annotated("\n".join([*BEGUN, *map(str, range(9000))]), description="new"), LACKS),
}


@pytest.mark.parametrize(("change", "words"), FORGED.values(), ids=FORGED)
def test_a_forged_record_is_refused_with_field_rule_and_remedy(
    people: People, shop: str, change: dict[str, Any], words: str
) -> None:
    for who in (people.bob, people.argo):
        refusal = who.refusal(*patch(KIND, shop, change))
        assert f"UPDATE of ProjectOnboarding 'ins-shop' refused (rule {RULE}): {words}" in refusal
        assert "a holder of the verb edit on projects.projectonboarding.io 'ins-shop'" in refusal
    assert recorded(people.admin, shop) == BEGUN


def test_names_that_are_added_with_a_change_of_the_spec_are_not_recorded(people: People, shop: str) -> None:
    stranger = "\n".join([*BEGUN, "person:pilot@example.org"])
    people.bob.does(*patch(KIND, shop, annotated(stranger, description="new")))
    assert recorded(people.admin, shop) == ["generation:2", "author:ins-bob", *BEGUN[1:]]


def test_what_the_creator_writes_is_not_recorded(people: People) -> None:
    """Neither to keep a pilot out nor to be left out oneself."""
    for text in ("", "generation:1\ncreator:ins-bob", "generation:1\nperson:pilot@example.org\ncreator:ins-ann"):
        made = people.ann.does("create", "--filename=-", "--output=json", DRY, body=project("ins-made", text))
        assert lines(json.loads(made)) == BEGUN


def test_a_holder_of_edit_restores_a_project_with_its_record_and_is_its_creator_too(people: People) -> None:
    text = "\n".join([*BEGUN, "unrecorded:"])
    made = people.admin.does("create", "--filename=-", "--output=json", DRY, body=project("ins-made", text))
    found = lines(json.loads(made))
    assert found is not None
    assert found[0] == "generation:1"
    assert sorted(found[1:]) == sorted([*BEGUN[1:], "creator:devcluster-admin", "unrecorded:"])


def test_an_account_that_applies_what_others_wrote_is_recorded_as_such(people: People) -> None:
    """It forges nothing with the verbs that it holds: what it applies from Git may be the project's own."""
    body = project("ins-made", "generation:1\ncreator:pat")
    made = people.argo.does("create", "--filename=-", "--output=json", DRY, body=body)
    assert lines(json.loads(made)) == ["generation:1", f"delivery:{ARGO}", *BEGUN[2:]]


STRANGE = "eve\nperson:boss@example.org 100%0A"


def test_a_line_break_in_a_user_name_begins_no_line(people: People, installed: ControlPlane, shop: str) -> None:
    strange = Person(installed, installed.kubeconfig_for(STRANGE, ["ins-admins"]))
    strange.does(*patch(KIND, shop, spec(description="new")))
    assert recorded(people.admin, shop) == [
        "generation:2",
        "author:eve%0Aperson:boss@example.org 100%250A",
        *BEGUN[1:],
    ]


def crowd(number: int) -> list[dict[str, str]]:
    return [{"name": "P", "email": f"p{item}@example.org"} for item in range(number)]


def test_at_two_hundred_names_the_next_is_refused_until_a_holder_of_edit_clears_them(people: People, shop: str) -> None:
    others = ["x" * 249 + f"{item:03}" for item in range(20)]
    groups = dict.fromkeys(("a", "b", "c", "d"), others)
    full = {"admin": ["ins-admins"], **groups, "e": others[:17]}
    people.ann.does(*patch(KIND, shop, spec(team={"people": crowd(100), "groups": full})))
    assert len(recorded(people.admin, shop) or []) == 1 + 200
    people.ann.does(*patch(KIND, shop, spec(description="new", team={"people": crowd(2)})))
    refusal = people.ann.refusal(*patch(KIND, shop, spec(team={"people": [{"name": "N", "email": "n@example.org"}]})))
    assert "records at most 200 people and groups, with all that spec has ever named. Name fewer, or ask" in refusal
    assert people.bob.is_refused_by(RULE, *patch(KIND, shop, spec(description="by another"))), "bob is the 201st"
    people.ann.meets(RULE, *patch(KIND, shop, annotated("")))
    people.admin.does(*patch(KIND, shop, annotated("")))
    people.bob.does(*patch(KIND, shop, spec(team={"people": [{"name": "N", "email": "n@example.org"}]})))
    found = recorded(people.admin, shop) or []
    assert {"generation:4", "author:ins-bob", "unrecorded:", "person:p1@example.org", "person:n@example.org"} < {*found}
    assert not {"creator:ins-ann", "person:p3@example.org"} & {*found}, "who left is forgotten, who is there is not"


def test_the_largest_spec_is_refused_with_a_sentence(people: People) -> None:
    def groups(name: str) -> dict[str, list[str]]:
        return {f"p{item}": [f"{name}-{item}-{number}".ljust(253, "x") for number in range(20)] for item in range(8)}

    everywhere = [{"name": f"e{item}", "stage": "dev", "groups": groups(f"e{item}")} for item in range(20)]
    person = [{"name": "P", "email": f"{item}@example.org".rjust(254, "m")} for item in range(100)]
    body = project("ins-made", team={"groups": groups("team"), "people": person}, environments=everywhere)
    refusal = people.ann.refusal("create", DRY, "--filename=-", body=body)
    assert "records at most 200 people and groups" in refusal, refusal[:500]


def test_groups_that_all_environments_repeat_count_once(people: People) -> None:
    groups = {f"p{item}": [f"{item}-{number}" for number in range(20)] for item in range(8)}
    everywhere = [{"name": f"e{item}", "stage": "dev", "groups": groups} for item in range(20)]
    body = project("ins-made", team={"groups": groups, "people": crowd(38)}, environments=everywhere)
    made = json.loads(people.ann.does("create", DRY, "--output=json", "--filename=-", body=body))
    assert len(lines(made) or []) == 1 + 200


WRONG = {
    "spec.owner in body must be of type object": spec(owner="Claire"),
    "spec.team.people in body must be of type array": spec(team={"people": 5}),
    "spec.owner.email in body should match": spec(owner={"name": "A", "email": "a"}),
}


@pytest.mark.parametrize("words", WRONG)
def test_what_the_schema_refuses_is_refused_in_the_words_of_the_schema(people: People, shop: str, words: str) -> None:
    assert words in people.bob.refusal(*patch(KIND, shop, WRONG[words]))


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
    test_what_is_no_change_of_the_spec_records_nobody(people, shop)
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
