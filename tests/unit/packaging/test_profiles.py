"""A project that does all it has to gets through every gate of every profile; none waits for what is behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.gates import Approval
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.status import Evidence, GateState
from onboarding.api.target import HostingTargetSpec
from onboarding.build.kinds import APPLICATION, NAMESPACE, ObjectKey
from onboarding.build.place import cluster_of
from onboarding.checks import probe
from onboarding.checks.catalogue import BY_ID, GATED, OF_RUNNING
from onboarding.checks.journey import gate_of, gates_before
from onboarding.reconcile.observed.cached_object import told_of
from onboarding.reconcile.observed.policy_rules import policy_problems
from onboarding.reconcile.observed.snapshot import ClusterState, Snapshot
from onboarding.reconcile.observed.target_rules import clashes, stage_problems, target_problems
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.running import GOOD, WEB, answered
from tests.unit.snapshots import GIT, NOW, built, decided, environment, snapshot_of, told, with_status

PROFILES = Path(__file__).parents[3] / "manifests/profiles"
NAMES = sorted(path.name for path in PROFILES.iterdir())
COMMIT = "c0ffee" + 34 * "0"
FOREVER = "2030-01-01T00:00:00Z"


@dataclass(frozen=True)
class Profile:
    """A policy and its targets."""

    policy: OnboardingPolicySpec
    targets: dict[str, HostingTargetSpec] = field(default_factory=dict)


def profile(name: str) -> Profile:
    documents = [yaml.safe_load(path.read_text()) for path in sorted((PROFILES / name).glob("*.yaml"))]
    of_kind: dict[str, dict[str, Any]] = {"OnboardingPolicy": {}, "HostingTarget": {}}
    for document in documents:
        if document["kind"] in of_kind:
            of_kind[document["kind"]][document["metadata"]["name"]] = document["spec"]
    (policy,) = of_kind["OnboardingPolicy"].values()
    targets = {key: HostingTargetSpec.model_validate(spec) for key, spec in of_kind["HostingTarget"].items()}
    return Profile(OnboardingPolicySpec.model_validate(policy), targets)


@pytest.fixture(params=NAMES)
def given(request: pytest.FixtureRequest) -> Profile:
    return profile(request.param)


def places(given: Profile) -> list[tuple[str, str]]:
    """Return every stage on every target that takes it."""
    return [
        (stage.name, name)
        for stage in given.policy.stages
        for name, target in given.targets.items()
        if not target.stages or stage.name in target.stages
    ]


def test_a_profile_has_no_problems(given: Profile) -> None:
    assert policy_problems(given.policy) == ()
    elders: dict[str, HostingTargetSpec] = {}
    for name, target in given.targets.items():
        problems = (
            *target_problems(target),
            *stage_problems(target, {stage.name for stage in given.policy.stages}),
            *clashes(target, elders),
        )
        assert problems == (), name
        elders[name] = target


def test_every_place_has_a_gate(given: Profile) -> None:
    assert places(given)
    for stage, target in places(given):
        assert gate_of(given.policy, stage, target), (stage, target)
    assert {stage.default_target for stage in given.policy.stages} <= given.targets.keys()


def test_every_check_of_a_profile_exists_and_can_be_put_at_a_gate(given: Profile) -> None:
    assert {rule.id for rule in given.policy.checks} <= {check.id for check in GATED}
    assert {check for override in given.policy.overrides for check in override.checks} <= BY_ID.keys()


def test_the_profile_of_cloud_pi_has_every_check_and_ignores_none() -> None:
    policy = profile("cloud-pi-native").policy
    assert {check.id for check in GATED} == {rule.id for rule in policy.checks}
    assert "Ignored" not in {item.severity for item in (*policy.checks, *policy.overrides)}


def test_a_check_of_what_runs_has_a_gate_before_its_own_that_lets_something_in(given: Profile) -> None:
    running = {check.id for check in OF_RUNNING}
    for rule in given.policy.checks:
        if rule.id in running:
            assert any(gate.opens for gate in gates_before(given.policy, rule.gate)), rule.id


def chosen(given: Profile) -> list[dict[str, Any]]:
    """Return an environment for each gate on each of its targets, with whatever a check may look at."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for stage, name in places(given):
        gate = gate_of(given.policy, stage, name)
        assert gate is not None
        rule = next(iter(given.targets[name].domains), None)
        suffix, exposure = (rule.suffix, rule.exposure) if rule else ("example.org", None)
        fields = {
            "stage": stage,
            "target": name,
            "domains": [f"{len(found)}.{suffix}"],
            "exposures": [exposure] if exposure else [],
            "healthPath": "/health",
        }
        found.setdefault((gate.name, name), environment(f"e{len(found)}", **fields))
    return list(found.values())


