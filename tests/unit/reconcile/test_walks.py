"""Whatever a project writes and whoever decides, in any order: production opens by its gate, and nothing is lost.

Hypothesis walks the shipped profiles. What must not pass is judged by hand-written rules, not by the policy.
"""

import contextlib
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onboarding.build.revision import Revision
from tests.unit.walks import Walk, unmet

Step = tuple[str, Any]
ENVIRONMENTS: Final[dict[str, dict[str, Any]]] = {
    "dev": {"stage": "dev", "target": "acceleration"},
    "lab": {"stage": "test", "target": "external-market"},
    "preprod": {"stage": "preprod", "target": "cloud-pi-np"},
    "prod": {"stage": "prod", "target": "cloud-pi-np"},
    "prod-small": {"stage": "prod", "target": "cloud-pi-np", "size": "small"},
    "prod-two": {"stage": "prod", "target": "g-cloud"},
    "prod-dr": {"stage": "prod", "target": "cloud-pi-dr"},
    "odd": {"stage": "prod", "target": "acceleration"},
}
PRODUCTION: Final = {name for name, fields in ENVIRONMENTS.items() if fields["stage"] == "prod"}
FLOW: Final = {"name": "db", "zone": "postgresql", "port": 5432, "justification": "Data"}
CLASSIFICATIONS: Final = (
    {"zone": "NP"},
    {"zone": "DR"},
    {},
    {"zone": "NP", "criticality": "vital", "personalData": True},
)
CHOICES: Final[dict[str, tuple[Any, ...]]] = {
    "journey": (None, "standard", "accelerated", "workshop", "hackathon", "nowhere"),
    "classify": CLASSIFICATIONS,
    "add": tuple(ENVIRONMENTS),
    "add production": ("prod", "prod-small", "prod-small", "prod-two", "prod-dr"),
    "size": tuple((name, size) for name in ("dev", "prod") for size in ("small", "large", "enormous")),
    "data": tuple((name, data) for name in ("dev", "prod") for data in ("Fictive", "Real")),
    "group": (["admins"], ["admins", "more"]),
    "revision": ("main", "other"),
    "url": ("https://git.example.org/app.git", "https://git.example.org/other.git"),
    "flow": (True, False),
    "decide one": (None,),
    "waive": ("SecurityAudited",),
    "withdraw": (None,),
    "suspend": (None,),
    "facts": (True, False),
}
OFTEN: Final = ("journey", "add production") * 3
"""Kinds of steps that more ways to production begin with."""
BEGIN: Final[tuple[tuple[Step, ...], ...]] = (
    (("add", "dev"), ("add", "preprod")),
    (("add", "dev"), ("add", "preprod"), ("decide", None)),
    (("journey", "hackathon"), ("add", "dev"), ("size", ("dev", "small")), ("decide", None)),
    (("add", "dev"), ("add", "preprod"), ("add", "prod"), ("decide", None)),
)
"""Ways to begin: nothing is decided, everything before production is, a short journey ends, production runs."""


def steps_of(*, but: tuple[str, ...] = ()) -> st.SearchStrategy[list[Step]]:
    """Draw steps: first the kind of each, then what it is about, and whether everybody decides after it."""
    kinds = [kind for kind in (*CHOICES, *OFTEN) if kind not in but]
    step = st.sampled_from(kinds).flatmap(lambda kind: st.tuples(st.just(kind), st.sampled_from(CHOICES[kind])))
    pairs = st.lists(st.tuples(step, st.booleans()), max_size=10)
    return pairs.map(lambda drawn: [one for taken, then in drawn for one in (taken, *([("decide", None)] * then))])


def environment(walk: Walk, name: str) -> dict[str, Any] | None:
    return next((item for item in walk.spec["environments"] if item["name"] == name), None)


def _set(walk: Walk, value: tuple[str, str], field: str) -> None:
    if (found := environment(walk, value[0])) is not None:
        found[field] = value[1]
        walk.declare()


def _field(walk: Walk, name: str, value: Any) -> None:
    walk.spec = {**walk.spec, name: value}
    walk.declare()


def _add(walk: Walk, name: str) -> None:
    if environment(walk, name) is None:
        walk.spec["environments"].append({"name": name, **ENVIRONMENTS[name]})
        walk.declare()


def _group(walk: Walk, names: list[str]) -> None:
    walk.spec["team"]["groups"]["admin"] = names
    walk.declare()


def _repository(walk: Walk, **fields: str) -> None:
    walk.spec["repositories"][0] |= fields
    walk.declare()


def _decide_one(walk: Walk, _: Any) -> None:
    if asked := list(walk.asked()):
        walk.decide(**asked[0])
        walk.settle()


def _withdraw(walk: Walk, _: Any) -> None:
    if walk.given:
        walk.withdraw(next(reversed(walk.given)))
        walk.settle()


