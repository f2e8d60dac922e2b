"""What only an event can mend is not asked for: however many projects wait, the API server hears nothing of them."""

from collections import Counter

import pytest

from onboarding.build.kinds import NAMESPACE
from tests.support.audit import Audit
from tests.support.hub import Hub

pytestmark = pytest.mark.usefixtures("operator")
CROWD = [f"crowd-{letter}" for letter in "abcdefghijkl"]
FIRST, SECOND = CROWD[:2]


@pytest.fixture(scope="module")
def crowd(hub: Hub) -> Audit:
    """Many projects that want namespaces which strangers have, and what was asked for since the first was declared."""
    for name in CROWD:
        hub.api.create(NAMESPACE.path(), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{name}-dev"}})
    audit = Audit(hub.cluster)
    for name in CROWD:
        hub.declare(name)
    for name in CROWD:
        hub.wait(name, "False", "Conflict")
    return audit


def test_a_stranger_that_is_watched_is_asked_for_by_nobody(hub: Hub, crowd: Audit) -> None:
    """A project that meets it before its event comes asks once; later nobody asks, whatever happens to others."""
    met = Counter(get.name for get in crowd.gets() if get.resource == "namespaces")
    assert set(met.values()) <= {1}, "once, where the watch had not told of it yet"
    quiet = Audit(hub.cluster)
    hub.fence("beside-the-crowd")
    assert [get for get in quiet.gets() if any(get.about(name) for name in CROWD)] == []
    assert [write for write in quiet.writes() if any(write.about(name) for name in CROWD)] == []
    written = [write for write in crowd.done() if any(write.about(name) for name in CROWD)]
    assert {write.resource for write in written} == {"projectonboardings", "projectonboardings/status"}
    statuses = [write.name for write in written if write.resource == "projectonboardings/status"]
    assert sorted(statuses) == sorted(CROWD), "one status each"


def test_a_stranger_that_changes_nothing_of_ours_is_no_news(hub: Hub, crowd: Audit) -> None:
    """A label of its own tells nobody anything."""
    audit = Audit(hub.cluster)
    hub.api.patch(NAMESPACE.path(name=f"{SECOND}-dev"), {"metadata": {"labels": {"team": "blue"}}})
    hub.fence("after-the-label")
    assert audit.gets(SECOND) == audit.writes(SECOND) == []


def test_the_event_of_a_stranger_that_goes_opens_the_project(hub: Hub, crowd: Audit) -> None:
    """The one project goes on at once, by the event alone; the others stay quiet."""
    audit = Audit(hub.cluster)
    hub.api.delete(NAMESPACE.path(name=f"{FIRST}-dev"))
    hub.wait(FIRST)
    assert hub.faults(FIRST) == []
    assert audit.gets() == []
    assert [write for write in audit.writes() if not write.about(FIRST)] == []
