"""Ceilings of a project as raised by grants, and what its admitted environments take of them; pure."""

from collections.abc import Iterable, Iterator

from onboarding.api.capacity import Budget
from onboarding.api.decision import Grant
from onboarding.api.gates import Severity
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.quantities import milli
from onboarding.checks.catalogue import OF_GRANTS
from onboarding.checks.finding import GateFinding
from onboarding.checks.grants import EndedGrant
from onboarding.checks.totals import Totals
from onboarding.reconcile.admission.application_names import AdmittedRevisions
from onboarding.reconcile.gates.decisions import Decisions


def ceiling_of(policy: OnboardingPolicySpec, decisions: Decisions, *, production: bool) -> Budget:
    """Return the ceiling of a project as raised by grants; an unlimited resource stays unlimited."""
    ceiling = policy.ceilings.production if production else policy.ceilings.non_production
    granted = [budget for grant in decisions.granted if (budget := budget_of(grant, production=production))]
    if not granted:
        return ceiling
    return Budget(
        cpu=_highest(ceiling.cpu, [budget.cpu for budget in granted]),
        memory=_highest(ceiling.memory, [budget.memory for budget in granted]),
        storage=_highest(ceiling.storage, [budget.storage for budget in granted]),
        gpu=None if ceiling.gpu is None else max(ceiling.gpu, *(budget.gpu or 0 for budget in granted), 0),
    )


def budget_of(grant: Grant, *, production: bool) -> Budget | None:
    """Return what a grant gives to environments of production stages, or to all others."""
    return grant.production if production else grant.non_production


def taken_by_environment(policy: OnboardingPolicySpec, admitted: AdmittedRevisions) -> dict[str, tuple[bool, Totals]]:
    """Return whether each admitted environment serves production, and its total usage on all sites."""
    production = {stage.name for stage in policy.stages if stage.production}
    taken: dict[str, tuple[bool, Totals]] = {}
    for old in admitted.values():
        if old is not None:
            _, before = taken.get(old.environment, (False, Totals()))
            taken[old.environment] = (old.stage in production, before + Totals.of(old.resources))
    return taken


def ended_grants(
    policy: OnboardingPolicySpec, decisions: Decisions, admitted: AdmittedRevisions
) -> Iterator[GateFinding]:
    """Yield a warning for each ceiling that the admitted environments exceed since a grant expired."""
    taken = taken_by_environment(policy, admitted).values()
    for production in (True, False):
        given = [item for item in decisions.ended if item.grant and budget_of(item.grant, production=production)]
        if not given:
            continue
        last = max(given, key=lambda decision: decision.expires or "")
        total = sum((totals for kind, totals in taken if kind == production), Totals())
        ceiling = ceiling_of(policy, decisions, production=production)
        inputs = EndedGrant(last.by.username, last.expires or "", production, total, ceiling)
        for check in OF_GRANTS:
            if finding := check.run(inputs):
                yield GateFinding(check, finding, severity=Severity.WARNING)


def _highest(ceiling: str | None, granted: Iterable[str | None]) -> str | None:
    return None if ceiling is None else max((ceiling, *(amount for amount in granted if amount)), key=milli)
