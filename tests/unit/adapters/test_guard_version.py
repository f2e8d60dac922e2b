"""The admission policies carry a version, which rises with every change of a rule, and all lists in the same places."""

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from onboarding import names

MANIFESTS = Path(__file__).parents[3] / "manifests"
LISTS = ("operators", "deciders", "neverExempt", "argocdNamespaces", "controllers")
"""Who is who. These are the platform's, and no rules: they change without a new version."""
PREFIX = "groupPrefix"
"""Of the policy on projects, behind the lists: the platform's too."""
OF_ACCOUNT = ("bindable", "podSecurity", "appProjects")
"""Of the policy on the operator's account, behind the lists: the platform's too."""
DIGESTS = {
    1: "2fec61e97188b6c5",
    2: "e14b1dacc8385c8f",
    3: "9d9507eacd420dca",
    4: "2c567f17c277dfc6",
    5: "f5d136cffbed3c11",
}
"""What the rules of each version were."""
INSIDERS_DIGESTS = {4: "2f2b644c506cd1c9", 5: "2f2b644c506cd1c9"}
"""What the rules on insiders were in each version; they are a component of their own."""


def guards(*folders: str) -> dict[str, dict[str, Any]]:
    """Return the admission policies and their bindings by kind and name."""
    files = [file for folder in folders for file in (MANIFESTS / folder).glob("policy-*.yaml")]
    items = [item for file in sorted(files) for item in yaml.safe_load_all(file.read_text())]
    return {f"{item['kind']}/{item['metadata']['name']}": item["spec"] for item in items}


GUARDS, INSIDERS = guards("cluster", "install"), guards("insiders")
POLICIES = {
    key.partition("/")[2]: spec
    for key, spec in (GUARDS | INSIDERS).items()
    if key.startswith("ValidatingAdmissionPolicy/")
}
RECORDING = INSIDERS[f"MutatingAdmissionPolicy/{names.INSIDERS_POLICY}"]


def variables(policy: str) -> dict[str, str]:
    return {item["name"]: item["expression"] for item in POLICIES[policy]["variables"]}


def rules(spec: dict[str, Any], operators: str) -> dict[str, Any]:
    """Return a specification without what is no rule: who is who, and the version itself."""
    kept = orjson.loads(orjson.dumps(spec).replace(orjson.dumps(operators)[1:-1], b"OPERATORS"))
    if "variables" in kept:
        kept["variables"] = [item for item in kept["variables"] if item["name"] not in (*LISTS, PREFIX, *OF_ACCOUNT)]
        first = kept.get("validations", [{}])[0]
        first["message"] = first.get("message", "").replace(version(), "version N")
    return kept


def version() -> str:
    return f"version {names.GUARD_VERSION} of the policies is in force."


def test_every_policy_is_known_by_name() -> None:
    assert POLICIES.keys() == {*names.GUARD_POLICIES, *names.HUB_GUARD_POLICIES, names.INSIDERS_POLICY}


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_the_first_rule_of_a_policy_refuses_its_probe_and_names_the_version(policy: str) -> None:
    first = POLICIES[policy]["validations"][0]
    assert first["expression"] == "!variables.probed"
    assert first["message"].startswith(f"guard probe refused (rule {policy}): {version()}")
    probed = variables(policy)["probed"]
    assert f".startswith('{policy}')".lower() in probed.lower()
    assert names.ANNOTATION_GUARD_PROBE in probed


def test_no_policy_is_named_like_the_beginning_of_another() -> None:
    assert not [(one, two) for one in POLICIES for two in POLICIES if one != two and two.startswith(one)]


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_the_lists_come_first_and_in_the_same_order_so_that_one_patch_sets_them_all(policy: str) -> None:
    listed = list(variables(policy).items())[: len(LISTS)]
    assert tuple(name for name, _ in listed) == LISTS
    assert listed == list(variables(names.GUARD_POLICIES[0]).items())[: len(LISTS)]


