"""A server that gives no answer is described by cause and remedy, and never by the name of a Python class."""

import asyncio
import re
import ssl
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from aiohttp.http_exceptions import BadHttpMessage
from kubernetes.aio import client as kubernetes

from devcluster.ports import free_ports
from onboarding.adapters.client import Client
from onboarding.adapters.outages import describe_outage
from onboarding.errors import UnreachableError
from tests.support.authority import Authority


async def answer_of(server: str, ca: Path | None = None) -> str:
    """Return what the client says of a server."""
    configuration = kubernetes.Configuration()
    configuration.host = server
    configuration.ssl_ca_cert = str(ca) if ca else None
    client = Client(configuration, request_timeout=5)
    try:
        with pytest.raises(UnreachableError) as refusal:
            await client.request("GET", "/api")
    finally:
        await client.close()
    return str(refusal.value)


async def test_a_name_that_does_not_resolve_and_a_closed_port() -> None:
    (port,) = free_ports(1)
    said = await answer_of("https://nowhere.invalid")
    assert said.startswith("GET /api: the name nowhere.invalid does not resolve: check the server's address")
    said = await answer_of(f"https://127.0.0.1:{port}")
    assert said == f"GET /api: 127.0.0.1:{port} refuses the connection: check that the API server runs there"


TRUSTED, OTHER = Authority(), Authority()
CERTIFICATES: dict[str, tuple[ssl.SSLContext | None, str, str]] = {
    "an authority that is not trusted": (OTHER.server("127.0.0.1"), "certificate", "check certificate-authority-data"),
    "an end that is past": (TRUSTED.server("127.0.0.1", days=-1), "expired", "renew the certificate of the server"),
    "another name": (TRUSTED.server("127.0.0.2"), "it is for another name", "or set tls-server-name"),
    "no TLS": (None, "offers no TLS", "check the server's address"),
}


@pytest.mark.parametrize(("tls", "cause", "remedy"), CERTIFICATES.values(), ids=CERTIFICATES)
async def test_a_certificate_is_refused_with_its_cause(
    tls: ssl.SSLContext | None, cause: str, remedy: str, tmp_path: Path
) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            writer.write(b"SSH-2.0-no-tls\r\n" * 10)

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    (port,) = (item.getsockname()[1] for item in server.sockets)
    ca = tmp_path / "ca.pem"
    ca.write_text(TRUSTED.pem)
    async with server:
        said = await answer_of(f"https://127.0.0.1:{port}", ca)
    assert f"127.0.0.1:{port}" in said
    assert cause in said
    assert remedy in said
    assert re.search(r"[A-Z][a-z]+Error|_ssl|ssl:", said) is None


OTHERS: dict[str, tuple[BaseException, str]] = {
    "time": (TimeoutError(), "no answer within 5 s: check the server's load"),
    "time of a socket": (aiohttp.SocketTimeoutError(), "no answer within 5 s"),
    "half an answer": (aiohttp.ClientPayloadError("x"), "the answer broke off, or is not HTTP"),
    "no HTTP": (BadHttpMessage("x"), "the answer broke off, or is not HTTP"),
    "an end": (aiohttp.ServerDisconnectedError(), "the connection broke off: this is tried again by itself"),
    "a reset": (aiohttp.ClientOSError(104, "x"), "the connection broke off"),
}


@pytest.mark.parametrize(("error", "words"), OTHERS.values(), ids=OTHERS)
def test_other_outages_have_words_too(error: BaseException, words: str) -> None:
    assert describe_outage(error, 5).startswith(words)
