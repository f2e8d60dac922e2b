"""Somebody who ever belonged to a project does not decide about it, and a record with a gap says that it has one."""

from dataclasses import replace
from typing import Any

import pytest

from onboarding import names
from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.build.kinds import HUB
from onboarding.reconcile.gates.decisions import Decisions, count
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.gates.record import Record
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.situations import status_of
from tests.unit.snapshots import (
    CLUSTERS,
    NOW,
    approved,
    decided,
    environment,
    live_of_spec,
    policy_of,
    snapshot_of,
    spec_of,
)

PERSONAS = [
    {"name": "admin", "clusterRole": "onboarding:admin"},
    {"name": "poa", "clusterRole": "onboarding:viewer", "argocd": ["get"], "decides": True},
]
GATES = (
    {"name": "build", "opens": [{"stages": ["dev"]}]},
    {"name": "live", "opens": [{"stages": ["prod"]}], "approvals": [{"name": "visa", "actor": "poa"}]},
)
POLICY = policy_of(*GATES, personas=PERSONAS)
SPEC = spec_of(environment(), environment("prod", stage="prod"))
LINES = (
    "author:mia",
    "author:oidc:kai@example.org",
    "creator:cleo",
    "delivery:system:serviceaccount:argocd:argocd-application-controller",
    "group:admin:oidc:team-a",
    "group:admin:shared",
    "group:gone:old-hands",
    "group:poa:pilots",
    "group:poa:shared",
    "person:bo.li@example.org",
    "person:zoe@example.org z.oe 1",
)


def record(*lines: str, generation: int = 3, kept: bool = True) -> Record:
    return Record.of("\n".join((f"generation:{generation}", *lines)), 3, kept=kept)


def counted(decision: OnboardingDecisionSpec, found: Record, policy: OnboardingPolicySpec = POLICY) -> Decisions:
    return count([decision], SPEC, policy, Digests(SPEC, policy), NOW, found)


INSIDERS: dict[str, tuple[dict[str, Any], str]] = {
    "the creator": ({"by": "cleo"}, "its author created this project: somebody else must decide"),
    "the creator in capitals": ({"by": "CLEO"}, "its author created this project"),
    "the creator in wide letters": ({"by": "\uff43leo"}, "its author created this project"),
    "an author": ({"by": "mia"}, "its author changed this project's spec"),
    "an author whose name has a colon": ({"by": "oidc:kai@example.org"}, "its author changed this project's spec"),
    "an account that applies it": (
        {"by": "system:serviceaccount:argocd:argocd-application-controller"},
        "its author applied this project's spec",
    ),
    "a person of before": ({"by": "Bo.Li@example.org"}, "its author was named by the project (bo.li@example.org)"),
    "a person of before by mail": ({"by": "zoe@example.org"}, "its author was named by the project (zoe@example.org)"),
    "a person of before by user name": ({"by": "z.oe 1"}, "its author was named by the project (zoe@example.org)"),
    "a group of before": ({"groups": ["oidc:team-a"]}, "its author is in group oidc:team-a, once named as admin"),
    "a group of before without its prefix": ({"groups": ["team-a"]}, "is in group oidc:team-a, once named as admin"),
    "a group that decided and built": ({"groups": ["shared"]}, "its author is in group shared, once named as admin"),
    "a group of an unknown persona": ({"groups": ["old-hands"]}, "is in group old-hands, once named as gone"),
}


@pytest.mark.parametrize(("by", "reason"), INSIDERS.values(), ids=INSIDERS)
def test_an_approval_of_somebody_who_ever_belonged_to_the_project_is_void(by: dict[str, Any], reason: str) -> None:
    (decision,) = approved(SPEC, POLICY, "live", "visa", **by)
    assert counted(decision, Record()).void == [], "only the record tells"
    ((void, told),) = counted(decision, record(*LINES)).void
    assert (void, reason in told) == (decision, True), told


@pytest.mark.parametrize("kind", ["Suspend", "Reject"])
def test_who_ever_belonged_to_the_project_may_hold_it(kind: str) -> None:
    fields = {"gate": "live", "approval": "visa"} if kind == "Reject" else {}
    assert counted(decided(kind, "cleo", **fields), record(*LINES)).void == []


OUTSIDERS: dict[str, dict[str, Any]] = {
    "somebody else": {"by": "pat"},
    "a group that only ever decided": {"groups": ["pilots"]},
    "a user named like a group": {"by": "oidc:team-a"},
    "a user named like a persona and a group": {"by": "admin:shared"},
    "a group named like a user": {"groups": ["cleo"]},
    "half a user name": {"by": "z.oe"},
}


@pytest.mark.parametrize("by", OUTSIDERS.values(), ids=OUTSIDERS)
def test_an_approval_of_somebody_who_never_did_counts(by: dict[str, Any]) -> None:
    (decision,) = approved(SPEC, POLICY, "live", "visa", **by)
    assert counted(decision, record(*LINES)).void == []


def test_the_present_policy_says_which_personas_decide() -> None:
    builds = policy_of(*GATES, personas=[{**persona, "decides": False} for persona in PERSONAS])
    (decision,) = approved(SPEC, builds, "live", "visa", groups=["pilots"])
    ((_, reason),) = counted(decision, record(*LINES), builds).void
    assert "its author is in group pilots, once named as poa" in reason


def test_a_line_break_in_a_name_begins_no_line() -> None:
    found = record("creator:cleo%0Aperson:boss@example.org", "author:100%25%0A", "author:a%250Ab")
    assert found.authors.keys() == {"cleo\nperson:boss@example.org", "100%\n", "a%0Ab"}
    assert found.people == ()


