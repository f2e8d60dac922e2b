"""What the platform declares follows lists as well as events."""

from onboarding.reconcile.declared import Declared
from onboarding.runtime.platform import platform_feeds
from tests.unit.worlds import UID, confirm_delete

DECISION = {"metadata": {"name": "yes"}, "spec": confirm_delete().model_dump(mode="json", by_alias=True)}


def test_a_decision_taken_back_while_nobody_watched_counts_no_more() -> None:
    """A list after a gap is as good as the events that were missed."""
    declared, asked = Declared(), list[str]()
    *_, decisions = platform_feeds(declared, lambda: None, asked.append)
    decisions.heard(DECISION)
    assert len(declared.decisions("shop", UID)) == 1
    decisions.complete(frozenset(), 9)
    assert declared.decisions("shop", UID) == ()
    assert asked == ["shop", "shop"]


def test_a_policy_that_is_gone_holds_every_project() -> None:
    declared, changes = Declared(), list[None]()
    policies, _, _ = platform_feeds(declared, lambda: changes.append(None), lambda _: None)
    policies.heard({"metadata": {"name": "default"}, "spec": {}})
    policies.complete({("", "other")}, 9)
    assert "does not exist" in declared.policy("default")[1]
    assert len(changes) == 2
