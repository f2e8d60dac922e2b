"""Ways around an approval of production: by what its digest left out, what was not kept, or what a mixture made."""

from hashlib import sha256

import pytest

from onboarding.api.gates import Coverage
from onboarding.api.personas import ArgoAction, Persona, Right
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.checks.catalogue import GATED
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.reconcile.admission.test_covered import (
    ADMISSION,
    APP,
    BASE,
    BEFORE,
    CHANGES,
    CONFIGURATION,
    COVERS,
    GIT,
    ONE,
    PROD,
    RELEASE,
    approve,
    changes,
    declared,
    policy,
    snapshot,
    values,
)
from tests.unit.situations import status_of
from tests.unit.snapshots import approved, built, decided, spec_of

ALL = COVERS[3]


def with_peers(*peers: str, by: str = "prod") -> ProjectOnboardingSpec:
    """Return the project with a flow from other environments to production, or to another one."""
    others = [{"name": name, "stage": "dev", "target": "twin", "sites": ["a"]} for name in ("dev", "test", "more")]
    api = {"name": "api", "environment": by, "environments": [*peers], "port": 8080, "justification": "Calls"}
    spec = declared(PROD, **{**BEFORE, "flows": [api]})
    return spec.model_copy(update={"environments": (*spec.environments, *spec_of(*others).environments)})


def test_another_environment_that_reaches_production_waits_for_its_approval() -> None:
    first = approve(with_peers("dev"), ALL)
    live = built(snapshot(with_peers("dev"), ALL, *first))
    plan = make_plan(snapshot(with_peers("dev", "test"), ALL, *first, live=live))
    (flow,) = plan.by_name["prod"].revisions[0].flows
    assert (set(flow.peers), changes(plan)) == ({"dev"}, ["Configuration"])
    elsewhere = with_peers("dev", by="more")
    live = built(snapshot(elsewhere, ALL, *approve(elsewhere, ALL)))
    assert changes(make_plan(snapshot(with_peers("dev", "test", by="more"), ALL, live=live))) == []


def reading(check: str, *covers: Coverage) -> OnboardingPolicySpec:
    """Return the policy with a check at the gate of production that warns."""
    rule = {"id": check, "gate": "live", "severity": "Warning"}
    plain = policy(*covers).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return OnboardingPolicySpec.model_validate({**plain, "checks": [rule]})


@pytest.mark.parametrize("name", [name for name, change in CHANGES.items() if change.built])
@pytest.mark.parametrize("check", [check.id for check in GATED if check.reads])
def test_what_is_said_to_wait_for_what_a_check_reads_keeps_its_admitted_value(check: str, name: str) -> None:
    reads = reading(check, ADMISSION)
    first = approved(BASE, reads, "live", "poa")
    live = built(snapshot(BASE, (ADMISSION,), *first, policy=reads))
    before = snapshot(BASE, (ADMISSION,), *first, policy=reads, live=live)
    plan = make_plan(snapshot(CHANGES[name].spec, (ADMISSION,), *first, policy=reads, live=live))
    assert bool(changes(plan)) is (values(plan) == values(make_plan(before)))


def test_the_digest_of_a_former_release_approves_no_single_environment() -> None:
    """It holds what checks read, so that every revision would be approved for ever."""
    spec, given = CHANGES["repositories.revision"].spec, approve(BASE, ALL)
    live = built(snapshot(BASE, ALL, *given))
    replayed = decided(
        "Approve", gate="live", approval="poa", environment="prod", digest=f"v1:{sha256(b'{}').hexdigest()}"
    )
    assert Digests(spec, policy(*ALL)).former_at_gate("live", replayed.digest)
    plan = make_plan(snapshot(spec, ALL, *given, replayed, live=live))
    assert changes(plan) == ["Release"]
    assert any(decision is replayed for decision, _ in plan.decisions.void)


