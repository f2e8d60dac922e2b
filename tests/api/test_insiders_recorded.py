"""The API server records everybody who ever belonged to a project, whatever they write into the annotation for it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from devcluster import ControlPlane
from tests.api.insiders_people import ARGO, BEGUN, KIND, People, annotated, is_no_change_of_the_spec, spec
from tests.api.persons import Person, patch
from tests.support.insiders import DRY, KEY, RULE, lines, project, recorded


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
    is_no_change_of_the_spec(people, shop)


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


WRONG = {
    "spec.owner in body must be of type object": spec(owner="Claire"),
    "spec.team.people in body must be of type array": spec(team={"people": 5}),
    "spec.owner.email in body should match": spec(owner={"name": "A", "email": "a"}),
}


@pytest.mark.parametrize("words", WRONG)
def test_what_the_schema_refuses_is_refused_in_the_words_of_the_schema(people: People, shop: str, words: str) -> None:
    assert words in people.bob.refusal(*patch(KIND, shop, WRONG[words]))


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
