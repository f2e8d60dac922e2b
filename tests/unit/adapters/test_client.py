"""Every answer of an API server, and its silence, becomes what the pass can act on."""

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest

from devcluster.ports import free_ports
from onboarding.adapters import client as module
from onboarding.adapters.client import Client
from onboarding.errors import ApiError, UnreachableError
from tests.unit.apiserver import FakeApiServer, connected, serving

BUSY = {"Retry_After": "0"}


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with serving() as fake:
        yield fake


@pytest.fixture
async def client(server: FakeApiServer) -> AsyncIterator[Client]:
    async with connected(server.url, token="t0ken") as made:
        yield made


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Keep what the client would wait, and wait nothing."""
    waits: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr(module.asyncio, "sleep", note)
    return waits


async def lines(client: Client, idle_timeout: float = 5) -> list[bytes]:
    async with client.watch("/api/v1/pods", query={"watch": "true"}, accept="a/b", idle_timeout=idle_timeout) as found:
        return [line async for line in found]


async def test_a_request_carries_its_query_body_and_identity(server: FakeApiServer, client: Client) -> None:
    server.script = [server.json({"kind": "Pod"})]
    answer = await client.request("PATCH", "/api/x", query={"a": "b"}, body={"c": 1}, content_type="d/e", accept="f/g")
    assert answer == {"kind": "Pod"}
    (request,) = server.requests
    assert (request.method, request.path, dict(request.query)) == ("PATCH", "/api/x", {"a": "b"})
    assert orjson.loads(server.bodies[0]) == {"c": 1}
    headers = request.headers
    assert (headers["Content-Type"], headers["Accept"]) == ("d/e", "f/g")
    assert (headers["Authorization"], headers["User-Agent"]) == ("Bearer t0ken", "project-onboarding-operator")


async def test_a_throttled_request_is_tried_again_when_the_server_says(
    server: FakeApiServer, client: Client, waits: list[float]
) -> None:
    server.script = [server.refusal(429, "TooManyRequests"), server.text("", 429, Retry_After="7"), server.json({})]
    assert await client.request("GET", "/api") == {}
    assert 1.0 <= waits[0] <= 1.3
    assert 7.0 <= waits[1] <= 9.1
    assert len(server.requests) == 3


@pytest.mark.parametrize(("said", "longest"), [("9999", 39.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 1.3)])
async def test_a_wait_has_a_bound_whatever_the_server_says(
    server: FakeApiServer, client: Client, waits: list[float], said: str, longest: float
) -> None:
    server.script = [server.text("", 429, Retry_After=said), server.json({})]
    await client.request("GET", "/api")
    assert waits[0] <= longest


async def test_a_request_that_stays_throttled_ends_with_an_error(
    server: FakeApiServer, client: Client, waits: list[float]
) -> None:
    server.script = [server.refusal(429, "TooManyRequests", "later")]
    with pytest.raises(ApiError, match="429 TooManyRequests: later"):
        await client.request("GET", "/api")
    assert (len(waits), len(server.requests)) == (4, 5)


async def test_a_refusal_carries_its_status_reason_message_and_causes(server: FakeApiServer, client: Client) -> None:
    details = {"causes": [{"reason": "NamespaceTerminating"}, {"message": "no reason"}]}
    server.script = [server.refusal(403, "Forbidden", "is being terminated", details=details)]
    with pytest.raises(ApiError) as refusal:
        await client.request("POST", "/api", body={})
    error = refusal.value
    assert (error.status, error.reason, error.message) == (403, "Forbidden", "is being terminated")
    assert error.causes == ("NamespaceTerminating", "")


@pytest.mark.parametrize("text", ["<html>s3cret</html>", "", '"s3cret"', "[]", "null", "{}", '{"details": null}'])
async def test_an_error_of_any_form_is_an_api_error_that_quotes_nothing(
    server: FakeApiServer, client: Client, text: str
) -> None:
    server.script = [server.text(text, 502)]
    with pytest.raises(ApiError) as refusal:
        await client.request("GET", "/api")
    assert refusal.value.status == 502
    assert "s3cret" not in str(refusal.value)


async def test_a_good_answer_that_is_no_json_is_no_answer(server: FakeApiServer, client: Client) -> None:
    """A proxy or a portal in between answers so."""
    server.script = [server.text("<html>s3cret</html>")]
    with pytest.raises(UnreachableError) as refusal:
        await client.request("GET", "/api")
    assert "s3cret" not in str(refusal.value)


async def test_a_refused_connection_is_unreachable() -> None:
    (port,) = free_ports(1)
    async with connected(f"http://127.0.0.1:{port}") as client:
        with pytest.raises(UnreachableError, match=r"GET /api: 127.0.0.1:\d+ refuses the connection"):
            await client.request("GET", "/api")
        with pytest.raises(UnreachableError, match="watch /api/v1/pods"):
            await lines(client)


async def test_a_server_that_does_not_answer_is_unreachable(server: FakeApiServer) -> None:
    server.script = [server.stream(silent=True)]
    async with connected(server.url, request_timeout=0.05) as client:
        with pytest.raises(UnreachableError, match=r"no answer within 0.05 s"):
            await client.request("GET", "/api")


async def test_a_watch_yields_its_lines_until_the_server_ends_it(server: FakeApiServer, client: Client) -> None:
    server.script = [server.stream({"a": 1}, {"b": "x" * 500_000})]
    first, second = await lines(client)
    assert orjson.loads(first) == {"a": 1}
    assert len(orjson.loads(second)["b"]) == 500_000
    assert (server.requests[0].headers["Accept"], dict(server.requests[0].query)) == ("a/b", {"watch": "true"})


async def test_a_silent_watch_is_unreachable(server: FakeApiServer, client: Client) -> None:
    server.script = [server.stream({"a": 1}, silent=True)]
    with pytest.raises(UnreachableError, match="watch /api/v1/pods"):
        await lines(client, idle_timeout=0.05)


async def test_a_refused_watch_is_an_api_error(server: FakeApiServer, client: Client) -> None:
    server.script = [server.refusal(410, "Expired", "too old")]
    with pytest.raises(ApiError, match="410 Expired: too old"):
        await lines(client)


async def test_a_line_longer_than_any_object_is_unreachable(server: FakeApiServer, client: Client) -> None:
    server.script = [server.stream(b"x" * 9_000_000)]
    with pytest.raises(UnreachableError):
        await lines(client)


@pytest.mark.parametrize("kubeconfig", ["/nowhere", None], ids=["no such file", "no pod"])
async def test_a_hub_that_nothing_leads_to_is_told_in_a_sentence(kubeconfig: str | None) -> None:
    with pytest.raises(UnreachableError, match="ONBOARDING_KUBECONFIG"):
        await Client.from_environment(kubeconfig, request_timeout=1)
