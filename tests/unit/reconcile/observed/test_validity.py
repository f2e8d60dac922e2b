"""What is wrong with a policy is found field by field, told with its remedy, and written once."""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from onboarding.api.conditions import Reason
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.target import HostingTargetSpec
from onboarding.reconcile.observed.persona_rules import role_problems, roles_of
from onboarding.reconcile.observed.policy_rules import policy_problems
from onboarding.reconcile.observed.target_rules import clashes, stage_problems, target_problems
from onboarding.reconcile.observed.validity import Problem, RoleState, Validity, status_due, summarize, unreadable
from tests.support.conditions import flux_problems, kstatus
from tests.unit.snapshots import NOW, POLICY

PROFILES = Path(__file__).parents[4] / "manifests/profiles"
LOOKUP = {"kind": "Lookup", "url": "https://id.example.org/groups?name={group}"}
SCIM = {"url": "https://id.example.org/scim/v2"}
AMOUNTS = {"cpu": "50m", "memory": "64Mi", "ephemeralStorage": "1Mi"}


def spec() -> dict[str, Any]:
    return deepcopy(POLICY.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def problems(change: Callable[[dict[str, Any]], object]) -> tuple[Problem, ...]:
    """Return what is found in a good policy after one change."""
    changed = spec()
    change(changed)
    return policy_problems(OnboardingPolicySpec.model_validate(changed))


GOOD: dict[str, Callable[[dict[str, Any]], object]] = {
    "as it is": lambda _: None,
    "bounds that touch": lambda p: p["container"].update(
        minimum=p["container"]["request"], maximum=p["container"]["limit"]
    ),
    "the least size": lambda p: (p["container"].update(minimum=AMOUNTS), p["sizes"][0].update(AMOUNTS)),
    "a storage class that takes all": lambda p: p["sizes"][0].update(storageClasses={"fast": "10Gi"}),
    "a persona that watches and decides": lambda p: p["personas"][1].update(decides=True, argocd=["get", "logs"]),
    "counts of every kind": lambda p: p.update(
        objectCounts={
            "secrets": 0,
            "resourcequotas": 2,
            "count/limitranges": 2,
            "count/deployments.apps": 5,
            "fast.storageclass.storage.k8s.io/persistentvolumeclaims": 3,
        }
    ),
    "warnings stricter than the enforcement": lambda p: p.update(podSecurity={"enforce": "baseline"}),
    "labels and platforms": lambda p: p.update(
        workloads={"labels": ["app.kubernetes.io/name", "team"], "platforms": ["linux/amd64", "linux/arm64/v8"]}
    ),
    "networks for probes": lambda p: p.update(probes={"allowedNetworks": ["10.0.0.0/8", "fd00::/8", "10.1.2.3/32"]}),
    "a lookup": lambda p: p.update(probes={"identityProvider": LOOKUP}),
    "a directory": lambda p: p.update(probes={"identityProvider": SCIM}),
}

BAD: dict[str, tuple[Callable[[dict[str, Any]], object], str, str]] = {
    "two stages of one name": (
        lambda p: p["stages"][1].update(name="dev"),
        "spec.stages[1].name",
        "dev is listed twice",
    ),
    "two sizes of one name": (
        lambda p: p["sizes"][1].update(name="small"),
        "spec.sizes[1].name",
        "small is listed twice",
    ),
    "two personas of one name": (
        lambda p: p["personas"][1].update(name="admin"),
        "spec.personas[1].name",
        "admin is listed twice",
    ),
    "two journeys of one name": (
        lambda p: p.update(journeys=["fast", "fast"]),
        "spec.journeys[1]",
        "fast is listed twice",
    ),
    "two logins for a host": (
        lambda p: p.update(probes={"credentials": [{"host": "git", "tokenSecret": {"name": n}} for n in "ab"]}),
        "spec.probes.credentials[1].host",
        "git is listed twice",
    ),
    "an unknown size": (
        lambda p: p["stages"][0].update(defaultSize="huge"),
        "spec.stages[0].defaultSize",
        "there is no size huge; choose one of: large, small",
    ),
    "a size of nothing": (lambda p: p["sizes"][0].update(cpu="0"), "spec.sizes[0].cpu", "the amount is 0"),
    "a size below the minimum": (
        lambda p: (p["container"].update(minimum=AMOUNTS), p["sizes"][1].update(ephemeralStorage="1Ki")),
        "spec.sizes[1].ephemeralStorage",
        "1Ki is less than spec.container.minimum, 1Mi",
    ),
    "a storage class above the storage": (
        lambda p: p["sizes"][0].update(storageClasses={"fast": "11Gi"}),
        "spec.sizes[0].storageClasses[fast]",
        "11Gi is more than storage, 10Gi",
    ),
    "a persona that decides and syncs": (
        lambda p: p["personas"][0].update(decides=True),
        "spec.personas[0].argocd",
        "so it must not have sync; leave only get and logs",
    ),
    "a request above the limit": (
        lambda p: p["container"]["request"].update(memory="513Mi"),
        "spec.container.request.memory",
        "513Mi is more than spec.container.limit, 512Mi",
    ),
    "a minimum above the request": (
        lambda p: p["container"].update(minimum={**AMOUNTS, "cpu": "101m"}),
        "spec.container.minimum.cpu",
        "101m is more than spec.container.request, 100m",
    ),
    "a limit above the maximum": (
        lambda p: p["container"].update(maximum={"cpu": "1", "memory": "1Gi", "ephemeralStorage": "1G"}),
        "spec.container.limit.ephemeralStorage",
        "1Gi is more than spec.container.maximum, 1G",
    ),
    "a limit that is none": (
        lambda p: (p["container"]["limit"].update(cpu="0"), p["container"]["request"].update(cpu="0m")),
        "spec.container.limit.cpu",
        "a limit of 0 limits nothing",
    ),
    "no room for our quota": (
        lambda p: p.update(objectCounts={"resourcequotas": 1}),
        "spec.objectCounts[resourcequotas]",
        "allow at least 2",
    ),
    "no room for our limits": (
        lambda p: p.update(objectCounts={"count/limitranges": 0}),
        "spec.objectCounts[count/limitranges]",
        "allow at least 2",
    ),
    "a count of our network policies": (
        lambda p: p.update(objectCounts={"count/networkpolicies.networking.k8s.io": 50}),
        "spec.objectCounts[count/networkpolicies.networking.k8s.io]",
        "remove it",
    ),
    "warnings laxer than the enforcement": (
        lambda p: p.update(podSecurity={"warn": "baseline"}),
        "spec.podSecurity.warn",
        "set it to restricted or stricter",
    ),
    "what is no label": (
        lambda p: p.update(workloads={"labels": ["app", "-name"]}),
        "spec.workloads.labels[1]",
        "'-name' is not a label key",
    ),
    "what is no platform": (
        lambda p: p.update(workloads={"platforms": ["amd64"]}),
        "spec.workloads.platforms[0]",
        "write it as linux/amd64",
    ),
    "a network for probes with bits beyond its prefix": (
        lambda p: p.update(probes={"allowedNetworks": ["10.0.0.1/8"]}),
        "spec.probes.allowedNetworks[0]",
        "10.0.0.1/8: this is an address within a network: write the network, 10.0.0.0/8",
    ),
    "a lookup of nothing": (
        lambda p: p.update(probes={"identityProvider": {**SCIM, "kind": "Lookup"}}),
        "spec.probes.identityProvider.url",
        "write {group}",
    ),
    "a directory with a group": (
        lambda p: p.update(probes={"identityProvider": {**LOOKUP, "kind": "SCIM"}}),
        "spec.probes.identityProvider.url",
        "remove {group}",
    ),
    "answers that end before they are renewed": (
        lambda p: p.update(probes={"minutes": 61, "maximumAgeHours": 1}),
        "spec.probes.minutes",
        "after 1 h",
    ),
}
"""By what is wrong: the change, the field that is named, and words of what is told."""


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD)
def test_a_policy_without_fault_is_accepted(change: Callable[[dict[str, Any]], object]) -> None:
    assert problems(change) == ()


