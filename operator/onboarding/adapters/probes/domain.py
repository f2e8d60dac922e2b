"""Does a host name resolve? By the nameservers that the operator itself uses."""

from onboarding.adapters.probes.guard import check_host
from onboarding.adapters.probes.resolve import Resolve
from onboarding.checks.probe import DnsFacts, DnsRequest

_MOST = 16


async def ask_dns(request: DnsRequest, resolve: Resolve) -> DnsFacts:
    """Return the addresses, none where the name does not exist; ProbeProblem where no nameserver says."""
    check_host(request.host)
    return DnsFacts(tuple(sorted(set(await resolve(request.host)))[:_MOST]))