def test_the_prefix_of_groups_comes_behind_the_lists_of_the_one_policy_that_knows_groups_of_projects() -> None:
    listed = {name: list(variables(name)) for name in POLICIES if PREFIX in variables(name)}
    assert listed.keys() == {names.HUB_GUARD_POLICIES[0]}
    assert listed[names.HUB_GUARD_POLICIES[0]].index(PREFIX) == len(LISTS)


def test_what_the_account_may_bind_and_lower_comes_behind_the_lists_of_its_policy() -> None:
    listed = {name: list(variables(name)) for name in POLICIES if set(OF_ACCOUNT) & set(variables(name))}
    assert listed.keys() == {names.GUARD_POLICIES[0]}
    assert listed[names.GUARD_POLICIES[0]][len(LISTS) :][: len(OF_ACCOUNT)] == [*OF_ACCOUNT]


def test_what_the_operator_writes_leaves_all_policies_but_that_on_its_account() -> None:
    operators = variables(names.GUARD_POLICIES[0])["operators"]
    assert operators in str(RECORDING["matchConditions"][0])
    leaving = {name for name, spec in POLICIES.items() if "not-the-operator" in str(spec.get("matchConditions"))}
    judging = {names.GUARD_POLICIES[0], names.HUB_GUARD_POLICIES[1], names.INSIDERS_POLICY}
    assert leaving == POLICIES.keys() - judging
    conditions = {str(POLICIES[name]["matchConditions"][0]) for name in leaving}
    assert len(conditions) == 1
    assert operators in conditions.pop(), "the list of the condition is that of the variable"


def test_nothing_depends_on_a_parameter() -> None:
    """A core kind loses its informer when the last binding goes; a kind of ours would be late at every start."""
    assert not [key for key, spec in (GUARDS | INSIDERS).items() if {"paramKind", "paramRef"} & spec.keys()]
    assert "params." not in str(GUARDS | INSIDERS)


def test_what_the_policy_on_insiders_demands_is_what_the_other_writes() -> None:
    """Neither can be read by the other, so both have the same variables, and these alone decide what is written."""
    written = [item for item in RECORDING["variables"] if item["name"] not in LISTS]
    demanded = POLICIES[names.INSIDERS_POLICY]["variables"]
    assert written == [item for item in demanded if item["name"] in {one["name"] for one in written}]
    assert [item for item in RECORDING["variables"] if item["name"] in LISTS] == demanded[: len(LISTS)]


DIGESTS_OF = {"of every hub and site": (GUARDS, DIGESTS), "on insiders": (INSIDERS, INSIDERS_DIGESTS)}


@pytest.mark.parametrize(("guarded", "digests"), DIGESTS_OF.values(), ids=DIGESTS_OF)
def test_a_rule_that_changes_raises_the_version(guarded: dict[str, dict[str, Any]], digests: dict[int, str]) -> None:
    operators = variables(names.GUARD_POLICIES[0])["operators"]
    content = {key: rules(spec, operators) for key, spec in guarded.items()}
    digest = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    assert max(digests) == names.GUARD_VERSION, "enter the digest of the new version in DIGESTS"
    assert digests is INSIDERS_DIGESTS or len(set(digests.values())) == len(digests), "the rules of an earlier version"
    assert digest == digests[names.GUARD_VERSION], (
        f"a rule of the admission policies has changed (digest {digest}): raise names.GUARD_VERSION, write it into "
        "the first rule of each policy in manifests/ and in the chart, and enter the digest in DIGESTS, so that the "
        "operator notices where the former rules are still in force"
    )


def test_nothing_that_the_operator_makes_carries_the_annotation_of_the_probe() -> None:
    made = [file.read_text() for file in (Path(__file__).parents[2] / "golden" / "output").rglob("*.yaml")]
    assert len(made) > 1
    assert not [text for text in made if names.ANNOTATION_GUARD_PROBE in text]