@pytest.mark.parametrize(("change", "field", "words"), BAD.values(), ids=BAD)
def test_a_fault_is_found_at_its_field_and_nowhere_else(
    change: Callable[[dict[str, Any]], object], field: str, words: str
) -> None:
    (found,) = problems(change)
    assert found.field == field
    assert words in str(found)


@pytest.mark.parametrize(
    "key",
    [
        *("pods", "requests.cpu", "limits.memory", "requests.nvidia.com/gpu", "limitranges", "deployments.apps"),
        *("fast.storageclass.storage.k8s.io/requests.storage", "a/b/c"),
    ],
)
def test_a_count_takes_nothing_from_the_sizes_and_is_one_that_a_quota_knows(key: str) -> None:
    """A key that a quota does not know is refused by the API server, and one of the sizes would undo these."""
    (found,) = problems(lambda p: p.update(objectCounts={key: 5}))
    assert found.field == f"spec.objectCounts[{key}]"
    assert "the key does not count objects" in found.rule


def test_a_role_that_cannot_be_given_is_told_at_its_persona() -> None:
    assert roles_of(POLICY) == {"onboarding:admin", "onboarding:viewer"}
    assert role_problems(POLICY, {}) == ()
    states = {"onboarding:admin": RoleState.MISSING, "onboarding:viewer": RoleState.UNBINDABLE}
    missing, unbindable = role_problems(POLICY, states)
    assert str(missing) == (
        "spec.personas[0].clusterRole: ClusterRole onboarding:admin does not exist; create it, or use an existing one"
    )
    assert unbindable.field == "spec.personas[1].clusterRole"
    assert "bindableClusterRoles" in unbindable.remedy


