"""Whatever a server does, a question ends in time and costs little."""

import asyncio
import gzip
import socket
import struct
import time

import httpx
import pytest
from aiohttp import web

from onboarding import names
from onboarding.adapters.probes.connections import GuardedResolver
from onboarding.adapters.probes.guard import AddressGuard
from onboarding.adapters.probes.http import Web, authority
from onboarding.adapters.probes.problem import ProbeProblem
from tests.support.fetching import LIMIT, fetch, say
from tests.support.internet import LOOPBACK, Internet

REQUEST_END = b"\r\n\r\n"


async def test_an_answer_comes_back_in_full(internet: Internet) -> None:
    asked: list[web.BaseRequest] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        asked.append(request)
        return web.Response(text="hello", headers={"X-Thing": "1"})

    url = await internet.serve("www.example.org", answer)
    reply = await fetch(internet, f"{url}/path?query=1")
    assert (reply.status, reply.body, reply.headers["x-thing"], reply.phrase) == (200, b"hello", "1", "200 OK")
    assert asked[0].headers["User-Agent"] == names.MANAGER
    assert asked[0].headers["Accept-Encoding"] == "identity"
    assert asked[0].headers["Host"] == authority(httpx.URL(url))


async def test_a_certificate_that_is_not_trusted_gets_no_request(internet: Internet) -> None:
    asked: list[web.BaseRequest] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        asked.append(request)
        return web.Response()

    for tls in (internet.authority.server("other.example.org"), internet.authority.server("www.example.org", days=-1)):
        url = await internet.serve("www.example.org", answer, tls=tls)
        with pytest.raises(ProbeProblem, match="certificate is not trusted"):
            await fetch(internet, url)
    assert asked == []


async def test_the_name_of_a_foreign_host_is_not_repeated(internet: Internet) -> None:
    there = await internet.serve("s3cret.example.org", say(), tls=internet.authority.server("other.example.org"))
    url = await internet.serve("www.example.org", say(302, Location=there))
    with pytest.raises(ProbeProblem, match="for another name") as raised:
        await fetch(internet, url)
    assert "s3cret" not in str(raised.value)


async def test_a_large_answer_is_not_read_to_its_end(internet: Internet) -> None:
    url = await internet.serve("www.example.org", say(body=b"x" * (LIMIT + 1)))
    with pytest.raises(ProbeProblem, match="larger than 64 KiB"):
        await fetch(internet, url)
    assert len((await fetch(internet, url, limit=LIMIT + 1)).body) == LIMIT + 1


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(REQUEST_END)
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 4096)
        await writer.drain()


async def test_an_endless_answer_ends(internet: Internet) -> None:
    port = await internet.speak("www.example.org", endless)
    with pytest.raises(ProbeProblem, match="larger than"):
        await fetch(internet, f"http://www.example.org:{port}/")


