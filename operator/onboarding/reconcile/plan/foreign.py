"""Findings on guard rails of others in the namespaces of a project; pure."""

from collections.abc import Iterator

from onboarding.api.gates import Severity
from onboarding.api.guards import ForeignGuards
from onboarding.build.place import Place
from onboarding.checks.catalogue import OF_NAMESPACES
from onboarding.checks.finding import GateFinding
from onboarding.checks.guards import Guard, GuardInputs
from onboarding.reconcile.plan.inputs import PlanInputs


def foreign_guards(inputs: PlanInputs) -> Iterator[GateFinding]:
    """Yield a finding for each environment and site with guard rails of others, with the severity of the policy."""
    rules = inputs.policy.foreign_guards or ForeignGuards()
    if rules.severity is Severity.IGNORED:
        return
    for key, found in sorted(inputs.snapshot.foreign.items(), key=lambda item: item[0].name):
        environment = inputs.snapshot.live[key].environment
        revision = inputs.admitted.get(Place(environment, key.cluster))
        guards = [Guard(item.kind.kind, item.name, item.digest) for item in found]
        given = GuardInputs(key.name, revision.site if revision else "", guards, rules)
        for check in OF_NAMESPACES:
            if finding := check.run(given):
                yield GateFinding(check, finding, severity=rules.severity, environment=environment, site=finding.site)
