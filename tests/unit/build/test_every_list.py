"""Nothing that a project lists vanishes: every entry of every list is in a built object, or a finding speaks of it."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

import orjson
import pytest

from onboarding.api.common import Model
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.build.wanted import build_wanted
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import GIT, OWNER, SITES, environment, policy_of, snapshot_of, spec_of

ZONES = [{"name": "internal", "cidrs": ["10.0.0.0/8"]}, {"name": "nodelocal", "cidrs": ["169.254.20.10/32"]}]
TARGETS = {
    name: HostingTargetSpec.model_validate({"sites": sites, "network": {"zones": ZONES}, **fields})
    for name, sites, fields in (
        ("main", SITES[:1], {"exposures": ["internet"], "domains": [{"suffix": "example.org"}]}),
        ("twin", SITES, {}),
    )
}
CHECKS = ("ObjectivesNamed", "TeamComplete", "DomainAllowed", "ExternalsAllowed")
GATED = policy_of(
    {"name": "dev", "opens": [{"stages": ["dev"]}]}, checks=[{"id": check, "gate": "dev"} for check in CHECKS]
)
FLOW = {"name": "database", "zone": "internal", "port": 5432, "justification": "data"}
RESOURCES = {"cpu": "1", "memory": "4Gi", "ephemeralStorage": "8Gi", "storage": "4Gi", "pods": 5}
WINDOW = {"kind": "Deny", "schedule": "0 8 * * 1", "duration": "7h"}
PERSON = {"name": "Lin", "email": "lin@example.org"}


def built(spec: ProjectOnboardingSpec) -> str:
    plan = make_plan(snapshot_of(spec, targets=TARGETS))
    assert plan.building, plan.held
    return orjson.dumps([item.manifest for item in build_wanted(OWNER, plan.building)]).decode()


def found(spec: ProjectOnboardingSpec) -> str:
    plan = make_plan(snapshot_of(spec, targets=TARGETS, policy=GATED))
    return "\n".join(f"{item.check.id}: {item.finding.message}" for item in plan.findings)


def lists(model: type[Model], prefix: str = "") -> Iterator[str]:
    """Return the paths of all lists and maps in a model."""
    for name, field in model.model_fields.items():
        yield from _within(field.annotation, f"{prefix}{field.alias or name}")


def _within(annotation: Any, path: str) -> Iterator[str]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield from lists(annotation, f"{path}.")
    elif get_origin(annotation) in (tuple, dict, list):
        yield path
    for part in get_args(annotation):
        yield from _within(part, f"{path}.*" if get_origin(annotation) is dict else path)


BUILT: dict[str, tuple[ProjectOnboardingSpec, str]] = {
    "environments": (spec_of(environment("here")), "shop-here"),
    "environments.deployments": (
        spec_of(environment(deployments=[{"repository": "app", "revision": "v1.2.3"}])),
        "v1.2.3",
    ),
    "environments.deployments.valueFiles": (
        spec_of(environment(deployments=[{"repository": "app", "valueFiles": ["here.yaml"]}])),
        "here.yaml",
    ),
    "environments.groups": (spec_of(environment(groups={"viewer": ["auditors"]})), "viewer:onboarding:viewer"),
    "environments.groups.*": (spec_of(environment(groups={"viewer": ["auditors"]})), "auditors"),
    "environments.labels": (spec_of(environment(labels={"shop.projects/team": "blue"})), '"shop.projects/team":"blue"'),
    "environments.releaseWindows": (spec_of(environment(releaseWindows=[WINDOW])), WINDOW["schedule"]),
    "environments.resources.storageClasses": (
        spec_of(environment(resources={**RESOURCES, "storageClasses": {"fast": "1Gi"}})),
        "fast.storageclass",
    ),
    "environments.sites": (spec_of(environment(target="twin", sites=["b"])), "b.example.org"),
    "flows": (spec_of(environment(), flows=[FLOW]), "flow-database"),
    "flows.cidrs": (spec_of(environment(), flows=[{**FLOW, "cidrs": ["10.1.2.0/24"]}]), "10.1.2.0/24"),
    "flows.environments": (spec_of(environment(), flows=[{**FLOW, "environments": ["dev"]}]), "flow-database"),
    "repositories": (spec_of(environment()), GIT),
    "repositories.helm.valueFiles": (
        spec_of(environment(), repositories=[{"name": "app", "url": GIT, "helm": {"valueFiles": ["there.yaml"]}}]),
        "there.yaml",
    ),
    "team.groups": (spec_of(environment(), team={"groups": {"viewer": ["auditors"]}}), "viewer:onboarding:viewer"),
    "team.groups.*": (spec_of(environment(), team={"groups": {"viewer": ["auditors"]}}), "auditors"),
}
"""A project with an entry of each list that is built, and what shows the entry."""
FOUND: dict[str, tuple[ProjectOnboardingSpec, str]] = {
    "environments.domains": (spec_of(environment(domains=["shop.example.com"])), "DomainAllowed"),
    "environments.exposures": (spec_of(environment(exposures=["moon"])), "moon"),
    "flows to a zone that nothing reaches": (
        spec_of(environment(), flows=[{**FLOW, "zone": "nodelocal"}]),
        "FlowWithoutEffect: flow 'database'",
    ),
    "flows to an unknown zone": (spec_of(environment(), flows=[{**FLOW, "zone": "moon"}]), "moon"),
    "flows that no environment needs": (
        spec_of(environment(), flows=[{"name": "own", "environment": "dev", "port": 1, "justification": "none"}]),
        "FlowWithoutEffect: flow 'own'",
    ),
    "team.people.groups": (
        spec_of(
            environment("live", stage="prod"),
            team={
                "groups": {"viewer": ["auditors"]},
                "people": [{**PERSON, "affiliation": "External", "groups": ["auditors"]}],
            },
        ),
        "is external and in group auditors",
    ),
    "team.groups of an unknown persona": (spec_of(environment(), team={"groups": {"pilot": ["p"]}}), "pilot"),
}
"""A project with an entry of which a finding speaks."""
MISSED: dict[str, tuple[ProjectOnboardingSpec, str]] = {
    "objectives": (spec_of(environment(), objectives=["Serve people."]), "ObjectivesNamed"),
    "team.people": (
        spec_of(environment(), team={"people": [{**PERSON, "roles": ["development", "operations", "test"]}]}),
        "TeamComplete",
    ),
    "team.people.roles": (
        spec_of(environment(), team={"people": [{**PERSON, "roles": ["development", "operations", "test"]}]}),
        "TeamComplete",
    ),
}
"""A project with entries of a list that is documentation: a finding speaks of the list without them, and not with."""


def test_every_list_of_the_spec_is_listed_here() -> None:
    """A new list belongs into one of these tables."""
    known = {path for table in (BUILT, FOUND, MISSED) for path in table if " " not in path}
    assert known == set(lists(ProjectOnboardingSpec))


@pytest.mark.parametrize(("spec", "words"), BUILT.values(), ids=BUILT)
def test_an_entry_is_in_a_built_object(spec: ProjectOnboardingSpec, words: str) -> None:
    assert words in built(spec)


@pytest.mark.parametrize(("spec", "words"), FOUND.values(), ids=FOUND)
def test_an_entry_that_nothing_is_built_of_is_a_finding(spec: ProjectOnboardingSpec, words: str) -> None:
    assert words in found(spec)


@pytest.mark.parametrize(("spec", "check"), MISSED.values(), ids=MISSED)
def test_an_entry_that_is_documentation_ends_a_finding(spec: ProjectOnboardingSpec, check: str) -> None:
    assert check in found(spec_of(environment()))
    assert check not in found(spec)
