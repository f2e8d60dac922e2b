"""The functions that answer requests, loaded with the first request."""

import pytest

from onboarding.adapters.probes.asks import build_asks
from onboarding.adapters.probes.late import late_asks
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.api.probes import Probes
from onboarding.checks.probe import DnsRequest, EndpointRequest


async def _secret(_name: str, _key: str) -> bytes:
    raise AssertionError("no login is needed")


def test_every_kind_of_request_that_can_be_answered_is_offered() -> None:
    assert set(late_asks(Probes(), _secret)) == set(build_asks(Probes(), _secret))


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (DnsRequest("app.svc"), "a name inside a cluster"),
        (EndpointRequest("ftp://app.example.org"), "only http and https"),
    ],
)
async def test_a_request_is_answered_by_the_function_of_its_kind(
    request_: DnsRequest | EndpointRequest, problem: str
) -> None:
    with pytest.raises(ProbeProblem, match=problem):
        await late_asks(Probes(), _secret)[type(request_)](request_)
