"""Each validation of each shipped admission policy refuses something: without it, some request gets through.

``make test`` removes those of one policy in turn; with ONBOARDING_FULL_ATTACKS=1 (``make attack``) those of all.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from tests.attack.cases import CASES, Case
from tests.attack.rows import POLICIES, RULE_PREFIX, Refused
from tests.attack.second_lines import EXPLAINED, SECOND_LINES
from tests.attack.world import World
from tests.support.installing import ROOT
from tests.support.waiting import wait_until

FULL = os.environ.get("ONBOARDING_FULL_ATTACKS") == "1"
ADMISSION = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
PROBED = "guard probe refused"
SPECS = {
    item["metadata"]["name"].removeprefix(RULE_PREFIX): item["spec"]
    for path in sorted((ROOT / "manifests").glob("*/policy-*.yaml"))
    for item in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    if item["kind"] == "ValidatingAdmissionPolicy"
}
SHIPPED = {policy: spec["validations"] for policy, spec in SPECS.items()}
# The beginning of a sentence is what follows the condition under which it is said.
SENTENCE = re.compile(r"""\? (?:'([^']{12,})'|"([^"]{12,})")""")
SENTENCES = {
    (policy, "".join(sentence))
    for policy, spec in SPECS.items()
    for variable in spec["variables"]
    if variable["name"].startswith("wrong")
    for sentence in SENTENCE.findall(variable["expression"])
}
"""Sentences that a variable chooses from, of which one validation says the first that applies."""
VALIDATIONS = [
    (policy, index)
    for policy, validations in SHIPPED.items()
    if FULL or policy == "detached-namespaces"
    for index in range(len(validations))
]


def test_every_shipped_policy_is_attacked() -> None:
    assert set(SHIPPED) == set(POLICIES)


@pytest.mark.parametrize(("policy", "sentence"), sorted(SENTENCES))
def test_every_sentence_that_a_variable_chooses_is_met_by_a_row(policy: str, sentence: str) -> None:
    words = [case.verdict.words for case in refused_by(policy) if isinstance(case.verdict, Refused)]
    assert any(sentence[:20].strip() in said or (len(said) > 11 and said in sentence) for said in words)


def refused_by(policy: str, words: str = "") -> list[Case]:
    """Return the cases that a policy refuses, with these words."""
    refused = [case for case in CASES if isinstance(case.verdict, Refused)]
    of_policy = [case for case in refused if policy in (case.verdict.by, *case.verdict.also)]
    return [case for case in of_policy if words in case.verdict.words]


@contextmanager
def without(world: World, policy: str, index: int) -> Iterator[None]:
    """Take one validation out of a policy, and wait until the API server judges without it."""
    path, probe = f"{ADMISSION}/{RULE_PREFIX}{policy}", refused_by(policy, PROBED)[0]
    kept = world.hub.api.request("GET", path)["spec"]["validations"]
    less: list[dict[str, Any]] = [{**item} for item in kept]
    less[index]["expression"] = "true"
    mark = f"without {index}"
    if index:
        less[0]["message"] = mark

    def in_force() -> bool:
        answer = world.send(probe.actor, probe.row)
        return mark in answer.text if index else PROBED not in answer.text

    world.hub.api.patch(path, {"spec": {"validations": less}})
    try:
        wait_until(in_force, what=f"{policy} is in force {mark}")
        yield
    finally:
        world.hub.api.patch(path, {"spec": {"validations": kept}})
        wait_until(lambda: not probe.fault(world.send(probe.actor, probe.row)), what=f"{policy} is whole again")


def admits(world: World, cases: Iterable[Case]) -> bool:
    return any(world.send(case.actor, case.row).admitted for case in cases)


@pytest.mark.parametrize(("policy", "index"), VALIDATIONS, ids=str)
def test_without_a_validation_something_gets_through(world: World, policy: str, index: int) -> None:
    message = " ".join(SHIPPED[policy][index].get("messageExpression", "").split())
    lines = [line for words, line in SECOND_LINES.items() if words in message]
    explained = [words for words in EXPLAINED if words in message]
    if lines:
        case = lines[0].case
        with lines[0].without_the_first(world):
            assert case.fault(world.send(case.actor, case.row)) == ""
            with without(world, policy, index):
                assert admits(world, [case])
    elif explained:
        told = refused_by(policy, explained[0])
        with without(world, policy, index):
            answers = [world.send(case.actor, case.row) for case in told]
            assert answers
            assert not any(answer.admitted or explained[0] in answer.text for answer in answers)
    else:
        with without(world, policy, index):
            assert admits(world, refused_by(policy)), "a dead validation, or a row is missing"