async def test_an_endless_answer_does_not_matter_where_only_the_status_counts(internet: Internet) -> None:
    port = await internet.speak("www.example.org", endless)
    assert (await fetch(internet, f"http://www.example.org:{port}/", limit=0)).status == 200


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send one byte after the other, each in time for a time-out that begins anew with each."""
    await reader.readuntil(REQUEST_END)
    for byte in b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def early_hints(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(REQUEST_END)
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("speaker", [drip, silence, early_hints])
async def test_a_slow_answer_is_not_waited_for(internet: Internet, speaker: object) -> None:
    assert callable(speaker)
    port = await internet.speak("www.example.org", speaker)
    started = time.monotonic()
    with pytest.raises(ProbeProblem, match=r"did not answer within 0\.3 seconds"):
        await fetch(internet, f"http://www.example.org:{port}/", seconds=0.3)
    assert time.monotonic() - started < 10


async def test_a_tls_handshake_that_never_comes_is_not_waited_for(internet: Internet) -> None:
    port = await internet.speak("www.example.org", silence)
    with pytest.raises(ProbeProblem, match="did not answer"):
        await fetch(internet, f"https://www.example.org:{port}/", seconds=0.3)


async def test_a_handshake_is_given_less_time_than_an_answer(
    internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onboarding.adapters.probes.http._CONNECT", 0.2)
    port = await internet.speak("www.example.org", silence)
    with pytest.raises(ProbeProblem, match="no connection in time"):
        await fetch(internet, f"https://www.example.org:{port}/")


async def test_endless_headers_end(internet: Internet) -> None:
    async def headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(REQUEST_END)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X: " + b"y" * 4096 + b"\r\n")
            await writer.drain()

    port = await internet.speak("www.example.org", headers)
    with pytest.raises(ProbeProblem, match="not HTTP"):
        await fetch(internet, f"http://www.example.org:{port}/")


async def test_a_compressed_bomb_is_not_unpacked(internet: Internet) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    assert len(bomb) < LIMIT
    url = await internet.serve("www.example.org", say(body=bomb, Content_Encoding="gzip"))
    with pytest.raises(ProbeProblem, match="compressed"):
        await fetch(internet, url)


@pytest.mark.parametrize(
    ("sent", "words"),
    [(b"SSH-2.0-s3cret\r\n\r\n", "not HTTP"), (b"", "not HTTP"), (b"HTTP/1.1 2x0 s3cret\r\n\r\n", "HTTP")],
)
async def test_what_is_not_http_is_not_quoted(internet: Internet, sent: bytes, words: str) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(REQUEST_END)
        writer.write(sent)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    port = await internet.speak("www.example.org", other)
    with pytest.raises(ProbeProblem, match=words) as raised:
        await fetch(internet, f"http://www.example.org:{port}/?s3cret")
    assert "s3cret" not in str(raised.value)


async def test_no_tls_where_it_is_wanted_is_said(internet: Internet) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    port = await internet.speak("www.example.org", plain)
    with pytest.raises(ProbeProblem, match="no TLS"):
        await fetch(internet, f"https://www.example.org:{port}/")


async def test_a_closed_port_is_said(internet: Internet) -> None:
    port = await internet.speak("www.example.org", silence)
    internet.names.knows("www.example.org", ["127.0.0.2"])
    with pytest.raises(ProbeProblem, match="takes no connection"):
        await fetch(internet, f"http://www.example.org:{port}/")


async def test_the_next_address_is_tried_where_one_takes_no_connection(internet: Internet) -> None:
    url = await internet.serve("www.example.org", say())

    async def resolve(_host: str) -> tuple[str, ...]:
        return ("127.0.0.2", "127.0.0.1")

    client = Web(GuardedResolver(AddressGuard.of(LOOPBACK), resolve), internet.authority.trust)
    async with client.session() as session:
        assert (await session.fetch(url)).status == 200


async def test_a_connection_that_breaks_off_is_said(internet: Internet) -> None:
    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(REQUEST_END)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nxxx")
        await writer.drain()
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    port = await internet.speak("www.example.org", begin)
    with pytest.raises(ProbeProblem, match=r"broke off|not HTTP"):
        await fetch(internet, f"http://www.example.org:{port}/")


@pytest.mark.parametrize(
    ("answer", "words"), [("server failure", "no nameserver"), ("silence", "no nameserver|did not answer")]
)
async def test_a_name_that_cannot_be_found_out_is_said(internet: Internet, answer: str, words: str) -> None:
    internet.names.knows("www.example.org", [answer])
    with pytest.raises(ProbeProblem, match=words):
        await fetch(internet, "https://www.example.org/", seconds=1)
    with pytest.raises(ProbeProblem, match="does not resolve"):
        await fetch(internet, "https://nowhere.example.org/")


async def test_one_host_is_asked_twice_at_once_and_no_more(internet: Internet) -> None:
    running = most = 0
    both = asyncio.Event()

    async def answer(_request: web.BaseRequest) -> web.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 2:
            both.set()
        await both.wait()
        running -= 1
        return web.Response()

    url = await internet.serve("www.example.org", answer)
    client = internet.web()

    async def ask() -> None:
        async with client.session() as session:
            await session.fetch(url)

    await asyncio.gather(*(ask() for _ in range(6)))
    assert most == 2


async def test_the_environment_names_no_proxy(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    url = await internet.serve("www.example.org", say())
    assert (await fetch(internet, url)).status == 200


async def test_urls_are_not_logged(internet: Internet, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    url = await internet.serve("www.example.org", say())
    await fetch(internet, f"{url}/s3cret")
    assert [record for record in caplog.records if not record.name.startswith("aiohttp")] == []
