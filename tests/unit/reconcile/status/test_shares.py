"""Each part of the status has a share of the 8 KiB, and keeps it whatever the other parts hold."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.api.status import ProjectOnboardingStatus
from onboarding.reconcile.status.shares import FIXED_BYTES, MAX_STATUS_BYTES, SHARES, fit

NEVER_SHORTENED = {"observedGeneration", "stage", "journey", "omittedApplications", "omittedChecks"}
LONG = {"plain": "x", "two bytes": "é", "four bytes": "🚪", "six bytes": "\x01", "quotes": '"'}
WORST = {
    "observedGeneration": 10**15,
    "stage": "s" * 63,
    "journey": {"name": "j" * 20, "lastGate": "g" * 20, "expires": "2026-01-02"},
    "omittedApplications": 99999,
    "omittedChecks": 99999,
}


def size(part: Any) -> int:
    return len(orjson.dumps(part))


def crowded(text: str) -> dict[str, Any]:
    """Return a status in which every part holds as much as its schema allows."""
    name, since = "n" * 63, "2026-01-02T03:04:05Z"
    condition = {"type": "ApplicationsHealthy", "status": "Unknown", "reason": "ApplicationsUnhealthy"}
    application = {"name": name, "sync": "OutOfSync", "health": "Degraded", "message": text * 200}
    site = {"name": name, "namespace": name, "state": "Unreachable", "message": text * 300}
    environment = {"name": name, "held": text * 300, "sites": [{**site, "applications": [application] * 10}] * 3}
    gate = {"name": name, "state": "Closed", "digest": f"v1:{'0' * 64}", "waitingFor": [text * 160] * 5}
    digest, spaces = f"v2:{'0' * 64}", [f"{name} on {name}/{name}"] * 10
    removal = {"environment": name, "namespaces": 10**6, "first": spaces, "digest": digest, "waitingFor": [text * 300]}
    return {
        **WORST,
        "summary": {"environments": "40/40", "waitingFor": "project, poa", "next": text * 300},
        "conditions": [
            {**condition, "message": text * 300, "observedGeneration": 10**9, "lastTransitionTime": since}
            for _ in range(9)
        ],
        "nextActions": [{"actor": "service-team", "contact": "c" * 100, "action": text * 300, "since": since}] * 10,
        "gates": [{**gate, "void": [text * 160] * 3} for _ in range(12)],
        "environments": [environment] * 40,
        "checks": [{"id": "WorkloadsDeployed", "message": text * 300, "remedy": text * 300}] * 24,
        "removals": [removal] * 10,
        "plan": {"summary": text * 300, "changes": [text * 300] * 20, "existing": [text * 300] * 5},
    }


def test_the_shares_are_all_of_the_room_and_every_field_has_one() -> None:
    """A field that is added to the status fails here until it has a share, or is counted as fixed."""
    fields = {field.alias or name for name, field in ProjectOnboardingStatus.model_fields.items()}
    assert {share.part for share in SHARES} | NEVER_SHORTENED == fields
    assert sum(share.bytes for share in SHARES) + FIXED_BYTES <= MAX_STATUS_BYTES
    keys = sum(len(f',"{share.part}":') for share in SHARES)
    assert size(WORST) + keys <= FIXED_BYTES


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_status_that_is_full_everywhere_fits_and_no_part_is_above_its_share(text: str) -> None:
    fitting = fit(orjson.loads(orjson.dumps(crowded(text))))
    assert size(fitting) <= MAX_STATUS_BYTES
    for share in SHARES:
        part = orjson.loads(orjson.dumps(crowded(text)))[share.part]
        share.shorten(part, share.bytes)
        assert (share.part, size(part) <= share.bytes) == (share.part, True)
    assert len(fitting["conditions"]) == 9
    assert [gate["name"] for gate in fitting["gates"]] == ["n" * 63] * 12
    assert fitting["nextActions"][0]["actor"] == "service-team"


@pytest.mark.parametrize("share", SHARES, ids=lambda share: share.part)
def test_a_part_within_its_share_is_not_touched_by_what_the_others_hold(share: Any) -> None:
    full = orjson.loads(orjson.dumps(crowded("x")))
    small = {
        "summary": {"environments": "1/1", "next": "x" * 200},
        "plan": {"changes": ["x"]},
        "environments": [{"name": "dev", "sites": [{"name": "a", "namespace": "b", "state": "Ready"}]}],
        "nextActions": [{"actor": "project", "action": "a" * 300}],
        "checks": [{"id": "SizeUnknown", "remedy": "r" * 200, "message": "m" * 200}],
        "gates": [{"name": "live", "state": "Held", "waitingFor": ["w" * 160] * 5}],
        "conditions": [{"type": "Ready", "message": "m" * 300}],
        "removals": [{"environment": "e" * 20, "namespaces": 10, "digest": f"v2:{'0' * 64}", "first": ["shop-dev"]}],
    }[share.part]
    fitting = fit({**full, share.part: orjson.loads(orjson.dumps(small))})
    assert fitting[share.part] == small


@given(st.integers(0, 40), st.integers(0, 24), st.integers(0, 10), st.sampled_from(list(LONG.values())))
def test_any_filling_fits(environments: int, checks: int, actions: int, text: str) -> None:
    full = orjson.loads(orjson.dumps(crowded(text)))
    counts = {"environments": environments, "checks": checks, "nextActions": actions}
    fitting = fit({**full, **{part: full[part][:count] for part, count in counts.items()}})
    assert size(fitting) <= MAX_STATUS_BYTES


def test_what_fits_stays_as_it_is() -> None:
    status = {"observedGeneration": 1, "conditions": [], "checks": [{"id": "a", "message": "b" * 500}]}
    assert fit(orjson.loads(orjson.dumps(status))) == status
