"""The functions that answer requests. ``late`` imports this module when the first request is asked."""

import ssl
from collections.abc import Callable, Collection

import httpx

from onboarding.adapters.probes.certificate import ask_certificate
from onboarding.adapters.probes.connections import GuardedResolver
from onboarding.adapters.probes.domain import ask_dns
from onboarding.adapters.probes.endpoint import ask_endpoint
from onboarding.adapters.probes.group import ask_group
from onboarding.adapters.probes.guard import AddressGuard
from onboarding.adapters.probes.http import Web
from onboarding.adapters.probes.image import Remembered, ask_image
from onboarding.adapters.probes.late import Asks
from onboarding.adapters.probes.logins import Logins, ReadSecret
from onboarding.adapters.probes.repository import ask_repository
from onboarding.adapters.probes.resolve import Resolve, Resolver
from onboarding.api.probes import Probes
from onboarding.checks import probe


def build_asks(
    probes: Probes,
    secrets: ReadSecret,
    *,
    never: Collection[str] = (),
    trust: Callable[[], ssl.SSLContext] = httpx.create_ssl_context,
    resolve: Resolve | None = None,
) -> Asks:
    """Return how each kind of request is asked under a policy.

    ``secrets`` reads the Secrets that the policy names. ``never`` are addresses refused whatever the policy allows.
    ``trust`` makes a TLS context that checks certificates; the default trusts the usual authorities, or those of the
    file that the environment variable SSL_CERT_FILE names.
    """
    resolver = resolve or Resolver()
    web = Web(GuardedResolver(AddressGuard.of(probes.allowed_networks, never), resolver), trust)
    logins = Logins(probes.credentials, secrets)
    remembered: Remembered = {}
    return {
        probe.RepositoryRequest: lambda request: ask_repository(request, web, logins),
        probe.DnsRequest: lambda request: ask_dns(request, resolver),
        probe.CertificateRequest: lambda request: ask_certificate(request, web),
        probe.EndpointRequest: lambda request: ask_endpoint(request, web),
        probe.GroupRequest: lambda request: ask_group(request, probes.identity_provider, web, logins),
        probe.ImageRequest: lambda request: ask_image(request, web, logins, remembered),
    }
