"""How does a URL answer a GET? Without a login, and without reading what it says."""

from onboarding.adapters.probes.http import Web
from onboarding.checks.probe import EndpointFacts, EndpointRequest


async def ask_endpoint(request: EndpointRequest, web: Web) -> EndpointFacts:
    """Return the status after redirects; ProbeProblem where there is no answer."""
    async with web.session() as session:
        return EndpointFacts((await session.fetch(request.url)).status)
