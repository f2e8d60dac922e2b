"""A digest moves with every field that was looked at, and with nothing else: proven leaf by leaf over the schema."""

import copy
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import pytest

from onboarding.api.crd import structural
from onboarding.api.gates import CheckRule
from onboarding.api.markers import LIST_MAP_KEYS
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.checks import reviews
from onboarding.checks.catalogue import (
    ALWAYS,
    BY_ID,
    GATED,
    OF_APP_PROJECTS,
    OF_DECLARATION,
    OF_DOMAINS,
    OF_ENVIRONMENT,
    OF_PROJECT,
    OF_REVISIONS,
    OF_ROOM,
)
from onboarding.checks.domains import Claim, DomainInputs, Since
from onboarding.checks.finding import Check
from onboarding.checks.inputs import AppProjectInputs, CapacityInputs, RevisionInputs
from onboarding.reconcile.gates.digest import Digests, gate_reads
from tests.unit.running import running
from tests.unit.server_patterns import matches
from tests.unit.snapshots import (
    POLICY,
    SITES,
    TARGETS,
    environment,
    inputs_of,
    policy_of,
    project_inputs,
    spec_of,
)

SCHEMA = structural(ProjectOnboardingSpec, "spec")
_WORDS = (
    *("b", "c", "B", "C", "3", "4", "5m", "6m", "2h", "3h", "/b", "/c"),
    *("b.example.org", "c.example.org", "https://git.example.org/b.git", "https://git.example.org/c.git"),
    *("10.8.0.0/16", "10.9.0.0/16", "0 5 * * 1", "0 5 * * 2", "0 5 * * 3"),
    *("2026-05-05", "2026-05-06", "2026-05-05T00:00:00Z", "2026-05-06T00:00:00Z"),
)


class Leaf(NamedTuple):
    """A value in a spec that is no object and no list of objects."""

    path: str
    """As checks name it in what they read."""
    place: tuple[str | int, ...]
    key: bool
    """Whether it tells one item of a list from another."""


def full(schema: dict[str, Any], number: int = 0) -> Any:
    """Return a value in which everything that the schema knows is given, in lists of objects two items."""
    if schema["type"] == "object":
        fields = schema.get("properties") or {f"x{number}": schema["additionalProperties"]}
        return {name: full(part, number) for name, part in fields.items()}
    if schema["type"] == "array":
        of_objects = schema["items"]["type"] == "object"
        return [full(schema["items"], index) for index in ((0, 1) if of_objects else (number,))]
    return other(schema, schema.get("default", schema.get("minimum", 1)), number)


def other(schema: dict[str, Any], value: Any, number: int = 0) -> Any:
    """Return another value of a schema than this one."""
    if schema["type"] == "boolean":
        return value is not True
    if schema["type"] == "integer":
        return value + 1
    if "enum" in schema:
        return next(word for word in schema["enum"] if word != value)
    sizes = range(schema.get("minLength", 0), schema.get("maxLength", 999) + 1)
    mails = (f"{'a' * count}{number}@example.org" for count in (1, 2))
    return next(
        word
        for word in (f"a{number}", f"b{number}", *mails, *_WORDS)
        if matches(schema.get("pattern", ""), word) and len(word) in sizes and word != value
    )


def leaves(value: Any, schema: dict[str, Any], path: str = "", place: tuple[str | int, ...] = ()) -> Iterator[Leaf]:
    if schema["type"] == "object" and "properties" in schema:
        for name, part in schema["properties"].items():
            yield from leaves(value[name], part, f"{path}.{name}" if path else name, (*place, name))
    elif schema["type"] == "object":
        for name, part in value.items():
            yield from leaves(part, schema["additionalProperties"], path, (*place, name))
    elif schema["type"] == "array" and schema["items"]["type"] == "object":
        keys = {f"{path}.{key}" for key in schema.get(LIST_MAP_KEYS, ())}
        for leaf in leaves(value[0], schema["items"], path, (*place, 0)):
            yield leaf._replace(key=leaf.key or leaf.path in keys)
    else:
        yield Leaf(path, place, False)


def below(path: str) -> dict[str, Any]:
    """Return the schema of a path."""
    found: Any = SCHEMA
    for part in path.split("."):
        found = found.get("items", found)["properties"][part]
    return found


