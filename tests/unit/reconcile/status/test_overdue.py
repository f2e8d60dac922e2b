"""An Application that syncs by itself and stays OutOfSync is overdue after five minutes, and not before."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from onboarding.build.kinds import APPLICATION, ObjectKey
from onboarding.reconcile.observed.cached_object import told_of
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.status.applications import application_states
from onboarding.reconcile.status.overdue import Overdue, OverdueApplications
from tests.unit.argocd_status import compared, synced
from tests.unit.snapshots import NOW, environment, live_of_spec, revisions, snapshot_of, spec_of

APP = ObjectKey("hub", APPLICATION, "argocd", "shop-dev-app")
SPEC = spec_of(environment())
OUT = {**synced(), **compared(sync="OutOfSync")}
MINUTE = timedelta(minutes=1)


def seen(status: dict[str, Any], minutes: float = 0) -> Snapshot:
    live = live_of_spec(SPEC)
    live[APP] = live[APP]._replace(told=told_of(APPLICATION, status))
    return snapshot_of(SPEC, live, now=NOW + minutes * MINUTE)


def test_it_is_overdue_after_five_minutes_and_asks_for_a_reconcile_at_that_time() -> None:
    overdue = OverdueApplications()
    assert overdue.look(seen(OUT), revisions(SPEC)) == Overdue(frozenset(), NOW + 5 * MINUTE)
    assert overdue.look(seen(OUT, 4.9), revisions(SPEC)) == Overdue(frozenset(), NOW + 5 * MINUTE)
    assert overdue.look(seen(OUT, 5), revisions(SPEC)) == Overdue(frozenset({APP}), None)
    assert overdue.look(seen(synced(), 6), revisions(SPEC)) == Overdue()
    assert overdue.look(seen(OUT, 7), revisions(SPEC)).keys == frozenset()


def test_one_that_waits_for_a_person_or_a_window_is_not() -> None:
    window = {"kind": "Deny", "schedule": "0 8 * * *", "duration": "1h", "timeZone": "UTC"}
    (revision,) = revisions(SPEC)
    held = revision.with_values(windows=(type(revision).model_fields["windows"].annotation.__args__[0](**window),))  # type: ignore[union-attr]
    for wanted in (revision.with_values(auto_sync=False), held):
        overdue = OverdueApplications()
        overdue.look(seen(OUT), [wanted])
        assert overdue.look(seen(OUT, 10), [wanted]) == Overdue()


@pytest.mark.parametrize(("phase", "failing"), [("Succeeded", True), ("Running", False)])
def test_it_is_unhealthy_with_a_remedy(phase: str, failing: bool) -> None:
    status = {**OUT, "operationState": {**OUT["operationState"], "phase": phase}}
    (revision,) = revisions(SPEC)
    (state,) = application_states(replace(seen(status), overdue=frozenset({APP})), revision)
    assert (state.failing, state.healthy) == (failing, not failing)
    if failing:
        assert state.message == "OutOfSync for five minutes, although it syncs by itself"
        assert state.remedy.startswith("compare it in Argo CD")