BEGUN = "creator:cleo"
UNKNOWN: dict[str, tuple[str, bool, str]] = {
    "complete": (f"generation:3\n{BEGUN}", True, ""),
    "forgeable": (f"generation:3\n{BEGUN}", False, f"the admission policy {names.INSIDERS_POLICY} is not in force"),
    "absent": ("", True, "nobody has recorded them"),
    "of another generation": (f"generation:2\n{BEGUN}", True, "the spec was written, or changed, without a record"),
    "of a later generation": (f"generation:30\n{BEGUN}", True, "the spec was written, or changed, without a record"),
    "without a generation": (BEGUN, True, "the spec was written, or changed, without a record"),
    "with a gap": (f"generation:3\n{BEGUN}\nunrecorded:", True, "the spec was written, or changed, without a record"),
    "begun by a change": ("generation:3\nauthor:mia\nunrecorded:", True, "without a record"),
    "without a creator": ("generation:3\nauthor:mia", True, "the creator is not recorded"),
    "applied by an account": (f"generation:3\n{BEGUN}\ndelivery:argo", True, "argo applies what others wrote"),
    "of a later version": (f"generation:3\n{BEGUN}\nrobot:x", True, "a line that this operator does not know"),
    "with an empty line": (f"generation:3\n{BEGUN}\n", True, "a line that this operator does not know"),
}


@pytest.mark.parametrize(("text", "kept", "reason"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_record_that_may_lack_somebody_says_why(text: str, kept: bool, reason: str) -> None:
    found = Record.of(text, 3, kept=kept)
    assert reason in found.unknown if reason else not found.unknown
    assert ("cleo" in found.authors) is (BEGUN in text.split("\n")[1:]), "who is recorded is out in any case"


def world(text: str = "", *, kept: bool = True, **policy: Any) -> Snapshot:
    """Return a project whose production waits for an approval, with this annotation."""
    hub = replace(CLUSTERS[HUB], insiders_kept=kept)
    rules = policy_of(*GATES, personas=PERSONAS, **policy)
    found = snapshot_of(SPEC, live_of_spec(spec_of(environment())), policy=rules, clusters={**CLUSTERS, HUB: hub})
    return replace(found, project=replace(found.project, insiders=text))


def gate(snapshot: Snapshot, name: str = "live") -> dict[str, Any]:
    return next(item for item in status_of(snapshot)["gates"] if item["name"] == name)


def with_approval(snapshot: Snapshot) -> Snapshot:
    assert snapshot.policy
    return replace(snapshot, decisions=approved(SPEC, snapshot.policy, "live", "visa"))


HELD = "authors unknown: nobody has recorded them"


def test_unknown_authors_hold_no_gate_and_are_shown_while_it_waits_for_an_approval() -> None:
    assert gate(world())["authorsUnknown"] == "nobody has recorded them"
    assert "authorsUnknown" not in gate(world(), "build"), "it demands no approval"
    assert "authorsUnknown" not in gate(world(f"generation:3\n{BEGUN}"))
    opened = gate(with_approval(world()))
    assert (opened["state"], opened.get("authorsUnknown")) == ("Open", None)


def test_unknown_authors_hold_a_gate_with_approvals_if_the_policy_says_so() -> None:
    held = with_approval(world(unknownAuthors="Hold"))
    assert (gate(held)["state"], gate(held)["waitingFor"]) == ("Held", [HELD])
    assert "authorsUnknown" not in gate(held), "it is said once"
    (action,) = [item for item in status_of(held)["nextActions"] if HELD in item["action"]]
    assert (action["actor"], names.ANNOTATION_INSIDERS in action["action"]) == ("platform", True)
    assert gate(held, "build")["state"] == "Open"
    known = with_approval(world(f"generation:3\n{BEGUN}", unknownAuthors="Hold"))
    assert gate(known)["state"] == "Open"
    forgeable = with_approval(world(f"generation:3\n{BEGUN}", kept=False, unknownAuthors="Hold"))
    assert gate(forgeable)["state"] == "Held"


def test_the_creator_opens_nothing_and_the_status_says_why() -> None:
    snapshot = world(f"generation:3\n{BEGUN}")
    assert snapshot.policy
    decisions = approved(SPEC, snapshot.policy, "live", "visa", by="cleo")
    found = gate(replace(snapshot, decisions=decisions))
    assert found["state"] == "Held"
    assert found["void"] == ["Approve live/visa by cleo: its author created this project: somebody else must decide"]


def test_without_a_hub_nobody_knows_who_wrote_the_spec() -> None:
    plan = make_plan(replace(world(f"generation:3\n{BEGUN}"), clusters={}))
    assert "is not in force" in plan.decisions.approvals.unknown_authors


def test_the_cache_keeps_the_annotation_and_no_other() -> None:
    cache = ProjectCache()
    metadata = {"name": "shop", "uid": "u", "generation": 3, "resourceVersion": "7"}
    spec = {"owner": {"name": "Ada", "email": "ada@example.org"}}
    annotations = {names.ANNOTATION_INSIDERS: f"generation:3\n{BEGUN}", "big": "x" * 9}
    cache.put_project({"metadata": {**metadata, "annotations": annotations}, "spec": spec})
    found = cache.project("shop")
    assert found
    assert found.insiders == f"generation:3\n{BEGUN}"
    assert b"xxx" not in cache._projects["shop"]
    cache.put_project({"metadata": {**metadata, "resourceVersion": "8"}, "spec": spec})
    found = cache.project("shop")
    assert found
    assert found.insiders == ""
