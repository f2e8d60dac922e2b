"""A Kubernetes client for raw JSON: one aiohttp session per cluster, with the official client's configuration."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import orjson
from aiohttp.http_exceptions import HttpProcessingError

from onboarding import names
from onboarding.adapters import official
from onboarding.adapters.outages import describe_outage
from onboarding.backoff import uniform
from onboarding.errors import ApiError, UnreachableError

if TYPE_CHECKING:
    from kubernetes.aio.client import Configuration

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
METADATA_ONLY = "application/json;as=PartialObjectMetadata{list};g=meta.k8s.io;v=v1"

_THROTTLED_TRIES = 5
_READ_BUFFER = 2 * 1024 * 1024
"""A watch line is one object, and etcd takes objects of up to 1.5 MiB."""
_NONE: Mapping[str, str] = MappingProxyType({})


class Client:
    """Requests to one API server; ApiError if it refuses one, UnreachableError if it does not answer."""

    def __init__(self, configuration: "Configuration", *, request_timeout: float) -> None:
        """Give each request at most ``request_timeout`` seconds."""
        self.configuration = configuration
        self._seconds = request_timeout
        self._timeout = aiohttp.ClientTimeout(total=request_timeout)
        # Compressing lists costs both sides more than sending them within a data centre.
        headers = {"User-Agent": names.MANAGER, "Accept-Encoding": "identity"}
        self.tls = official.tls_context(configuration)
        self._session = aiohttp.ClientSession(
            base_url=configuration.host,
            connector=aiohttp.TCPConnector(ssl=self.tls, limit=0),
            headers=headers,
            read_bufsize=_READ_BUFFER,
        )

    @classmethod
    async def from_environment(cls, kubeconfig: str | None, *, request_timeout: float) -> Self:
        """Return the client of the hub: a kubeconfig file, or else the pod's service account.

        Raises UnreachableError if neither leads to an API server.
        """
        return cls(await official.hub_configuration(kubeconfig), request_timeout=request_timeout)

    @classmethod
    async def from_kubeconfig(cls, content: Mapping[str, Any], **options: Any) -> Self:
        """Return the client that the content of a kubeconfig describes; UnreachableError if it describes none.

        The options are those of the constructor.
        """
        configuration = await official.kubeconfig_configuration(content)
        try:
            return cls(configuration, **options)
        except (ValueError, OSError) as error:
            raise official.unusable(error) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] = _NONE,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> dict[str, Any]:
        """Send one request and return the answer's JSON; a throttled one is tried again when the server says."""
        data = None if body is None else orjson.dumps(body)
        headers = await self._request_headers(accept, content_type)
        for attempt in range(1, _THROTTLED_TRIES + 1):
            try:
                async with self._session.request(
                    method, path, params=query, data=data, headers=headers, timeout=self._timeout
                ) as response:
                    content = await response.read()
                    if response.status == 429 and attempt < _THROTTLED_TRIES:
                        await asyncio.sleep(_retry_after(response))
                        continue
            except (aiohttp.ClientError, TimeoutError) as error:
                raise UnreachableError(f"{method} {path}: {describe_outage(error, self._seconds)}") from error
            if response.status >= 400:
                raise _api_error(response.status, content)
            return _json_object(method, path, content)
        raise AssertionError("the last try returns or raises")

    @asynccontextmanager
    async def watch(
        self, path: str, *, query: Mapping[str, str], accept: str, idle_timeout: float
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Open a watch and give its lines; they end when the server ends it.

        Raises ApiError if the server refuses the watch, UnreachableError if it cannot be reached, breaks off, or sends
        no byte for ``idle_timeout`` seconds.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=idle_timeout)
        headers = await self._request_headers(accept, "application/json")
        try:
            async with self._session.get(path, params=query, headers=headers, timeout=timeout) as response:
                if response.status >= 400:
                    raise _api_error(response.status, await response.read())
                yield aiter(response.content)
        except (aiohttp.ClientError, HttpProcessingError, TimeoutError) as error:
            raise UnreachableError(f"watch {path}: {describe_outage(error, idle_timeout)}") from error

    async def authorization(self) -> str | None:
        """Return the Authorization header of now: the token of a service account is renewed on disk."""
        return await self.configuration.get_api_key_with_prefix("BearerToken")

    async def _request_headers(self, accept: str, content_type: str) -> dict[str, str]:
        headers = {"Accept": accept, "Content-Type": content_type}
        if authorization := await self.authorization():
            headers["Authorization"] = authorization
        return headers


def _retry_after(response: aiohttp.ClientResponse) -> float:
    """Return the seconds of Retry-After, at most 30, with jitter so that clients do not come back all at once."""
    try:
        seconds = float(response.headers.get("Retry-After", "1"))
    except ValueError:
        seconds = 1.0
    return min(seconds, 30.0) * uniform(1.0, 1.3)


def _json_object(method: str, path: str, content: bytes) -> dict[str, Any]:
    """Return the JSON of an answer; UnreachableError if it has none, and thus is not of an API server."""
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        raise UnreachableError(f"{method} {path}: the answer is not one of a Kubernetes API server")
    return answer


def _api_error(status: int, content: bytes) -> ApiError:
    try:
        answer = _json_object("", "", content)
    except UnreachableError:
        return ApiError(status, "Unknown", "the server gave no reason")
    details = answer.get("details") or {}
    causes = tuple(cause.get("reason", "") for cause in details.get("causes") or ())
    return ApiError(status, answer.get("reason", "Unknown"), answer.get("message", ""), causes=causes)