def test_rights_that_the_policy_takes_away_go_while_a_change_of_the_groups_waits() -> None:
    first = approve(BASE, ALL)
    live = built(snapshot(BASE, ALL, *first))
    plain = policy(*ALL)
    admin, poa = plain.personas
    less = admin.model_copy(update={"cluster_role": "onboarding:viewer", "argocd": (ArgoAction.GET,)})
    none = Persona(name="admin", rights=(Right(stages=("dev",), argocd=(ArgoAction.GET,)),))
    waits = CHANGES["team.groups"].spec
    for persona, left in ((less, [("admin", "onboarding:viewer")]), (none, [])):
        narrowed = plain.model_copy(update={"personas": (persona, poa)})
        (revision,) = make_plan(snapshot(waits, ALL, *first, live=live, policy=narrowed)).building
        assert [(item.persona, item.cluster_role) for item in revision.bindings if item.persona != "poa"] == left
        assert all("more" not in item.groups for item in revision.bindings)


def test_a_repository_is_built_as_a_whole_if_its_parts_do_not_fit_together() -> None:
    chart = {"name": "app", "url": f"{GIT}/charts", "chart": "web", "revision": "1.2.3"}
    lent = [{"name": name, "url": f"{GIT}/{name}.git", "revision": ONE, "deploys": False} for name in ("one", "two")]
    one, two = ({**APP, "helm": {"valueFiles": ["a.yaml"], "valuesRepository": name}} for name in ("one", "two"))
    for before, after in (([APP], [chart]), ([chart], [APP]), ([one, *lent], [two, *lent])):
        for covers in ((CONFIGURATION,), (RELEASE,)):
            old, new = (declared(PROD, **{**BEFORE, "repositories": item}) for item in (before, after))
            live = built(snapshot(old, covers, *approve(old, covers)))
            (revision,) = make_plan(snapshot(new, covers, *approve(old, covers), live=live)).building
            assert revision.repositories[0] == old.repositories[0]
            assert {item.values_from for item in revision.repositories} - {""} == {
                item.name for item in revision.value_repositories
            }


def test_what_looks_like_the_hash_of_something_else_is_not_taken_for_it() -> None:
    many = [{"name": f"app-{number}", "url": f"{GIT}/app.git", "path": "a" * 40} for number in range(9)]
    spec = declared(PROD, **{**BEFORE, "repositories": many})
    path = "repositories.path"
    (hashed,) = Digests(spec, policy()).of_environment(policy().gates[0], spec.environments[0])[RELEASE][path].values()
    same = declared(PROD, **{**BEFORE, "repositories": [{"name": "sha256", "url": f"{GIT}/app.git", "path": hashed}]})
    fields = Digests(same, policy()).of_environment(policy().gates[0], same.environments[0])[RELEASE]
    assert fields[path] != {"sha256": hashed}


def test_nobody_is_asked_to_approve_what_is_refused() -> None:
    first = approve(BASE, ALL)
    live = built(snapshot(BASE, ALL, *first))
    refused = snapshot(declared({**PROD, "size": "huge"}, **BEFORE), ALL, *first, live=live)
    assert [item["actor"] for item in status_of(refused)["nextActions"]] == ["project"]


def test_a_rejection_of_an_environment_that_is_not_there_says_so() -> None:
    """It would hold nothing without a word; as soon as the environment is declared it counts."""
    larger = CHANGES["environments.size"].spec
    given = (*approve(BASE, ALL), *approve(larger, ALL))
    live = built(snapshot(BASE, ALL, *given))
    for name, reason in (
        ("prod", None),
        ("prd", "gate live opens no environment prd of the project: name one of prod"),
    ):
        rejection = decided("Reject", gate="live", approval="poa", environment=name)
        plan = make_plan(snapshot(larger, ALL, *given, rejection, live=live))
        assert {item.environment: why for item, why in plan.decisions.void}.get(name) == reason
        assert (plan.held.keys() == {"prod"}) is (reason is None)
