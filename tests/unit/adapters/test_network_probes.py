"""What is observed of the domains of an environment that runs: DNS, certificate and health endpoint."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from onboarding.api.gates import Actor
from onboarding.api.status import CheckResult
from onboarding.checks import network
from onboarding.checks.finding import Check
from onboarding.checks.inputs import RunningInputs
from onboarding.checks.probe import (
    Answer,
    CertificateFacts,
    CertificateRequest,
    DnsFacts,
    DnsRequest,
    EndpointFacts,
    EndpointRequest,
    Request,
)
from tests.unit.snapshots import NOW, TARGETS, environment, project_inputs, spec_of

DNS = DnsRequest("shop.gouv.fr")
TLS = CertificateRequest("shop.gouv.fr")
HEALTH = EndpointRequest("https://shop.gouv.fr/health")


def certificate(days: float = 90, *, matches: bool = True, trusted: bool = True) -> Answer[CertificateFacts]:
    """Return an answer with a certificate of this many days."""
    problem = "" if trusted else "self-signed certificate"
    facts = CertificateFacts(("shop.gouv.fr",), matches, NOW + timedelta(days=days), trusted, problem)
    return Answer(facts, "", NOW)


def running(answers: dict[Request[Any], Answer[Any]] | None = None, **fields: Any) -> RunningInputs:
    """Return the inputs of environment dev that runs, with a domain and a health path; fields replace these."""
    own = {"domains": ["shop.gouv.fr"], "healthPath": "/health", **fields}
    spec = spec_of(environment(**own), environment("test", domains=["test.gouv.fr"], healthPath="/"))
    project = project_inputs(spec, answers, targets=TARGETS)
    return RunningInputs(project, "dev", "dev", "cloud", "far", "far/kubeconfig", "shop-dev")


OBSERVED: dict[str, tuple[Check[RunningInputs], dict[Request[Any], Answer[Any]], str, CheckResult]] = {
    "no address": (
        network.domains_resolve,
        {DNS: Answer(DnsFacts(()), "", NOW)},
        "domain shop.gouv.fr does not resolve to an address",
        CheckResult.FAIL,
    ),
    "no answer of the DNS yet": (
        network.domains_resolve,
        {},
        "DNS of shop.gouv.fr is being asked",
        CheckResult.PENDING,
    ),
    "no answer of the DNS": (
        network.domains_resolve,
        {DNS: Answer(None, "it did not answer in 5 s", NOW)},
        "DNS of shop.gouv.fr: it did not answer in 5 s",
        CheckResult.UNKNOWN,
    ),
    "a certificate that has ended": (
        network.certificates_are_valid,
        {TLS: certificate(0)},
        "certificate of shop.gouv.fr ended on 2026-01-02",
        CheckResult.FAIL,
    ),
    "a certificate that ends soon": (
        network.certificates_are_valid,
        {TLS: certificate(29.9)},
        "certificate of shop.gouv.fr ends on 2026-02-01, in less than 30 days",
        CheckResult.FAIL,
    ),
    "a certificate of another name": (
        network.certificates_are_valid,
        {TLS: certificate(matches=False)},
        "certificate of shop.gouv.fr is for shop.gouv.fr",
        CheckResult.FAIL,
    ),
    "a certificate of nobody": (
        network.certificates_are_valid,
        {TLS: certificate(trusted=False)},
        "certificate of shop.gouv.fr is not trusted: self-signed certificate",
        CheckResult.FAIL,
    ),
    "no answer of the server": (
        network.certificates_are_valid,
        {TLS: Answer(None, "the connection was refused", NOW)},
        "certificate of shop.gouv.fr: the connection was refused",
        CheckResult.UNKNOWN,
    ),
    "an endpoint that is ill": (
        network.endpoints_are_healthy,
        {HEALTH: Answer(EndpointFacts(503), "", NOW)},
        "https://shop.gouv.fr/health answers 503",
        CheckResult.FAIL,
    ),
    "an endpoint that is not there": (
        network.endpoints_are_healthy,
        {HEALTH: Answer(EndpointFacts(404), "", NOW)},
        "https://shop.gouv.fr/health answers 404",
        CheckResult.FAIL,
    ),
    "no answer of the endpoint": (
        network.endpoints_are_healthy,
        {HEALTH: Answer(None, "it did not answer in 5 s", NOW)},
        "https://shop.gouv.fr/health: it did not answer in 5 s",
        CheckResult.UNKNOWN,
    ),
}
GOOD: dict[Request[Any], Answer[Any]] = {
    DNS: Answer(DnsFacts(("192.0.2.1",)), "", NOW),
    TLS: certificate(30),
    HEALTH: Answer(EndpointFacts(204), "", NOW),
}
PROBES = (network.domains_resolve, network.certificates_are_valid, network.endpoints_are_healthy)


@pytest.mark.parametrize(("check", "answers", "message", "result"), OBSERVED.values(), ids=OBSERVED)
def test_what_was_observed_is_told(
    check: Check[RunningInputs], answers: dict[Request[Any], Answer[Any]], message: str, result: CheckResult
) -> None:
    finding = check.run(running(answers))
    assert finding is not None
    assert (finding.message, finding.result) == (message, result)


@pytest.mark.parametrize("check", PROBES, ids=lambda check: check.id)
def test_what_is_well_passes(check: Check[RunningInputs]) -> None:
    assert check.run(running(GOOD)) is None


@pytest.mark.parametrize("check", PROBES, ids=lambda check: check.id)
def test_without_domains_there_is_nothing_to_observe(check: Check[RunningInputs]) -> None:
    inputs = running(domains=[])
    assert list(check.requests_of(inputs)) == []
    assert check.run(inputs) is None


def test_each_environment_asks_for_its_own_domains() -> None:
    inputs = running()
    assert [list(check.requests_of(inputs)) for check in PROBES] == [[DNS], [TLS], [HEALTH]]


def test_without_a_health_path_no_endpoint_is_asked() -> None:
    inputs = running(healthPath=None)
    assert list(network.endpoints_are_healthy.requests_of(inputs)) == []
    assert network.endpoints_are_healthy.run(inputs) is None


def test_what_failed_is_told_before_what_is_not_known() -> None:
    answers: dict[Request[Any], Answer[Any]] = {
        DnsRequest("a.gouv.fr"): Answer(None, "no answer", NOW),
        DNS: Answer(DnsFacts(()), "", NOW),
    }
    finding = network.domains_resolve.run(running(answers, domains=["a.gouv.fr", "b.gouv.fr", "shop.gouv.fr"]))
    assert finding is not None
    assert finding.message == "domain shop.gouv.fr does not resolve to an address"


def test_the_message_of_a_certificate_is_the_same_tomorrow() -> None:
    """A message that counted the days would write the status every day."""
    ends = datetime(2026, 1, 20, tzinfo=UTC)
    answer = Answer(CertificateFacts(("shop.gouv.fr",), matches=True, not_after=ends, trusted=True), "", NOW)
    messages = set()
    for day in range(10):
        inputs = running({TLS: answer})
        project = replace(inputs.project, now=NOW + timedelta(days=day))
        finding = network.certificates_are_valid.run(
            RunningInputs(project, "dev", "dev", "cloud", "far", "far/kubeconfig", "shop-dev")
        )
        assert finding is not None
        messages.add(finding.message)
    assert len(messages) == 1


def test_the_network_team_enters_domains() -> None:
    assert network.domains_resolve.actor is Actor.NETWORK
