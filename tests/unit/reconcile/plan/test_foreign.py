"""Guard rails of others in the status: a warning leaves Ready True and is in its message, a blocking one does not."""

from dataclasses import replace
from typing import Any

import pytest

from onboarding.build.kinds import LIMIT_RANGE, NAMESPACE, ROLE_BINDING, ObjectKey
from onboarding.reconcile.observed.foreign import ForeignObject, digest_of
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import built, environment, policy_of, snapshot_of, spec_of, told

SPACE = ObjectKey("hub", NAMESPACE, "", "shop-dev")
FOUND = (ForeignObject(LIMIT_RANGE, "old", 1), ForeignObject(ROLE_BINDING, "legacy", 2))
WORDS = "made by others: LimitRange shop-dev/old (00000001); RoleBinding shop-dev/legacy (00000002)"


def guarded(found: tuple[ForeignObject, ...] = FOUND, **rules: Any) -> Snapshot:
    """Return a world with guard rails of others beside those of the environment dev."""
    policy = policy_of(foreignGuards=rules) if rules else policy_of()
    snapshot = snapshot_of(spec_of(environment()), policy=policy)
    return replace(snapshot, live=built(snapshot), foreign={SPACE: found})


def ready(status: dict[str, Any]) -> tuple[str, str, str]:
    condition = next(item for item in status["conditions"] if item["type"] == "Ready")
    return condition["status"], condition["reason"], condition["message"]


def test_a_warning_leaves_ready_true_and_is_in_its_message() -> None:
    status = told(guarded())
    assert ready(status) == ("True", "Ready", f"1 of 1 environments are in place; {WORDS}")
    (check,) = status["checks"]
    given = {name: check[name] for name in ("id", "severity", "environment", "site", "nextActor", "message")}
    assert given == {
        "id": "ForeignGuards",
        "severity": "Warning",
        "environment": "dev",
        "site": "a",
        "nextActor": "platform",
        "message": WORDS,
    }
    assert "spec.foreignGuards.expected" in check["remedy"]


def test_a_blocking_one_makes_ready_false_and_holds_nothing() -> None:
    snapshot = guarded(severity="Blocking")
    status = told(snapshot)
    assert ready(status)[:2] == ("False", "ForeignGuards")
    assert ready(status)[2].startswith(WORDS)
    assert status["nextActions"][0]["actor"] == "platform"
    assert make_plan(snapshot).held == {}


@pytest.mark.parametrize("rules", [{"severity": "Ignored"}, {"expected": [{"kind": "LimitRange", "name": "*"}]}])
def test_what_the_policy_ignores_or_expects_is_not_told(rules: dict[str, Any]) -> None:
    status = told(guarded(FOUND[:1], **rules))
    assert ready(status) == ("True", "Ready", "1 of 1 environments are in place")
    assert "checks" not in status


def test_a_digest_is_of_the_content_alone() -> None:
    content = {"kind": "RoleBinding", "metadata": {"name": "a"}, "subjects": [{"name": "x"}]}
    assert digest_of(content) == digest_of({**content, "metadata": {"resourceVersion": "2"}, "status": {}})
    assert digest_of(content) != digest_of({**content, "subjects": []})
    assert digest_of(content) < 2**32
