"""Validations that are met only if something before them fails, and how that is brought about."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from onboarding import names
from tests.api.persons import Person
from tests.attack.cases import ROWS, Case
from tests.attack.rows import Refused, Row
from tests.attack.world import World
from tests.support import insiders
from tests.support.waiting import wait_until

DEFINITION = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/onboardingdecisions.{names.GROUP}"
DECISION = "/spec/versions/0/schema/openAPIV3Schema/properties/spec"


class SecondLine(NamedTuple):
    """Validation behind something else."""

    without_the_first: Callable[[World], AbstractContextManager[None]]
    case: Case
    """Request that meets the validation then."""


@contextmanager
def nobody_records(world: World) -> Iterator[None]:
    """Remove the binding of the policy that records insiders."""
    admin = Person(world.cluster, world.cluster.kubeconfig)
    insiders.unbind(admin, insiders.MUTATING)
    try:
        yield
    finally:
        insiders.bind(admin)


@contextmanager
def changed_definition(world: World, case: Case, field: str, change: Callable[[Any], Any]) -> Iterator[None]:
    """Change a field of the definition of decisions until the schema no longer refuses the request of a case."""
    before = _at(world.hub.api.request("GET", DEFINITION), f"{DECISION}{field}")

    def write(value: Any) -> None:
        world.hub.api.patch(DEFINITION, [{"op": "replace", "path": f"{DECISION}{field}", "value": value}])

    write(change(before))
    try:
        wait_until(lambda: case.fault(world.send(case.actor, case.row)) == "", what="the schema admits it")
        yield
    finally:
        write(before)
        wait_until(
            lambda: world.send(case.actor, case.row).comes_from("schema", ""), what="the schema refuses it again"
        )


def _at(item: Any, path: str) -> Any:
    for step in path.strip("/").split("/"):
        item = item[int(step)] if isinstance(item, list) else item[step]
    return item


def _a_later_kind_of_decision(world: World) -> AbstractContextManager[None]:
    """Let the definition know a kind of decision that the policy does not know."""
    return changed_definition(world, UNKNOWN, "/properties/decision/enum", lambda kinds: [*kinds, "Adopt"])


def _decisions_may_change(world: World) -> AbstractContextManager[None]:
    """Take the rule out of the definition that a decision never changes."""

    def change(rules: list[dict[str, str]]) -> list[dict[str, str]]:
        left = [rule for rule in rules if rule["rule"] != "self == oldSelf"]
        assert len(left) == len(rules) - 1
        return left

    return changed_definition(world, CHANGED, "/x-kubernetes-validations", change)


def _case(actor: str, row: Row, guard: str, words: str) -> Case:
    return Case(actor, row, Refused(by=guard, words=words, to=(actor,)))


UNKNOWN = _case(
    "platform", ROWS["03-decisions: make a decision of a kind that nobody knows"], "decisions", "is unknown here"
)
CHANGED = _case(
    "site-administrator",
    ROWS["03-decisions: change the reason of a decision"],
    "decisions",
    "a decision is never changed. Delete it",
)
UNRECORDED = _case(
    "requester",
    Row.model_validate(
        {
            "attack": "declare a project that nobody records",
            "send": "create projectonboardings",
            "body": {"spec": {"owner": insiders.ADA}},
            "refused": [{"by": "insiders", "to": ["requester"]}],
        }
    ),
    "insiders",
    "does not record",
)
SECOND_LINES = {
    "does not record": SecondLine(nobody_records, UNRECORDED),
    "is unknown here": SecondLine(_a_later_kind_of_decision, UNKNOWN),
    "a decision is never changed": SecondLine(_decisions_may_change, CHANGED),
}
"""By words of the message of a validation."""
EXPLAINED = {
    "lacks names that were recorded": "what it refuses is no true record either, as the last validation says",
}
"""By words of their messages, validations that only say better what another refuses as well."""
