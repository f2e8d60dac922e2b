"""The projects of a run, and the objects that each of them takes."""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import yaml

from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.build.kinds import ObjectKey, Wanted
from onboarding.build.revision import Owner
from onboarding.build.wanted import build_wanted
from onboarding.checks.inputs import EnvironmentDeclaration, ProjectDeclaration
from onboarding.names import API_VERSION
from onboarding.reconcile.admission.resolve import resolve_revisions
from onboarding.reconcile.apply.diff import rank_of
from tests.support.installing import ROOT, project

ENVIRONMENTS = (("dev", "dev"), ("qualif", "dev"), ("prod", "prod"))
"""Names and stages."""
PROJECTS_PATH = f"/apis/{API_VERSION}/projectonboardings"
_PERSONAS = ("admin", "developer", "viewer")
_PROFILE = ROOT / "manifests/profiles/default"

Plan = list[list[list[tuple[str, dict[str, Any]]]]]
"""Projects, each a list of steps, each a list of objects with the path that they are POSTed to."""


@dataclass(frozen=True, slots=True)
class Formula:
    """The least number of writes that a project takes."""

    environments: int
    contents: int
    """Objects per environment."""
    app_projects: int
    applications: int

    @property
    def writes(self) -> int:
        """N + N·M + P + A."""
        return self.environments * (1 + self.contents) + self.app_projects + self.applications

    def __str__(self) -> str:
        n, m, p, a = self.environments, self.contents, self.app_projects, self.applications
        return f"{n} + {n}·{m} + {p} + {a}"


def make_projects(count: int) -> list[dict[str, Any]]:
    """Return ProjectOnboardings with three environments, one repository and the groups of three personas."""
    return [_project(f"bench-{number:04}") for number in range(count)]


def _project(name: str) -> dict[str, Any]:
    return project(
        name,
        team={"groups": {persona: [f"{name}-{persona}s"] for persona in _PERSONAS}},
        repositories=[{"name": "app", "url": f"https://git.example.org/{name}/deploy.git"}],
        environments=[{"name": environment, "stage": stage} for environment, stage in ENVIRONMENTS],
    )


def wanted_of(declared: dict[str, Any], *, uid: str = "", installation: str = "") -> list[Wanted]:
    """Return every object of a project, built as the operator builds it."""
    name = declared["metadata"]["name"]
    spec = ProjectOnboardingSpec.model_validate(declared["spec"])
    policy, targets = _profile()
    project = ProjectDeclaration(name, spec, policy, targets, datetime.now(UTC).date())
    revisions = [
        revision
        for environment in spec.environments
        for revision in resolve_revisions(EnvironmentDeclaration(project, environment))
    ]
    return build_wanted(Owner(installation, name, uid), revisions)


def formula() -> Formula:
    """Return how many objects of which sort each of the projects takes."""
    (keys,) = all_keys(1).values()
    kinds = Counter(key.kind.kind for key in keys)
    namespaces, app_projects, applications = (kinds.pop(kind) for kind in ("Namespace", "AppProject", "Application"))
    return Formula(namespaces, kinds.total() // namespaces, app_projects, applications)


@cache
def all_keys(projects: int) -> dict[str, list[ObjectKey]]:
    """Return the places of every object of every project, by the project's name."""
    return {item["metadata"]["name"]: [made.key for made in wanted_of(item)] for item in make_projects(projects)}


def place_of(key: ObjectKey) -> tuple[str, str, str]:
    """Return a place as the audit log names it."""
    return key.kind.plural, key.namespace, key.name


def children_plan(projects: Iterable[dict[str, Any]]) -> Plan:
    """Return what the raw writer writes: the same objects in the same order as the operator."""
    installation = uuid.uuid4().hex[:12]
    return [_steps(wanted_of(item, uid=str(uuid.uuid4()), installation=installation)) for item in projects]


def declarations_plan(projects: Sequence[dict[str, Any]]) -> Plan:
    """Return what the driver writes: the projects themselves."""
    return [[[(PROJECTS_PATH, item)]] for item in projects]


def _steps(wanted: Sequence[Wanted]) -> list[list[tuple[str, dict[str, Any]]]]:
    ranks = sorted({rank_of(item.key.kind) for item in wanted})
    return [
        [(item.key.kind.path(item.key.namespace), item.manifest) for item in wanted if rank_of(item.key.kind) is rank]
        for rank in ranks
    ]


@cache
def _profile() -> tuple[OnboardingPolicySpec, dict[str, HostingTargetSpec]]:
    policy = yaml.safe_load((_PROFILE / "policy.yaml").read_text())
    target = yaml.safe_load((_PROFILE / "target.yaml").read_text())
    return (
        OnboardingPolicySpec.model_validate(policy["spec"]),
        {target["metadata"]["name"]: HostingTargetSpec.model_validate(target["spec"])},
    )
