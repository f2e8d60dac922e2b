"""Attacks with decisions that have ended, or that are about something else: each changes nothing and says why."""

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
import pytest

from onboarding import names
from onboarding.api.target import HostingTargetSpec
from onboarding.build.kinds import NAMESPACE, ObjectKey
from onboarding.reconcile.gates.confirmations import digest_of
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.dated import DatedDecision
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import (
    confirm_delete,
    decided,
    environment,
    live_of_spec,
    policy_of,
    snapshot_of,
    spec_of,
    told,
    with_status,
)

Live = dict[ObjectKey, CachedObject]
DEV, TEST = environment(), environment("test")
BOTH = spec_of(DEV, TEST, deletionPolicy="Delete")
FOREVER = "2999-01-01T00:00:00Z"


def spaces(live: Live, *names_: str) -> Live:
    return {key: item for key, item in live.items() if key.kind is NAMESPACE and item.environment in names_}


LIVE = live_of_spec(BOTH)
OF_ALL, OF_TEST = digest_of(spaces(LIVE, "dev", "test")), digest_of(spaces(LIVE, "test"))


def again(live: Live) -> Live:
    """Return what is in place after somebody has declared an environment a second time."""
    return {
        key: item._replace(uid=f"{item.uid}-2", created="2026-01-02T01:00:00Z") if key.kind is NAMESPACE else item
        for key, item in live.items()
    }


def marked(live: Live, mark: Callable[[CachedObject], str]) -> Live:
    """Return what is in place after somebody with a bypass of the guard rails has written a mark."""
    found = dict(live)
    for key, item in spaces(live, "dev", "test").items():
        content = orjson.loads(item.content)
        content["metadata"]["annotations"][names.ANNOTATION_CONFIRMED] = mark(item)
        found[key] = item._replace(content=orjson.dumps(content, option=orjson.OPT_SORT_KEYS))
    return found


class Deletion(NamedTuple):
    """A deletion that nobody has confirmed."""

    decisions: tuple[DatedDecision, ...]
    live: Live = LIVE
    words: str = "its digest is that of other namespaces"


DELETIONS = {
    "replay of a spent confirmation": Deletion((confirm_delete(digest=OF_ALL),), again(LIVE)),
    "a confirmation of before, without a digest": Deletion((confirm_delete(),), again(LIVE), "waits for"),
    "one environment's for the project": Deletion((confirm_delete("test", digest=OF_TEST),), words="waits for"),
    "one environment's digest, without its name": Deletion((confirm_delete(digest=OF_TEST),)),
    "two halves for the whole": Deletion(
        tuple(confirm_delete(digest=digest_of(spaces(LIVE, name))) for name in ("dev", "test"))
    ),
    "a digest of nothing": Deletion((confirm_delete(digest=digest_of({})),)),
    "a mark without a decision": Deletion((), marked(LIVE, lambda item: f"{OF_ALL}/{item.uid}"), "waits for"),
    "the mark of another namespace": Deletion(
        (confirm_delete(digest=OF_ALL),), marked(again(LIVE), lambda item: f"{OF_ALL}/{item.uid.removesuffix('-2')}")
    ),
    "by an administrator of the project": Deletion(
        (confirm_delete(digest=OF_ALL, groups=["shop-admins"]),), words="in group shop-admins of the project"
    ),
    "by its owner in capitals": Deletion(
        (confirm_delete(digest=OF_ALL, by="ADA@EXAMPLE.ORG"),), words="its author belongs to the project"
    ),
}


@pytest.mark.parametrize("attack", DELETIONS.values(), ids=DELETIONS)
def test_nothing_is_deleted_that_nobody_has_confirmed(attack: Deletion) -> None:
    plan = make_plan(snapshot_of(BOTH, attack.live, deleting=True, decisions=attack.decisions))
    assert (plan.removing, plan.marking) == (frozenset(), False)
    assert attack.words in plan.awaiting


