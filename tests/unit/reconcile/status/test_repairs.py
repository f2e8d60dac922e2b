"""A repair is a write that undid what somebody else did: it is counted each time, and told once an hour."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from onboarding.build.kinds import APP_PROJECT, NETWORK_POLICY, ObjectKey
from onboarding.reconcile.observed.ports import Event
from tests.unit.snapshots import NOW, environment, snapshot_of, spec_of
from tests.unit.stage import Stage

POLICY = ObjectKey("hub", NETWORK_POLICY, "shop-dev", "default-deny")
PROJECT = ObjectKey("hub", APP_PROJECT, "argocd", "shop")


class Told(Stage):
    """A stage that keeps the Events."""

    def __init__(self) -> None:
        super().__init__(snapshot_of(spec_of(environment())))
        self.events: list[Event] = []

    async def post_events(self, _project: Any, events: Any) -> None:
        """Keep them."""
        self.events += events

    async def repairs(self) -> tuple[str, ...]:
        """Reconcile until nothing is left to do; return the kinds that were repaired."""
        repaired: tuple[str, ...] = ()
        while True:
            done = await self.reconciler.reconcile("shop")
            repaired += done.repaired
            if not done.changes:
                return repaired

    def tamper(self, key: ObjectKey, **fields: Any) -> None:
        """Change the spec of an object."""
        found = self.cluster.objects[key]
        self.cluster.put(key, {**found, "spec": {**found["spec"], **fields}, "metadata": _without(found["metadata"])})


def _without(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key != "resourceVersion"}


@pytest.fixture
async def stage() -> Told:
    """Return an environment in place."""
    stage = Told()
    assert await stage.repairs() == (), "a first creation is no repair"
    assert [event.reason for event in stage.events if event.warning] == []
    stage.events.clear()
    return stage


async def test_a_repair_names_object_and_fields(stage: Told) -> None:
    stage.tamper(POLICY, policyTypes=["Ingress"])
    assert await stage.repairs() == ("NetworkPolicy",)
    note = "repaired what somebody else had changed: NetworkPolicy shop-dev/default-deny (spec.policyTypes)"
    assert stage.events == [Event("DriftRepaired", note, warning=True)]


async def test_a_deleted_object_and_the_app_project_are_repaired_too(stage: Told) -> None:
    del stage.cluster.objects[POLICY]
    stage.tamper(PROJECT, sourceRepos=["*"])
    assert sorted(await stage.repairs()) == ["AppProject", "NetworkPolicy"]
    (event,) = stage.events
    assert "NetworkPolicy shop-dev/default-deny (it was missing)" in event.note
    assert "AppProject argocd/shop (spec.sourceRepos)" in event.note


async def test_the_same_repair_is_counted_again_and_told_once_an_hour(stage: Told) -> None:
    for minutes in (0, 10, 59, 61):
        stage.snapshot = replace(stage.snapshot, now=NOW + timedelta(minutes=minutes))
        stage.tamper(POLICY, policyTypes=["Ingress"])
        assert await stage.repairs() == ("NetworkPolicy",)
    assert len(stage.events) == 2


async def test_a_change_of_the_spec_is_no_repair(stage: Told) -> None:
    repository = {"name": "web", "url": "https://git.example.org/web.git"}
    changed = spec_of(environment(size="large"), environment("prod", stage="prod"), repositories=[repository])
    stage.snapshot = replace(stage.snapshot, project=replace(stage.snapshot.project, spec=changed))
    assert await stage.repairs() == ()
    gone = spec_of(environment(size="large"))
    stage.snapshot = replace(stage.snapshot, project=replace(stage.snapshot.project, spec=gone))
    assert await stage.repairs() == ()
    assert [event.reason for event in stage.events if event.warning] == []


async def test_drift_from_the_time_when_the_operator_was_down_is_a_repair(stage: Told) -> None:
    fresh = Told()
    fresh.cluster, fresh.snapshot = stage.cluster, stage.snapshot
    fresh.reconciler = type(stage.reconciler)(
        fresh, {"hub": fresh.cluster}, fresh, fresh, fresh.ledgers, stage.reconciler._secrets
    )
    del stage.cluster.objects[POLICY]
    assert await fresh.repairs() == ("NetworkPolicy",)