def _decided(walk: Walk, **fields: str) -> None:
    walk.decide(**fields)
    walk.settle()


def _facts(walk: Walk, good: bool) -> None:
    walk.facts.good = good
    walk.settle()


DO: Final[dict[str, Callable[[Walk, Any], None]]] = {
    "journey": lambda walk, name: _field(walk, "journey", name),
    "classify": lambda walk, fields: _field(walk, "classification", fields),
    "add": _add,
    "add production": _add,
    "size": lambda walk, value: _set(walk, value, "size"),
    "data": lambda walk, value: _set(walk, value, "data"),
    "group": _group,
    "revision": lambda walk, name: _repository(walk, revision=name),
    "url": lambda walk, url: _repository(walk, url=url),
    "flow": lambda walk, there: _field(walk, "flows", [FLOW] if there else []),
    "decide": lambda walk, _: walk.decide_all(),
    "decide one": _decide_one,
    "waive": lambda walk, check: _decided(walk, decision="Waive", check=check, expires="2027-06-01T00:00:00Z"),
    "withdraw": _withdraw,
    "suspend": lambda walk, _: _decided(walk, decision="Suspend"),
    "facts": _facts,
}


def gained(before: Revision | None, after: Revision) -> bool:
    """Return whether a revision has something that the one before had not; a revocation only takes away."""
    if before is None:
        return True
    grown = any(getattr(before, name) != getattr(after, name) for name in ("resources", "container", "network"))
    added = any(_items(after, name) - _items(before, name) for name in ("flows", "repositories", "value_repositories"))
    return grown or added or bool(_groups(after) - _groups(before))


def _items(revision: Revision, name: str) -> set[str]:
    return {item.model_dump_json() for item in getattr(revision, name)}


def _groups(revision: Revision) -> set[tuple[str, str]]:
    return {(binding.persona, group) for binding in revision.bindings for group in binding.groups}


def take(walk: Walk, step: Step) -> None:
    """Take a step; production gains nothing unless all is met, and nothing that was there is lost."""
    there, admitted = walk.objects(), walk.admitted()
    DO[step[0]](walk, step[1])
    assert there <= walk.objects(), f"{step} took away {there - walk.objects()}"
    for namespace, revision in walk.admitted().items():
        if revision.environment in PRODUCTION and gained(admitted.get(namespace), revision):
            assert unmet(walk) == [], f"{step} opened {namespace}"


WALKS = settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))


@WALKS
@given(st.sampled_from(BEGIN), steps_of())
def test_no_walk_opens_production_by_another_way_or_takes_anything_away(
    begin: tuple[Step, ...], steps: list[Step]
) -> None:
    walk = Walk("cloud-pi-native")
    walk.declare()
    for step in (*begin, *steps):
        take(walk, step)


HELD_FOR_GOOD: Final = ("ends at gate", "odd", "trust", "takes", "nowhere", "enormous", "real data", "journey")
"""Parts of the sentences about an environment that no decision can help."""


@settings(WALKS, max_examples=40)
@given(steps_of(but=("suspend", "facts", "withdraw")))
def test_nothing_waits_for_itself(steps: list[Step]) -> None:
    """Once everybody has decided, all is in place, or the declaration of an environment says why it cannot be.

    Others may wait for that one: a gate asks what runs before it.
    """
    walk = Walk("cloud-pi-native")
    walk.declare()
    for step in (("add", "dev"), ("add", "preprod"), ("add", "prod"), *steps):
        take(walk, step)
    walk.decide_all()
    there = {revision.environment for revision in walk.admitted().values()}
    waiting = [item for item in walk.status["environments"] if item["name"] not in there]
    assert all(item["held"] for item in waiting)
    assert not waiting or any(part in str(item) for item in waiting for part in HELD_FOR_GOOD), waiting


def test_the_rules_of_the_test_let_a_good_project_through() -> None:
    """The walk that everybody should take ends in production: the properties above are not true of nothing."""
    walk = Walk("cloud-pi-native")
    walk.declare()
    for name in ("dev", "preprod", "prod"):
        take(walk, ("add", name))
    take(walk, ("decide", None))
    assert {revision.environment for revision in walk.admitted().values()} == {"dev", "preprod", "prod"}
    assert unmet(walk) == []


@pytest.mark.parametrize("step", [("journey", "hackathon"), ("classify", {"zone": "DR"}), ("facts", False)])
def test_the_rules_of_the_test_see_what_is_missing(step: Step) -> None:
    walk = Walk("cloud-pi-native")
    walk.declare()
    for name in ("dev", "preprod", "prod"):
        take(walk, ("add", name))
    take(walk, ("decide", None))
    with contextlib.suppress(AssertionError):
        take(walk, step)
    assert unmet(walk) != []
