"""Does the identity provider know a group? By SCIM, or by a URL that is looked up."""

from urllib.parse import quote

import httpx
import orjson

from onboarding.adapters.probes.guard import parse_url
from onboarding.adapters.probes.http import HttpLogin, Reply, Web, authority
from onboarding.adapters.probes.logins import Logins
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.api.probes import Directory, IdentityProvider
from onboarding.checks.probe import GroupFacts, GroupRequest

_LIMIT = 256 * 1024
_STRANGE = "the identity provider's answer cannot be read: is its URL in the policy right?"


async def ask_group(request: GroupRequest, provider: IdentityProvider | None, web: Web, logins: Logins) -> GroupFacts:
    """Return whether the group is known; ProbeProblem where the provider does not say, or there is none."""
    if provider is None:
        raise ProbeProblem("the policy names no identity provider")
    scim = provider.kind is Directory.SCIM
    url = parse_url(_scim(provider.url, request.group) if scim else _lookup(provider.url, request.group))
    login = await _login(provider, url, logins)
    accept = "application/scim+json, application/json" if scim else "application/json"
    async with web.session() as session:
        reply = await session.fetch(url, headers={"Accept": accept}, login=login, limit=_LIMIT)
    if reply.status == 404 and not scim:
        return GroupFacts(found=False)
    if reply.status in {401, 403}:
        raise ProbeProblem(f"the identity provider refuses the platform's login: {reply.phrase}")
    if reply.status != 200:
        raise ProbeProblem(f"the identity provider answers {reply.phrase}")
    return GroupFacts(_listed(_json(reply), request.group) if scim else _json(reply) != [])


async def _login(provider: IdentityProvider, url: httpx.URL, logins: Logins) -> HttpLogin | None:
    if provider.token_secret is None:
        return None
    return HttpLogin(authority(url), f"Bearer {await logins.token(provider.token_secret)}")


def _scim(base: str, group: str) -> str:
    escaped = group.replace("\\", "\\\\").replace('"', '\\"')
    expression = quote(f'displayName eq "{escaped}"', safe="")
    return f"{base.rstrip('/')}/Groups?filter={expression}"


def _lookup(template: str, group: str) -> str:
    return template.replace("{group}", quote(group, safe=""))


def _json(reply: Reply) -> object:
    try:
        content: object = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        raise ProbeProblem(_STRANGE) from None
    return content


def _listed(answer: object, group: str) -> bool:
    """Return whether a SCIM list names the group exactly, as Kubernetes compares it."""
    match answer:
        case {"totalResults": 0}:
            return False
        case {"totalResults": int(total), "Resources": list(resources)}:
            if any(isinstance(entry, dict) and entry.get("displayName") == group for entry in resources):
                return True
            if total <= len(resources):
                return False
            raise ProbeProblem("the identity provider ignores the filter by displayName")
    raise ProbeProblem(_STRANGE)
