"""Projects with declared flows, and what becomes of them."""

from typing import Any

from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.build.revision import ResolvedFlow, Revision
from onboarding.reconcile.admission.resolve import resolve_revisions
from tests.unit.snapshots import environment, inputs_of, spec_of

HUB, FAR = {"name": "a"}, {"name": "b", "kubeconfigSecret": {"name": "far"}}
ZONES: list[dict[str, Any]] = [
    {"name": "internet", "cidrs": ["::/0", "0.0.0.0/0"]},
    {"name": "internal", "cidrs": ["10.0.0.0/8"]},
    {"name": "postgresql", "cidrs": ["10.10.0.0/24"]},
    {"name": "rie", "cidrs": ["100.64.0.0/12"], "attested": True},
]


def target_of(*sites: dict[str, Any], zones: list[dict[str, Any]] = ZONES, **network: Any) -> HostingTargetSpec:
    """Return a target with zones."""
    return HostingTargetSpec.model_validate({"sites": sites, "network": {"zones": zones, **network}})


TARGETS = {"main": target_of(HUB), "far": target_of(FAR), "twin": target_of(HUB, FAR)}


def flow(name: str, /, **fields: Any) -> dict[str, Any]:
    """Return a declared flow to the PostgreSQL zone, unless the fields say otherwise."""
    end = {} if "environment" in fields or "zone" in fields else {"zone": "postgresql"}
    return {"name": name, "port": 5432, "justification": "It is needed.", **end, **fields}


def project(*flows: dict[str, Any], **targets: str) -> ProjectOnboardingSpec:
    """Return a project with these flows; its environments are given with their targets, or are dev alone."""
    places = targets or {"dev": "main"}
    return spec_of(*(environment(name, target=target) for name, target in places.items()), flows=flows)


def built(spec: ProjectOnboardingSpec, name: str = "dev", targets: Any = TARGETS, **options: Any) -> list[Revision]:
    """Return what an environment would become on each of its sites."""
    index = next(index for index, item in enumerate(spec.environments) if item.name == name)
    return resolve_revisions(inputs_of(spec, index, targets=targets), **options)


def flows_of(spec: ProjectOnboardingSpec, name: str = "dev", **options: Any) -> tuple[ResolvedFlow, ...]:
    """Return the flows of an environment that has one site."""
    (revision,) = built(spec, name, **options)
    return revision.flows