def test_the_chart_knows_the_value_that_the_remedy_names() -> None:
    values = yaml.safe_load((PROFILES.parents[1] / "charts/project-onboarding-operator/values.yaml").read_text())
    assert "bindableClusterRoles" in values


@pytest.mark.parametrize("profile", sorted(path.name for path in PROFILES.iterdir()))
def test_every_profile_is_without_fault(profile: str) -> None:
    """No gate of ours waits for what lies behind it, and nothing in a profile would be refused."""
    found = [yaml.safe_load_all(path.read_text()) for path in sorted((PROFILES / profile).glob("**/*.yaml"))]
    objects = [item for documents in found for item in documents if item]
    policies = [OnboardingPolicySpec.model_validate(o["spec"]) for o in objects if o["kind"] == "OnboardingPolicy"]
    targets = {
        o["metadata"]["name"]: HostingTargetSpec.model_validate(o["spec"])
        for o in objects
        if o["kind"] == "HostingTarget"
    }
    assert policies
    assert [policy_problems(policy) for policy in policies] == [()] * len(policies)
    stages = {stage.name for policy in policies for stage in policy.stages}
    for name, target in targets.items():
        others = {other: spec for other, spec in targets.items() if other != name}
        assert (target_problems(target), stage_problems(target, stages), clashes(target, others)) == ((), (), ())


def test_the_first_problem_is_told_with_the_number_of_the_others_within_512_characters() -> None:
    problem = Problem("spec.a", "it is wrong", "mend it")
    assert summarize([problem]) == "spec.a: it is wrong; mend it"
    assert summarize([problem] * 3) == "spec.a: it is wrong; mend it (and 2 more)"
    long = summarize([Problem("spec.a", "x" * 600, ""), problem])
    assert (len(long), long[-14:]) == (512, "x… (and 1 more)"[-14:])


def test_a_spec_that_cannot_be_read_is_told_without_its_value() -> None:
    with pytest.raises(ValidationError) as caught:
        OnboardingPolicySpec.model_validate({**spec(), "stages": [{"name": "S3cret!"}]})
    found = unreadable(caught.value)
    assert [problem.field for problem in found][:2] == ["spec.stages[0].name", "spec.stages[0].defaultSize"]
    assert "S3cret" not in summarize(found)


def test_a_status_is_written_when_what_it_says_changes_and_not_again() -> None:
    bad = Validity(False, Reason.INVALID, "spec.a: it is wrong")
    first = status_due(bad, 3, {"observedGeneration": -1}, NOW)
    assert first is not None
    ready, stalled = first["conditions"]
    assert stalled == {**ready, "type": "Stalled", "status": "True"}
    assert (ready["status"], ready["reason"], ready["observedGeneration"]) == ("False", "Invalid", 3)
    assert (first["observedGeneration"], ready["lastTransitionTime"]) == (3, "2026-01-02T03:04:05Z")
    later = NOW + timedelta(hours=1)
    assert status_due(bad, 3, first, later) is None
    other = status_due(bad._replace(message="spec.b: it is wrong"), 4, first, later)
    assert other is not None
    assert other["conditions"][0]["lastTransitionTime"] == ready["lastTransitionTime"]
    good = status_due(Validity(True, Reason.ACCEPTED, "it can be used"), 4, first, later)
    assert good is not None
    assert [item["lastTransitionTime"] for item in good["conditions"]] == ["2026-01-02T04:04:05Z"]


READINGS = {
    Reason.ACCEPTED: "Current",
    Reason.INVALID: "Failed",
    Reason.NEWER_THAN_OPERATOR: "Failed",
    Reason.GUARD_MISSING: "Failed",
    Reason.TARGET_UNREACHABLE: "InProgress",
}


@pytest.mark.parametrize("reason", READINGS)
def test_what_only_a_person_can_correct_is_failed_and_what_is_asked_again_is_in_progress(reason: Reason) -> None:
    status = status_due(Validity(reason is Reason.ACCEPTED, reason, "it is so"), 3, {}, NOW)
    item = {"metadata": {"generation": 3}, "status": status}
    assert (kstatus(item), flux_problems(item)) == (READINGS[reason], [])
