"""The ClusterRoles of the policy are looked up on every site, and again until each can be bound."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from onboarding.build.kinds import HUB
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.runtime import site_roles as module
from onboarding.runtime.site_roles import SiteRoles
from tests.unit.apiserver import FakeApiServer, connected, serving


class Site(SimpleNamespace):
    """A connection; identity tells two of them apart."""

    __hash__ = object.__hash__


class Stage:
    """A site and its answers."""

    def __init__(self, client: Any) -> None:
        self.site = Site(name="far/kubeconfig", client=client, state=ClusterState())
        self.hub = Site(name=HUB, client=None, state=ClusterState())
        self.roles = frozenset({"team:admin"})
        self.site_roles = SiteRoles(lambda: [self.hub, self.site], lambda: self.roles)  # type: ignore[list-item]


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with serving() as fake:
        yield fake


@pytest.fixture
async def stage(server: FakeApiServer) -> AsyncIterator[Stage]:
    async with connected(server.url) as client:
        yield Stage(client)


async def test_a_role_that_a_site_lacks_is_named_until_it_is_there(stage: Stage, server: FakeApiServer) -> None:
    allowed = server.json({"status": {"allowed": True}})
    server.script = [server.refusal(404, "NotFound")]
    assert await stage.site_roles.look()
    assert stage.site_roles.problems() == {
        "far/kubeconfig": "ClusterRole team:admin, which a persona of the policy names, does not exist there: create it"
    }
    server.script = [server.json({}), server.json({"status": {"allowed": False}})]
    assert await stage.site_roles.look()
    assert (
        "the verb bind of ClusterRole project-onboarding-operator-site" in stage.site_roles.problems()["far/kubeconfig"]
    )
    server.script = [server.json({}), allowed]
    assert not await stage.site_roles.look()
    assert stage.site_roles.problems() == {}
    asked = len(server.requests)
    assert not await stage.site_roles.look()
    assert len(server.requests) == asked, "a role that can be bound is not looked up again"
    stage.roles = frozenset({"team:viewer"})
    server.script = [server.refusal(404, "NotFound")]
    assert await stage.site_roles.look()


async def test_a_site_that_gives_no_answer_or_is_not_ready_is_left_out(stage: Stage, server: FakeApiServer) -> None:
    server.script = [server.refusal(500, "InternalError")]
    assert not await stage.site_roles.look()
    stage.site.state = ClusterState(problem="away")
    asked = len(server.requests)
    assert not await stage.site_roles.look()
    assert (len(server.requests), stage.site_roles.problems()) == (asked, {})


async def test_an_older_role_of_the_operator_leaves_the_answer_to_the_write(
    stage: Stage, server: FakeApiServer
) -> None:
    server.script = [server.refusal(403, "Forbidden"), server.json({"status": {"allowed": True}})]
    assert not await stage.site_roles.look()
    assert module.HUB not in stage.site_roles.problems()