FULL = full(SCHEMA)
LEAVES = list(leaves(FULL, SCHEMA))
TEXTS = [leaf for leaf in LEAVES if leaf.path.rpartition(".")[2] in ("description", "justification")]


def read(content: Any) -> ProjectOnboardingSpec:
    return ProjectOnboardingSpec.model_validate(content)


@cache
def changed(leaf: Leaf) -> ProjectOnboardingSpec:
    """Return the full spec with one leaf of another value; of a list of plain values with one more."""
    content = copy.deepcopy(FULL)
    holder: Any = content
    for step in leaf.place[:-1]:
        holder = holder[step]
    last = leaf.place[-1]
    value, schema = holder[last], below(leaf.path)
    while schema["type"] == "object":
        schema = schema["additionalProperties"]
    if isinstance(value, list):
        holder[last] = [*value, other(schema["items"], value[0])]
    else:
        holder[last] = other(schema, value)
    return read(content)


def looks_at(reads: tuple[str, ...], leaf: Leaf) -> bool:
    """Return whether what reads these fields sees a leaf: one of them, below one, or the key of what holds one."""
    if any(leaf.path == field or leaf.path.startswith(f"{field}.") for field in reads):
        return True
    return leaf.key and any(field.startswith(f"{leaf.path.rpartition('.')[0]}.") for field in reads)


NEVER_CHANGE = {"environments.stage", "flows.environment"}
"""The API server lets no environment change its stage, and no flow have an environment beside its zone."""
BASE = Digests(read(FULL), POLICY)


def test_the_full_spec_differs_from_an_empty_one_in_every_leaf() -> None:
    assert len(LEAVES) > 40
    assert {leaf.path.split(".")[0] for leaf in LEAVES} == set(ProjectOnboardingSpec.model_json_schema()["properties"])
    assert all(changed(leaf) != read(FULL) for leaf in LEAVES)


@pytest.mark.parametrize("check", BY_ID.values(), ids=BY_ID.keys())
def test_the_digest_of_a_check_moves_with_what_it_reads_and_with_nothing_else(check: Check[Any]) -> None:
    before = BASE.of_check(check.id)
    moved = {leaf for leaf in LEAVES if Digests(changed(leaf), POLICY).of_check(check.id) != before}
    assert moved == {leaf for leaf in LEAVES if looks_at(check.reads, leaf) and leaf not in TEXTS}


TAKEN = Claim("other", Since("", ""))
WANTED = FULL["environments"][0]
STAGE = {"name": WANTED["stage"], "defaultSize": "small", "defaultTarget": WANTED["target"]}
ZONE = {"name": FULL["flows"][0]["zone"], "cidrs": ["192.0.2.0/24"], "attested": True}
FUSSY = HostingTargetSpec.model_validate(
    {
        "sites": [{**SITES[0], "capacity": {"cpu": "0"}}],
        "stages": ["none"],
        "zones": ["NP"],
        "profiles": ["none"],
        "domains": [{"suffix": "good.org"}],
        "network": {"zones": [ZONE]},
    }
)
SITUATIONS: dict[str, tuple[Any, Any, dict[str, None]]] = {
    "nothing is known": (POLICY, TARGETS, {}),
    "nothing fits": (policy_of(stages=[STAGE]), {WANTED["target"]: FUSSY}, {}),
    "by default": (
        policy_of(stages=[STAGE]),
        {WANTED["target"]: FUSSY},
        dict.fromkeys(("target", "size", "resources")),
    ),
}


@pytest.mark.parametrize(("policy", "targets", "without"), SITUATIONS.values(), ids=SITUATIONS)
@pytest.mark.parametrize("check", [*ALWAYS, *GATED], ids=lambda check: check.id)
def test_a_check_reads_no_field_that_it_does_not_name(
    check: Check[Any], policy: Any, targets: Any, without: dict[str, None]
) -> None:
    def found(spec: ProjectOnboardingSpec) -> list[Any]:
        bare = tuple(item.model_copy(update=without) for item in spec.environments)
        declared = spec.model_copy(update={"environments": bare})
        project = project_inputs(declared, policy=policy, targets=targets)
        environments = [inputs_of(declared, index, policy, targets=targets) for index in range(len(bare))]
        inputs: list[Any] = [project]
        if check in OF_DECLARATION or check in OF_ENVIRONMENT:
            inputs = environments
        elif check in OF_REVISIONS:
            inputs = [RevisionInputs(0)]
        elif check in OF_APP_PROJECTS:
            inputs = [AppProjectInputs(0)]
        elif check in OF_ROOM:
            inputs = [CapacityInputs(item) for item in environments]
        elif check in OF_DOMAINS:
            inputs = [DomainInputs(item.domains, {}, dict.fromkeys(item.domains, TAKEN)) for item in bare]
        elif check not in OF_PROJECT:
            inputs = [replace(running(), project=project, environment=item.name) for item in bare]
        return [(check.run(item), sorted(map(str, check.requests_of(item)))) for item in inputs]

    before = found(read(FULL))
    for leaf in LEAVES:
        if not looks_at(check.reads, leaf) and not leaf.key and leaf.path not in NEVER_CHANGE:
            assert found(changed(leaf)) == before, leaf.path


