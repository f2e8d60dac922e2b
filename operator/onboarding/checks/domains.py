"""Check on the domains of an environment against those of all other projects: who is admitted first has a domain.

Equal names clash, and nothing else: the API takes no wildcards and no capitals, and the owner of a domain and the owner
of one below it may be two.
"""

from collections.abc import Mapping
from typing import NamedTuple

from onboarding.api.gates import Severity, Track
from onboarding.api.status import Evidence
from onboarding.checks.finding import Finding, check
from onboarding.checks.several import some


class Since(NamedTuple):
    """When a domain was claimed: the creation of the oldest namespace that has it, and its name; the lower is first."""

    created: str
    """As the API server writes it; the empty string if the namespace is only being created."""
    namespace: str

    @property
    def order(self) -> tuple[bool, str, str]:
        """Sort key: the first claim is the lowest; a namespace that is only being created comes last."""
        return not self.created, self.created, self.namespace


class Claim(NamedTuple):
    """A domain that another project has."""

    project: str
    since: Since


class DomainInputs(NamedTuple):
    """The domains that an environment would be admitted with, and who has them."""

    domains: tuple[str, ...]
    own: Mapping[str, Since]
    """The domains that its project has been admitted with."""
    others: Mapping[str, Claim]
    """The first claim of another project, by domain."""

    @property
    def taken(self) -> tuple[str, ...]:
        """The domains of other projects that its own has not been admitted with."""
        return tuple(domain for domain in self.domains if domain in self.others and domain not in self.own)

    @property
    def shared(self) -> tuple[str, ...]:
        """The domains that its project has been admitted with, and another one before."""
        return tuple(
            domain
            for domain in self.domains
            if domain in self.others and domain in self.own and self.others[domain].since.order < self.own[domain].order
        )


@check(
    "DomainTaken",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="remove the domain from spec.environments[].domains, or ask the platform team: an Event on the "
    "OnboardingPolicy names the project that has it, and it is free once that one no longer declares it",
    reads=("environments.domains",),
)
def domains_are_free(inputs: DomainInputs) -> Finding | None:
    """No other project has been admitted with a domain of the environment; environments of one project may share it."""
    if inputs.taken:
        return Finding(
            f"another project has {some(inputs.taken)}: a domain belongs to the first that is admitted with it"
        )
    if inputs.shared:
        return Finding(
            f"another project has had {some(inputs.shared)} for longer; both were admitted before domains were "
            "claimed, and both keep it",
            severity=Severity.WARNING,
        )
    return None
