"""A certificate authority for host names, and the TLS contexts of those who trust it."""

import datetime as dt
import ipaddress
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = dt.timedelta(days=1)


class Authority:
    """Signs certificates for servers on the loopback address."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of the tests")])
        extension = x509.BasicConstraints(ca=True, path_length=None)
        self._certificate = (
            self._builder(self._name, self._key.public_key(), 30).add_extension(extension, critical=True)
        ).sign(self._key, hashes.SHA256())

    @property
    def pem(self) -> str:
        """The authority's own certificate."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def trust(self) -> ssl.SSLContext:
        """Return what a client needs that trusts this authority alone."""
        return ssl.create_default_context(cadata=self.pem)

    def server(self, *names: str, days: int = 30, more: int = 0) -> ssl.SSLContext:
        """Return what a server needs that shows a certificate for these names.

        It ends after ``days``, which may lie in the past. ``more`` copies of the authority follow it in the chain.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server of the tests")])
        builder = self._builder(subject, key.public_key(), days)
        if names:
            alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        with tempfile.TemporaryDirectory() as directory:
            pair = Path(directory, "pair.pem")
            chain = self._certificate.public_bytes(pem) * more
            pair.write_bytes(certificate.public_bytes(pem) + chain + private)
            context.load_cert_chain(pair)
        return context

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        builder = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
        return builder.not_valid_before(now - 60 * _DAY).not_valid_after(now + days * _DAY)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