def flows(given: Profile) -> list[dict[str, Any]]:
    """Return a flow from each environment to each zone of its target."""
    zones = (
        (item["name"], zone.name) for item in chosen(given) for zone in given.targets[item["target"]].network.zones
    )
    return [
        {"name": f"f{number}", "zone": zone, "port": 443, "environments": [name], "justification": "needed"}
        for number, (name, zone) in enumerate(zones)
    ]


def project(given: Profile) -> ProjectOnboardingSpec:
    """Return a project that declares everything from the first day."""
    person = {"name": "Ada", "email": "ada@example.org"}
    poa = {"name": "Cy", "email": "cy@example.org"}
    team = {
        "groups": {persona.name: [f"shop-{persona.name}"] for persona in given.policy.personas},
        "people": [{**person, "roles": ["development", "operations", "test"], "affiliation": "Internal"}],
        "poa": poa,
    }
    return ProjectOnboardingSpec.model_validate(
        {
            "owner": person,
            "classification": {"zone": "NP"},
            "sponsor": poa,
            "objectives": ["serve"],
            "organisation": {"name": "Shops"},
            "team": team,
            "repositories": [{"name": "app", "url": GIT, "revision": COMMIT}],
            "environments": chosen(given),
            "flows": flows(given),
        }
    )


@dataclass
class Outside:
    """The outside world: it tells of a project what is there, and of an environment nothing before it is in place."""

    snapshot: Snapshot
    labels: Mapping[str, str]
    asked_too_early: list[probe.Request[Any]] = field(default_factory=list)

    def get(self, request: probe.Request[Any], /) -> probe.Answer[Any] | None:
        facts = self.of_project(request) or self.of_what_runs(request)
        if facts is None:
            self.asked_too_early.append(request)
        return facts and answered(facts)

    def of_project(self, request: probe.Request[Any]) -> Any:
        match request:
            case probe.RepositoryRequest():
                return probe.RepositoryFacts(found=True, commit="c0ffee", path_found=True)
            case probe.GroupRequest():
                return probe.GroupFacts(found=True)
            case probe.ImageRequest():
                return probe.ImageFacts(found=True, platforms=("linux/amd64",))
        return None

    def of_what_runs(self, request: probe.Request[Any]) -> Any:
        assert self.snapshot.project.spec is not None
        namespaces = {key: item.environment for key, item in self.snapshot.live.items() if key.kind is NAMESPACE}
        environments = self.snapshot.project.spec.environments
        hosts = {host for item in environments if item.name in namespaces.values() for host in item.domains}
        match request:
            case probe.WorkloadsRequest(cluster, name) if ObjectKey(cluster, NAMESPACE, "", name) in namespaces:
                return replace(GOOD, workloads=(replace(WEB, labels=self.labels),))
            case probe.DnsRequest(host) if host in hosts:
                return probe.DnsFacts(("192.0.2.1",))
            case probe.CertificateRequest(host) if host in hosts:
                return probe.CertificateFacts((host,), True, NOW.replace(year=NOW.year + 1), True)
            case probe.EndpointRequest(url) if url.split("/")[2] in hosts:
                return probe.EndpointFacts(200)
        return None


