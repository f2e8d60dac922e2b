"""What is heard of policies, targets and decisions is kept, and concerns projects only where it changes something."""

from structlog.testing import capture_logs

from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.runtime.feeds import platform_feeds
from tests.unit.snapshots import DECIDED, UID, confirm_delete, offer

DECISION = {
    "metadata": {"name": "yes", "creationTimestamp": DECIDED},
    "spec": confirm_delete().model_dump(mode="json", by_alias=True, exclude={"created"}),
}


def test_a_decision_taken_back_while_nobody_watched_counts_no_more() -> None:
    """A list after a gap is as good as the events that were missed."""
    declared, asked = ProjectCache(), list[str]()
    *_, decisions = platform_feeds(declared, lambda: None, asked.append, lambda: None, lambda: False)
    decisions.on_update(DECISION)
    assert len(declared.decisions("shop", UID)) == 1
    decisions.on_list(frozenset(), 9)
    assert declared.decisions("shop", UID) == ()
    assert asked == ["shop", "shop"]


def test_a_decision_of_a_newer_form_counts_no_more_and_is_told_of() -> None:
    """The definitions may be newer than the operator."""
    declared = ProjectCache()
    *_, decisions = platform_feeds(declared, lambda: None, lambda _: None, lambda: None, lambda: False)
    decisions.on_update(DECISION)
    with capture_logs() as logs:
        decisions.on_update({**DECISION, "spec": {**DECISION["spec"], "decision": "Guess"}})
    assert declared.decisions("shop", UID) == ()
    (told,) = logs
    assert told["decision"] == "yes"
    assert "spec.decision" in told["error"]


def test_a_policy_that_is_gone_holds_every_project() -> None:
    declared, changes = ProjectCache(), list[None]()
    policies, _, _ = platform_feeds(declared, lambda: changes.append(None), lambda _: None, lambda: None, lambda: False)
    policies.on_update(offer("default", {}))
    policies.on_list({("", "other")}, 9)
    assert "does not exist" in declared.policy("default")[1]
    assert len(changes) == 2


def test_an_event_of_a_status_concerns_no_project_and_is_looked_at() -> None:
    """Our own writes of statuses cause no pass, and somebody else's are put right."""
    changes, news = list[None](), list[None]()
    _, targets, _ = platform_feeds(
        ProjectCache(), lambda: changes.append(None), lambda _: None, lambda: news.append(None), lambda: False
    )
    targets.on_update(offer("main", {"sites": [{"name": "a"}]}))
    targets.on_update(offer("main", {"sites": [{"name": "a"}]}, 2, generation=1))
    assert (len(changes), len(news)) == (1, 2)
    targets.on_delete(offer("main", {}, 3))
    assert (len(changes), len(news)) == (2, 3)
