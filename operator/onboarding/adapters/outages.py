"""Failures of connections in words: what failed, the cause and the remedy, without names of Python classes."""

import os
import ssl
from typing import Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

_EXPIRED: Final = 10
_OTHER_NAME: Final = frozenset({62, 64})
"""OpenSSL's codes for a certificate that is for another name or address."""


def describe_outage(error: BaseException, seconds: float) -> str:
    """Return why a server gave no answer; ``seconds`` is how long it had."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return _certificate(f"{error.host}:{error.port}", error.certificate_error)
        case aiohttp.ClientConnectorError():
            return _connection(error)
        case TimeoutError():
            return f"no answer within {seconds:g} s: check the server's load, the route and the firewalls"
        case aiohttp.ClientPayloadError() | HttpProcessingError() | aiohttp.ClientResponseError():
            return "the answer broke off, or is not HTTP: check a proxy between the two"
    return "the connection broke off: this is tried again by itself"


def _connection(error: aiohttp.ClientConnectorError) -> str:
    """Return why no connection could be made."""
    server = f"{error.host}:{error.port}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {error.host} does not resolve: check the server's address, and the DNS of the operator"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return f"{server} offers no TLS: check the server's address, and a proxy between the two"
    if isinstance(error.os_error, ConnectionRefusedError):
        return f"{server} refuses the connection: check that the API server runs there"
    why = os.strerror(error.os_error.errno) if error.os_error.errno else "no connection"
    return f"{server} cannot be reached ({why}): check the route and the firewalls"


def _certificate(server: str, error: Exception) -> str:
    code, words = 0, "it cannot be verified"
    if isinstance(error, ssl.SSLCertVerificationError):
        code, words = error.verify_code, error.verify_message
    remedy = "check certificate-authority-data of the kubeconfig"
    if code == _EXPIRED:
        remedy = "renew the certificate of the server"
    elif code in _OTHER_NAME:
        words, remedy = "it is for another name", "use a name that the certificate holds, or set tls-server-name"
    return f"the certificate of {server} is not trusted ({words}): {remedy}"