def test_the_confirmation_that_they_lack_lets_everything_go() -> None:
    plan = make_plan(snapshot_of(BOTH, LIVE, deleting=True, decisions=(confirm_delete(digest=OF_ALL),)))
    assert (plan.removing, plan.awaiting) == ({"dev", "test"}, "")


GATES = ({"name": "build", "opens": [{"stages": ["dev"]}]}, {"name": "live", "opens": [{"stages": ["prod"]}]})
CHECKS = [
    {"id": "SponsorNamed", "gate": "build"},
    {"id": "DomainAllowed", "gate": "build"},
    {"id": "RunAcknowledged", "gate": "build"},
]
POLICY = policy_of(
    *GATES,
    checks=CHECKS,
    decisions={"maximumWaiverDays": 1, "maximumAttestationDays": 1},
)
SPEC = spec_of({**DEV, "domains": ["bad.com"]}, {**TEST, "domains": ["bad.com"]})
TARGETS = {"main": HostingTargetSpec.model_validate({"sites": [{"name": "a"}], "domains": [{"suffix": "good.org"}]})}
SEEN = Digests(SPEC, POLICY).of_check("RunAcknowledged")
LONG_AGO, TODAY = "2025-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
UNDUE: dict[str, tuple[DatedDecision, str]] = {
    "a waiver that never ends": (
        decided("Waive", check="SponsorNamed", created=LONG_AGO, expires=FOREVER),
        "by spec.decisions.maximumWaiverDays of the policy",
    ),
    "an attestation that never ends": (
        decided("Attest", check="RunAcknowledged", digest=SEEN, created=LONG_AGO, expires=FOREVER),
        "by spec.decisions.maximumAttestationDays of the policy",
    ),
    "an attestation of one environment for all": (
        decided("Attest", check="RunAcknowledged", digest=SEEN, environment="dev", created=TODAY, expires=FOREVER),
        "an attestation is about the whole project",
    ),
    "a waiver of one environment for the project": (
        decided("Waive", check="SponsorNamed", environment="dev", created=TODAY, expires=FOREVER),
        "is a check of the whole project",
    ),
    "a waiver of an environment that does not exist": (
        decided("Waive", check="DomainAllowed", environment="prod", created=TODAY, expires=FOREVER),
        "the project has no environment prod",
    ),
}


def world(*decisions: DatedDecision, **fields: Any) -> Snapshot:
    return snapshot_of(SPEC, policy=POLICY, targets=TARGETS, decisions=decisions, **fields)


@pytest.mark.parametrize(("decision", "words"), UNDUE.values(), ids=UNDUE)
def test_what_has_ended_or_is_about_something_else_passes_no_check(decision: DatedDecision, words: str) -> None:
    before, after = told(world()), told(world(decision))
    (shown,) = {item["remedy"] for item in after["checks"] if item["id"] == decision.check}
    assert words in shown
    assert [gate["state"] for gate in after["gates"]] == [gate["state"] for gate in before["gates"]]


def test_a_waiver_of_one_environment_opens_no_other() -> None:
    given = (
        *(
            decided("Waive", check=check, created=TODAY, expires=FOREVER)
            for check in ("SponsorNamed", "RunAcknowledged")
        ),
        decided("Waive", check="DomainAllowed", environment="dev", created=TODAY, expires=FOREVER),
    )
    plan = make_plan(world(*given))
    assert {revision.environment for revision in plan.building} == {"dev"}
    assert plan.held.keys() == {"test"}


def test_a_status_that_says_that_it_is_confirmed_confirms_nothing() -> None:
    """The project's status can be written by whoever holds the right to it; nothing in it is a proof."""
    forged = {"removals": [{"namespaces": 2, "digest": OF_ALL}], "observedGeneration": 3}
    snapshot = with_status(snapshot_of(BOTH, LIVE, deleting=True), forged)
    assert make_plan(snapshot).removing == frozenset()
