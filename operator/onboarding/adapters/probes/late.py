"""Which requests are probed, whom each burdens, and the functions that answer them, loaded with the first request.

httpx and dnspython take 8 MiB and 0.2 s, which an operator whose policy probes nothing does not have to spend.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import cache
from typing import Any, Final

from onboarding.api.probes import Probes
from onboarding.checks import probe
from onboarding.checks.probe import Request

Ask = Callable[[Any], Awaitable[Any]]
"""Returns the facts of a request of one kind; ProbeProblem if they cannot be found out."""
Asks = Mapping[type[Request[Any]], Ask]

REQUEST_KINDS: Final[tuple[type[Request[Any]], ...]] = (
    probe.RepositoryRequest,
    probe.DnsRequest,
    probe.CertificateRequest,
    probe.EndpointRequest,
    probe.GroupRequest,
    probe.ImageRequest,
)


def late_asks(probes: Probes, secrets: Callable[[str, str], Awaitable[bytes]], *, never: Collection[str] = ()) -> Asks:
    """Return how each kind of request is asked under a policy, as ``asks.build_asks`` does when one is asked."""

    @cache
    def built() -> Asks:
        from onboarding.adapters.probes.asks import build_asks

        return build_asks(probes, secrets, never=never)

    return {kind: lambda request: built()[type(request)](request) for kind in REQUEST_KINDS}


def burdened(request: Request[Any]) -> str:
    """Return whom a request burdens, so that one slow host does not hold up the others' questions."""
    match request:
        case probe.RepositoryRequest(url=url) | probe.EndpointRequest(url=url):
            return url.partition("://")[2].partition("/")[0]
        case probe.CertificateRequest(host=host) | probe.DnsRequest(host=host):
            return host
        case probe.ImageRequest(reference=reference):
            return _registry_of(reference)
        case probe.WorkloadsRequest(cluster=cluster):
            return f"cluster {cluster}"
    return type(request).__name__


def _registry_of(reference: str) -> str:
    # Late, because the probe of images loads httpx.
    from onboarding.adapters.probes.image import parse_reference
    from onboarding.adapters.probes.problem import ProbeProblem

    try:
        return parse_reference(reference).host
    except ProbeProblem:
        return ""
