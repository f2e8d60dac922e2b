"""Names to addresses, by the nameservers of the pod: without a search list, so that a name means one thing only."""

import asyncio
from collections.abc import Awaitable, Callable

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver

from onboarding.adapters.probes.problem import ProbeProblem

Resolve = Callable[[str], Awaitable[tuple[str, ...]]]
"""Returns the addresses of a full DNS name, none where it has none; ProbeProblem where that cannot be found out."""

_TIMEOUT = 5.0


class Resolver:
    """Asks for A and AAAA; unlike the system's getaddrinfo it can be cancelled, and holds no thread meanwhile."""

    def __init__(self, resolver: dns.asyncresolver.Resolver | None = None) -> None:
        """Use the nameservers of ``/etc/resolv.conf`` by default."""
        self._resolver = resolver

    async def __call__(self, host: str) -> tuple[str, ...]:
        """Return IPv4 addresses first, as they were given; ProbeProblem where no nameserver answers."""
        answers = await asyncio.gather(self._ask(host, "A"), self._ask(host, "AAAA"))
        addresses = tuple(address for answer in answers for address in answer or ())
        if not addresses and None in answers:
            raise ProbeProblem("no nameserver says whether this name exists")
        return addresses

    async def _ask(self, host: str, kind: str) -> tuple[str, ...] | None:
        """Return the records of one kind; None where it cannot be found out."""
        try:
            self._resolver = self._resolver or dns.asyncresolver.Resolver()
            answer = await self._resolver.resolve(
                dns.name.from_text(host), kind, search=False, raise_on_no_answer=False, lifetime=_TIMEOUT
            )
        except dns.resolver.NXDOMAIN:
            return ()
        except (dns.exception.DNSException, OSError):
            return None
        return tuple(record.to_text() for record in answer.rrset or ())
