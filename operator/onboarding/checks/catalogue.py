"""The checks, in the order in which they are shown."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from onboarding.checks import access, placement
from onboarding.checks.finding import Finding, Inputs

ENVIRONMENT_CHECKS: Final[tuple[Callable[[Inputs], Finding | None], ...]] = (
    placement.stage_is_known,
    placement.size_is_known,
    placement.target_is_known,
    placement.target_takes_stage,
    placement.sites_are_known,
    placement.namespace_name_is_allowed,
    access.personas_are_known,
)


def check_environment(inputs: Inputs) -> list[Finding]:
    """Return what holds this environment back; an empty list admits it."""
    findings = (check(inputs) for check in ENVIRONMENT_CHECKS)
    return [replace(finding, environment=inputs.environment.name) for finding in findings if finding]
