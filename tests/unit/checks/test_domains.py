"""A domain belongs to the first project that is admitted with it; who shares one of before is told if it is younger."""

import pytest

from onboarding.api.gates import Severity
from onboarding.checks.domains import Claim, DomainInputs, Since, domains_are_free

EARLY, LATE = Since("2026-01-01T00:00:00Z", "z-dev"), Since("2026-01-02T00:00:00Z", "a-dev")
COMING = Since("", "a-dev")
A, B = "a.example.org", "b.example.org"


def inputs(*domains: str, own: Since | None = None, other: Since | None = None) -> DomainInputs:
    """Return the inputs of an environment with these domains, of which one may be its project's and another's."""
    return DomainInputs(domains, {A: own} if own else {}, {A: Claim("first", other)} if other else {})


FREE = {
    "no domain": inputs(other=EARLY),
    "a free one": inputs(B, other=EARLY),
    "its own": inputs(A, own=EARLY),
    "its own for longer": inputs(A, own=EARLY, other=LATE),
    "its own, and the other's is only being created": inputs(A, own=LATE, other=COMING),
}
TAKEN = {"another's": inputs(A, other=LATE), "another's and a free one": inputs(B, A, other=EARLY)}
SHARED = {
    "the other's for longer": inputs(A, own=LATE, other=EARLY),
    "as old, and the other's is first by name": inputs(A, own=EARLY, other=EARLY._replace(namespace="a-dev")),
}


@pytest.mark.parametrize("given", FREE.values(), ids=FREE)
def test_a_domain_is_free(given: DomainInputs) -> None:
    assert domains_are_free.run(given) is None


@pytest.mark.parametrize("given", TAKEN.values(), ids=TAKEN)
def test_case_35_a_domain_is_taken_and_nobody_is_told_by_whom(given: DomainInputs) -> None:
    finding = domains_are_free.run(given)
    assert finding is not None
    assert finding.severity is Severity.BLOCKING
    assert A in finding.message
    assert B not in finding.message
    told = f"{finding.message} {finding.remedy or domains_are_free.remedy}"
    assert not any(word in told for word in ("project first", "z-dev", "a-dev"))
    assert "spec.environments[].domains" in told


@pytest.mark.parametrize("given", SHARED.values(), ids=SHARED)
def test_the_younger_of_two_that_share_a_domain_is_told(given: DomainInputs) -> None:
    finding = domains_are_free.run(given)
    assert finding is not None
    assert (finding.severity, A in finding.message) == (Severity.WARNING, True)