def of(spec: ProjectOnboardingSpec, *reads: str) -> str:
    """Return the digest of a gate whose checks read these fields."""
    checks = [check for check in GATED if check.reads == reads]
    return Digests(spec, policy_with(checks[0].id)).of_gate("gate")


def policy_with(*checks: str) -> Any:
    return POLICY.model_copy(update={"checks": tuple(CheckRule(id=check, gate="gate") for check in checks)})


SHUFFLED = {
    "environments": ([*reviews.flows_are_opened.reads], ["environments"]),
    "flows": ([*reviews.flows_are_opened.reads], ["flows"]),
    "repositories": (["repositories"], ["repositories"]),
    "people": (["team.people"], ["team", "people"]),
}


@pytest.mark.parametrize(("reads", "place"), SHUFFLED.values(), ids=SHUFFLED)
def test_the_order_of_items_that_have_a_name_means_nothing(reads: list[str], place: list[str]) -> None:
    content = copy.deepcopy(FULL)
    holder = content
    for step in place[:-1]:
        holder = holder[step]
    assert len(holder[place[-1]]) == 2
    holder[place[-1]].reverse()
    assert of(read(content), *reads) == of(read(FULL), *reads)


def test_the_order_of_a_set_means_nothing_and_that_of_a_text_does() -> None:
    one, two = (spec_of(team={"groups": {"admin": groups}}) for groups in (["a", "b"], ["b", "a"]))
    reads = ("team.groups", "environments.groups")
    assert of(one, *reads) == of(two, *reads)
    one, two = (spec_of(objectives=objectives) for objectives in (["a", "b"], ["b", "a"]))
    assert of(one, "objectives") != of(two, "objectives")


def test_what_is_absent_is_what_is_there_by_default() -> None:
    explicit = {"classification": {"criticality": "low", "personalData": False}, "flows": [], "objectives": []}
    for reads in {check.reads for check in GATED}:
        assert of(spec_of(**explicit), *reads) == of(spec_of(), *reads)


def test_an_environment_without_the_field_changes_nothing() -> None:
    reads = ("classification", "environments.data", "environments.exposures")
    one = spec_of(environment(exposures=["rie"]))
    assert of(spec_of(environment(exposures=["rie"]), environment("more")), *reads) == of(one, *reads)
    assert of(spec_of(environment(exposures=["rie"]), environment("more", exposures=["rie"])), *reads) != of(
        one, *reads
    )
    assert of(spec_of(environment("else", exposures=["rie"])), *reads) != of(one, *reads)


def test_a_gate_is_made_of_what_its_checks_read_and_no_other_gates() -> None:
    gates = ({"name": "one"}, {"name": "two"})
    rules = [
        {"id": "SponsorNamed", "gate": "one"},
        {"id": "PoaNamed", "gate": "two"},
        {"id": "ObjectivesNamed", "gate": "one", "severity": "Warning"},
        {"id": "GroupsExist", "gate": "one", "severity": "Ignored"},
    ]
    policy = policy_of(*gates, checks=rules)
    assert gate_reads(policy, "one") == ("objectives", "sponsor")
    assert gate_reads(policy, "two") == ("team.poa",)
    digests = Digests(read(FULL), policy)
    assert len({digests.of_gate(gate) for gate in ("one", "two", "none")}) == 3
    assert re.fullmatch(r"v2:[0-9a-f]{64}", digests.of_gate("one"))
    assert gate_reads(policy_of(*gates, checks=rules[::-1]), "one") == gate_reads(policy, "one")