@dataclass
class Walk:
    """A project on its way: everybody does what the status asks of them, as soon as it does and never sooner."""

    given: Profile
    snapshot: Snapshot
    opened: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, given: Profile) -> "Walk":
        clusters = {cluster_of(site): ClusterState() for item in given.targets.values() for site in item.sites}
        fields = {"policy": given.policy, "targets": given.targets, "clusters": {"hub": ClusterState(), **clusters}}
        return cls(given, snapshot_of(project(given), **fields))

    def step(self) -> dict[str, Any]:
        """Make a pass and all that follows from it; return the status."""
        outside = Outside(self.snapshot, dict.fromkeys(self.given.policy.workloads.labels, "x"))
        seen = replace(self.snapshot, answers=outside)
        status = told(seen)
        assert outside.asked_too_early == []
        healthy = {"sync": {"status": "Synced", "revision": "c0ffee"}, "health": {"status": "Healthy"}}
        live = {
            key: item._replace(told=told_of(APPLICATION, healthy)) if key.kind is APPLICATION else item
            for key, item in built(seen).items()
        }
        decisions = (*self.snapshot.decisions, *self.decide(status))
        self.snapshot = with_status(self.snapshot, status, live=live, decisions=decisions)
        self.opened = [gate["name"] for gate in status["gates"] if gate["state"] == GateState.OPEN]
        return status

    def decide(self, status: dict[str, Any]) -> Any:
        """Return the decisions that the next gate, and environments at open ones, wait for, with the digests shown."""
        known = {(gate.name, item.name): item for gate in self.given.policy.gates for item in gate.approvals}
        for gate in (gate for gate in status["gates"] if gate["state"] != GateState.CLOSED):
            for item in gate.get("approvals", ()):
                named = {"gate": gate["name"], "approval": item["name"], "environment": item["environment"]}
                yield _approval(known[gate["name"], item["name"]], **named, digest=item["digest"])
        held = next((gate for gate in status["gates"] if gate["state"] == GateState.HELD), None)
        if held is None:
            return
        gate = next(gate for gate in self.given.policy.gates if gate.name == held["name"])
        for approval in gate.approvals if "digest" in held else ():
            named = {"gate": gate.name, "approval": approval.name, "digest": held["digest"]}
            yield _approval(approval, **named)
        for item in status.get("checks", ()):
            if item["gate"] == gate.name and item["evidence"] == Evidence.ATTESTED:
                named = {"check": item["id"], "digest": item["digest"], "expires": FOREVER}
                yield decided("Attest", item["nextActor"], **named)


def _approval(asked: Approval, **named: str) -> OnboardingDecisionSpec:
    groups = [f"shop-{asked.persona}"] if asked.persona else []
    return decided("Approve", asked.actor, groups=groups, **named)


def test_a_project_that_does_all_it_has_to_walks_through_every_gate(given: Profile) -> None:
    walk = Walk.of(given)
    gate_results = [gate.name for gate in given.policy.gates]
    place = {name: index for index, name in enumerate(gate_results)}
    before: list[str] = []
    for _ in range(4 * len(gate_results)):
        status = walk.step()
        there = {item.environment for key, item in walk.snapshot.live.items() if key.kind is NAMESPACE}
        behind = {item["name"]: place[item["gate"]] for item in status["environments"]}
        assert walk.opened == gate_results[: len(walk.opened)]
        assert walk.opened[: len(before)] == before
        assert {behind[name] for name in there} <= set(range(len(walk.opened)))
        before = walk.opened
        if walk.opened == gate_results and told(walk.snapshot) == status:
            break
    assert walk.opened == gate_results
    assert status["stage"] == gate_results[-1]
    assert {item["name"] for item in status["environments"] if item["sites"]} == set(behind)
    assert status["summary"]["next"] == "nothing to do"
    assert "checks" not in status


def test_a_project_of_nothing_but_a_name_is_told_who_has_to_act_at_every_step(given: Profile) -> None:
    bare = ProjectOnboardingSpec.model_validate({"owner": {"name": "Ada", "email": "ada@example.org"}})
    walk = Walk.of(given)
    snapshot = replace(walk.snapshot, project=replace(walk.snapshot.project, spec=bare))
    status = told(snapshot)
    assert make_plan(snapshot).building == ()
    held = [gate for gate in status["gates"] if gate["state"] == GateState.HELD]
    assert bool(held) == bool(status.get("nextActions"))
    if held:
        assert held[0]["waitingFor"]
        assert status["nextActions"][0]["action"].startswith(held[0]["waitingFor"][0])
