"""Killed at any moment of its work, the operator ends where an undisturbed one ends, and makes nothing twice.

The operator is killed around one write of an onboarding, with one write in flight, and started again: before the
server gets the write, and after the server did it but before the operator knows. A run tests every second write in
each of the two ways, alternately; with ONBOARDING_FULL_FAULTS=1 (``make faults``) it tests every write in both.
"""

import json
import os
from collections import Counter
from typing import Any

import pytest

from onboarding import names
from onboarding.build.kinds import CHILD_KINDS
from tests.faults.conftest import Start
from tests.support.audit import Audit
from tests.support.faultproxy import FaultProxy, Moment
from tests.support.hub import REPOSITORY, Hub
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

SPEC: dict[str, Any] = {"repositories": [REPOSITORY], "team": {"groups": {"admin": ["team-admins"]}}}
VOLATILE = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
FULL = os.environ.get("ONBOARDING_FULL_FAULTS") == "1"
ONE_AT_A_TIME = {"writes_in_flight": "1"}


class Runs:
    """Onboardings of projects that differ in their names alone, each with a kill somewhere in it."""

    def __init__(self, hub: Hub, proxy: FaultProxy, start: Start) -> None:
        self.hub, self.proxy = hub, proxy
        self._start = start
        self._operator = self._begin()

    def _begin(self) -> OperatorProcess:
        return self._start(**ONE_AT_A_TIME)

    def undisturbed(self, name: str) -> None:
        """Onboard a project without a fault."""
        self._operator.wait_ready()
        self.proxy.count()
        self.hub.declare(name, **SPEC)
        self.hub.wait(name)

    def killed(self, number: int, moment: Moment) -> None:
        """Let the next work end with a kill around a write; then start the operator again."""
        self._operator.wait_ready()
        self.proxy.arm(number, moment, self._operator.process.kill)

    def revive(self) -> None:
        """Wait until the operator is dead and start it again, without a fault."""
        wait_until(lambda: self._operator.process.poll() is not None, what="the operator was killed")
        self.proxy.count()
        self._operator = self._begin()


@pytest.fixture
def runs(hub: Hub, proxy: FaultProxy, start_behind: Start) -> Runs:
    """An operator behind the proxy, started again after each kill."""
    return Runs(hub, proxy, start_behind)


def points(writes: int) -> list[tuple[int, Moment]]:
    """Return where to kill, of a work of so many writes."""
    every = [(number, moment) for number in range(1, writes + 1) for moment in (Moment.BEFORE, Moment.UNREAD)]
    return every if FULL else every[::4] + every[3::4]


def neutral(item: Any, name: str, uid: str) -> Any:
    """Return an object without what is different between two projects."""
    return json.loads(json.dumps(item).replace(uid, "UID").replace(name, "NAME"))


def end_state(hub: Hub, name: str, uid: str) -> dict[str, Any]:
    """Return all of a project's objects, without what differs between two runs."""
    found = {}
    for key, item in hub.live(name).items():
        metadata = {field: value for field, value in item["metadata"].items() if field not in VOLATILE}
        body = {field: value for field, value in item.items() if field not in ("metadata", "status")}
        found[str(neutral(str(key), name, uid))] = neutral({**body, "metadata": metadata}, name, uid)
    status = hub.project(name)["status"]
    for condition in status["conditions"]:
        del condition["lastTransitionTime"]
    for environment in status["environments"]:
        for site in environment["sites"]:
            del site["revision"]  # It names the namespace, and so differs between projects.
    return {**found, "status": neutral(status, name, uid)}


def test_an_onboarding_survives_a_kill_at_every_write(hub: Hub, runs: Runs) -> None:
    """After a kill and a restart everything is as without, and each object was created exactly once."""
    runs.undisturbed("calm")
    writes = len(hub.wanted("calm")) + 2  # The finalizer, and at least one status.
    reference = end_state(hub, "calm", hub.project("calm")["metadata"]["uid"])
    for number, moment in points(writes):
        name = f"kill-{number}-{moment.name.lower()}"
        audit = Audit(hub.cluster)
        runs.killed(number, moment)
        uid = hub.declare(name, **SPEC)["metadata"]["uid"]
        runs.revive()
        hub.wait(name)
        assert hub.faults(name) == [], name
        assert end_state(hub, name, uid) == reference, name
        made = Counter(write[1:4] for write in audit.done(name) if write.verb == "create")
        assert made == {(key.kind.plural, key.namespace, key.name): 1 for key in hub.live(name)}, name


def test_a_detachment_survives_kills(hub: Hub, runs: Runs) -> None:
    """Killed on the way out, the operator lets go of everything after its restart, and deletes no namespace."""
    runs.undisturbed("out-calm")
    calm = Audit(hub.cluster)
    hub.delete("out-calm")
    hub.wait_gone("out-calm")
    last = len(calm.of_objects("out-calm")) + 1  # The finalizer.
    for number, moment in ((1, Moment.BEFORE), (3, Moment.UNREAD), (8, Moment.AFTER), (last, Moment.UNREAD)):
        name = f"out-{number}"
        runs.undisturbed(name)
        audit = Audit(hub.cluster)
        runs.killed(number, moment)
        hub.delete(name)
        runs.revive()
        hub.wait_gone(name)
        assert not hub.live(name), name
        namespace = hub.one(CHILD_KINDS[0], f"{name}-dev")["metadata"]
        assert json.loads(namespace["annotations"][names.ANNOTATION_DETACHED])["project"] == name
        deleted = Counter(write[1:4] for write in audit.done(name) if write.verb == "delete")
        assert set(deleted.values()) == {1}, name
        assert {resource for resource, _, _ in deleted} == {
            "applications",
            "appprojects",
            "rolebindings",
            "serviceaccounts",
        }, name
