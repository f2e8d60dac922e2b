"""Names, certificates and health endpoints are read, whatever is behind them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from onboarding.adapters.probes.certificate import ask_certificate, read_certificate
from onboarding.adapters.probes.connections import GuardedResolver
from onboarding.adapters.probes.guard import AddressGuard
from onboarding.adapters.probes.http import Web
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.api.probes import Probes
from onboarding.checks.probe import (
    CertificateFacts,
    CertificateRequest,
    DnsFacts,
    DnsRequest,
    EndpointFacts,
    EndpointRequest,
)
from tests.support.authority import Authority
from tests.support.internet import LOOPBACK, Internet

HOST = "www.example.org"


async def quiet(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    assert await reader.read() == b""


async def certificate(internet: Internet, port: int, host: str = HOST) -> CertificateFacts:
    facts: CertificateFacts = await internet.ask(CertificateRequest(host, port))
    return facts


@pytest.mark.parametrize(
    ("answer", "addresses"),
    [
        (["192.0.2.2", "192.0.2.1", "2001:db8::1"], ("192.0.2.1", "192.0.2.2", "2001:db8::1")),
        (["10.0.0.1"], ("10.0.0.1",)),
        (["2001:db8::1"], ("2001:db8::1",)),
        ([], ()),
    ],
)
async def test_a_name_has_addresses_or_none(internet: Internet, answer: list[str], addresses: tuple[str, ...]) -> None:
    internet.names.knows(HOST, answer)
    assert await internet.ask(DnsRequest(HOST), Probes()) == DnsFacts(addresses)


async def test_a_name_that_does_not_exist_has_none(internet: Internet) -> None:
    assert await internet.ask(DnsRequest(HOST), Probes()) == DnsFacts(())


async def test_addresses_are_bounded(internet: Internet) -> None:
    internet.names.knows(HOST, [f"192.0.2.{number}" for number in range(25)])
    assert len((await internet.ask(DnsRequest(HOST), Probes())).addresses) == 16


@pytest.mark.parametrize("answer", ["server failure", "silence"])
async def test_a_nameserver_that_cannot_say_is_unknown(
    internet: Internet, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onboarding.adapters.probes.resolve._TIMEOUT", 0.5)
    internet.names.knows(HOST, [answer])
    with pytest.raises(ProbeProblem, match="no nameserver"):
        await internet.ask(DnsRequest(HOST), Probes())


@pytest.mark.parametrize("host", ["vault", "vault.secrets.svc", "x.svc.cluster.local", "127.1", "a b.example.org", ""])
async def test_names_of_the_inside_are_not_asked(internet: Internet, host: str) -> None:
    for request in (DnsRequest(host), CertificateRequest(host)):
        with pytest.raises(ProbeProblem):
            await internet.ask(request)
    assert internet.names.asked == {}


async def test_a_trusted_certificate_is_read(internet: Internet) -> None:
    port = await internet.speak(HOST, quiet, tls=internet.authority.server(HOST, "*.apps.example.org", days=12))
    facts = await certificate(internet, port)
    assert (facts.names, facts.matches, facts.trusted, facts.problem) == (("*.apps.example.org", HOST), True, True, "")
    assert timedelta(days=11) < facts.not_after - datetime.now(UTC) < timedelta(days=12)


@pytest.mark.parametrize(
    ("name", "host", "matches"),
    [
        ("*.example.org", "www.example.org", True),
        ("*.EXAMPLE.org", "www.example.org", True),
        ("*.example.org", "a.www.example.org", False),
        ("*.www.example.org", "www.example.org", False),
        ("w*.example.org", "www.example.org", False),
        ("other.example.org", "www.example.org", False),
    ],
)
async def test_a_name_covers_a_host_or_not(internet: Internet, name: str, host: str, matches: bool) -> None:
    port = await internet.speak(host, quiet, tls=internet.authority.server(name))
    facts = await certificate(internet, port, host)
    assert (facts.matches, facts.trusted) == (matches, True)


async def test_a_certificate_that_has_ended_is_read(internet: Internet) -> None:
    port = await internet.speak(HOST, quiet, tls=internet.authority.server(HOST, days=-3))
    facts = await certificate(internet, port)
    assert (facts.trusted, facts.matches) == (False, True)
    assert "expired" in facts.problem
    assert facts.not_after < datetime.now(UTC)


async def test_a_certificate_of_an_unknown_authority_is_read_and_nothing_is_sent(internet: Internet) -> None:
    port = await internet.speak(HOST, quiet, tls=Authority().server(HOST))
    facts = await certificate(internet, port)
    assert (facts.names, facts.trusted) == ((HOST,), False)
    assert facts.problem


async def test_thousands_of_names_are_cut(internet: Internet) -> None:
    names = [f"h{number}.example.org" for number in range(2500)]
    port = await internet.speak(HOST, quiet, tls=internet.authority.server(*names, HOST))
    facts = await certificate(internet, port)
    assert len(facts.names) == 100
    assert facts.matches


async def test_names_that_are_no_names_are_left_out(internet: Internet) -> None:
    port = await internet.speak(HOST, quiet, tls=internet.authority.server(HOST, "<b>words</b>"))
    assert (await certificate(internet, port)).names == (HOST,)


async def test_the_address_of_a_host_is_a_name_too(internet: Internet) -> None:
    tls = internet.authority.server("127.0.0.1", HOST)
    port = await internet.speak(HOST, quiet, tls=tls)
    facts = await certificate(internet, port, "127.0.0.1")
    assert (facts.names, facts.matches) == ((HOST,), True)
    assert not (await certificate(internet, port, "127.0.0.1")).problem


def test_a_certificate_that_cannot_be_read_is_unknown() -> None:
    with pytest.raises(ProbeProblem, match="cannot be read"):
        read_certificate(b"no certificate", HOST, "")


async def test_a_huge_chain_is_not_read(internet: Internet) -> None:
    port = await internet.speak(HOST, quiet, tls=internet.authority.server(HOST, more=400))
    with pytest.raises(ProbeProblem, match="no TLS that we can use"):
        await certificate(internet, port)


async def test_no_tls_is_unknown(internet: Internet) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"SSH-2.0-words\r\n")
        await writer.drain()

    port = await internet.speak(HOST, plain)
    with pytest.raises(ProbeProblem, match="no TLS"):
        await certificate(internet, port)


async def test_a_handshake_that_never_comes_is_unknown(internet: Internet) -> None:
    port = await internet.speak(HOST, quiet)
    with pytest.raises(ProbeProblem, match="did not answer"):
        await ask_certificate(CertificateRequest(HOST, port), internet.web(timeout=0.3))


async def test_a_certificate_is_read_from_allowed_addresses_only(internet: Internet) -> None:
    port = await internet.speak(HOST, quiet, tls=internet.authority.server(HOST))
    with pytest.raises(ProbeProblem, match="private"):
        await internet.ask(CertificateRequest(HOST, port), Probes())
    internet.names.knows(HOST, ["169.254.169.254"])
    with pytest.raises(ProbeProblem, match="never reach"):
        await certificate(internet, port)
    with pytest.raises(ProbeProblem, match="port"):
        await certificate(internet, 6443)


async def test_a_closed_port_is_unknown_and_the_next_address_is_tried(internet: Internet) -> None:
    port = await internet.speak(HOST, quiet, tls=internet.authority.server(HOST))
    addresses = ["127.0.0.2"]

    async def resolve(_host: str) -> tuple[str, ...]:
        return tuple(addresses)

    client = Web(GuardedResolver(AddressGuard.of(LOOPBACK), resolve), internet.authority.trust)
    with pytest.raises(ProbeProblem, match="takes no connection"):
        await ask_certificate(CertificateRequest(HOST, port), client)
    addresses.append("127.0.0.1")
    assert (await ask_certificate(CertificateRequest(HOST, port), client)).trusted


async def test_a_certificate_without_names_covers_nothing(internet: Internet) -> None:
    port = await internet.speak(HOST, quiet, tls=internet.authority.server())
    facts = await certificate(internet, port)
    assert (facts.names, facts.matches) == ((), False)


@pytest.mark.parametrize("status", [200, 204, 401, 404, 500, 503])
async def test_an_endpoint_answers_with_a_status(internet: Internet, status: int) -> None:
    seen: list[str | None] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(status=status)

    url = await internet.serve(HOST, answer)
    assert await internet.ask(EndpointRequest(f"{url}/health?full=1")) == EndpointFacts(status)
    assert seen == [None]


async def test_an_endpoint_is_followed(internet: Internet) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path == "/":
            raise web.HTTPFound("/health")
        return web.Response(status=202)

    url = await internet.serve(HOST, answer)
    assert await internet.ask(EndpointRequest(url)) == EndpointFacts(202)
