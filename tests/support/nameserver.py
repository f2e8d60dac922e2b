"""A nameserver on the loopback address that answers as a test says."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from onboarding.adapters.probes.resolve import Resolver

SERVER_FAILURE = "server failure"
SILENCE = "silence"


class Nameserver(asyncio.DatagramProtocol):
    """Knows names and their addresses; a name with several answers gives one after the other, and stays at the last."""

    def __init__(self) -> None:
        self.names: dict[str, list[Sequence[str]]] = {}
        self.asked: Counter[str] = Counter()
        """How often a name was asked for IPv4 addresses."""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Keep what answers are sent by."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question."""
        query = dns.message.from_wire(data)
        question = query.question[0]
        host = question.name.to_text(omit_final_dot=True)
        answers = self.names.get(host)
        first = question.rdtype == dns.rdatatype.A
        self.asked[host] += first
        now: Sequence[str] = answers[min(self.asked[host], len(answers)) - 1] if answers else ()
        response = dns.message.make_response(query)
        if answers is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif SERVER_FAILURE in now:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif SILENCE in now:
            return
        else:
            wanted = [address for address in now if (":" not in address) == first]
            if wanted:
                response.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", question.rdtype, wanted))
        response.flags |= dns.flags.RA
        self._transport.sendto(response.to_wire(), addr)

    def knows(self, host: str, *answers: Sequence[str]) -> None:
        """Give a name its answers, each a list of addresses."""
        self.names[host] = list(answers)


@asynccontextmanager
async def serve_names() -> AsyncIterator[tuple[Nameserver, Resolver]]:
    """Run a nameserver, and give a resolver that asks it alone."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(Nameserver, local_addr=("127.0.0.1", 0))
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = transport.get_extra_info("sockname")[1]
    resolver.timeout = 2.0
    try:
        yield server, Resolver(resolver)
    finally:
        transport.close()
