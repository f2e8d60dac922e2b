"""Which certificate does a server show for a host? Nothing is sent on the connection."""

import asyncio
import ipaddress
import re
import ssl
from typing import TYPE_CHECKING

from onboarding.adapters.probes.guard import check_port, parse_address
from onboarding.adapters.probes.http import Web, describe_error
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.checks.probe import CertificateFacts, CertificateRequest

if TYPE_CHECKING:
    from cryptography import x509

_NAMES = 100
_NAME = re.compile(r"[A-Za-z0-9*._-]{1,253}", re.ASCII)


async def ask_certificate(request: CertificateRequest, web: Web) -> CertificateFacts:
    """Return the certificate, also one that is not trusted; ProbeProblem where none is shown.

    OpenSSL refuses a chain of more than 100 KiB in the handshake.
    """
    check_port(request.port)
    try:
        async with asyncio.timeout(web.timeout), web.turn(request.host):
            addresses = await web.network.addresses(request.host)
            try:
                shown, problem = await _show(addresses, request, web.chain), ""
            except ssl.SSLCertVerificationError as error:
                shown, problem = await _show(addresses, request, web.blind), error.verify_message
    except TimeoutError:
        raise ProbeProblem(f"it did not answer within {web.timeout:g} seconds") from None
    except OSError as error:
        raise ProbeProblem(describe_error(error)) from None
    return read_certificate(shown, request.host, problem)


async def _show(addresses: tuple[str, ...], request: CertificateRequest, tls: ssl.SSLContext) -> bytes:
    """Return the certificate that the first address that can be connected to shows, in DER."""
    for address in addresses[:-1]:
        try:
            return await _handshake(address, request, tls)
        except ConnectionRefusedError:
            continue
    return await _handshake(addresses[-1], request, tls)


async def _handshake(address: str, request: CertificateRequest, tls: ssl.SSLContext) -> bytes:
    _, writer = await asyncio.open_connection(address, request.port, ssl=tls, server_hostname=request.host)
    try:
        session: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return session.getpeercert(binary_form=True) or b""
    finally:
        # A polite end would wait for the server's.
        writer.transport.abort()


def read_certificate(shown: bytes, host: str, problem: str) -> CertificateFacts:
    """Return what a certificate in DER says; ``problem`` is what is wrong with its chain."""
    # Late, because cryptography takes 8 MiB, and this is its only use.
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(shown)
        names, addresses = _alternatives(certificate)
        not_after = certificate.not_valid_after_utc
    except ValueError:
        raise ProbeProblem("its certificate cannot be read") from None
    address = parse_address(host)
    matches = address in addresses if address else any(_covers(name, host.lower()) for name in names)
    plain = sorted({name for name in names if _NAME.fullmatch(name)})
    return CertificateFacts(tuple(plain[:_NAMES]), matches, not_after, trusted=not problem, problem=problem)


def _alternatives(
    certificate: "x509.Certificate",
) -> tuple[list[str], list[ipaddress.IPv4Address | ipaddress.IPv6Address]]:
    """Return the DNS names, in lower case, and the addresses that a certificate is for."""
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    addresses = [
        address
        for address in names.get_values_for_type(x509.IPAddress)
        if isinstance(address, ipaddress.IPv4Address | ipaddress.IPv6Address)
    ]
    return [name.lower() for name in names.get_values_for_type(x509.DNSName)], addresses


def _covers(name: str, host: str) -> bool:
    """Return whether a name covers a host; a star stands for one whole label, the first."""
    return name == host or (name.startswith("*.") and name[2:] == host.partition(".")[2])
