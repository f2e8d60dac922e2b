"""The prober asks each admission policy by an object of its own, when it has to, and tells when anything changes."""

import asyncio

import pytest

from onboarding import names
from onboarding.adapters import guard_states
from onboarding.adapters.guard_states import Standing
from onboarding.errors import ApiError
from tests.unit.adapters.guarded_server import KINDS, Probed, Server, probing

ACCOUNT, NAMESPACES, OBJECTS, DETACHED = names.GUARD_POLICIES
PROJECTS, DECISIONS = names.HUB_GUARD_POLICIES


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_states, "BACKOFF_FIRST", 0.01)
    monkeypatch.setattr(guard_states, "GRACE", 0.03)


@pytest.fixture
def server() -> Server:
    return Server()


async def test_nothing_may_be_written_before_the_policies_have_answered(server: Server) -> None:
    prober = Probed(server, "hub").prober
    assert prober.state.unknown
    assert "have not answered yet" in prober.state.problem


async def test_each_policy_is_asked_by_a_dry_run_that_no_other_refuses(server: Server) -> None:
    async with probing(server) as probed:
        await probed.until_told("")
    assert sorted(server.probed()) == sorted(names.GUARD_POLICIES)
    assert all(query["dryRun"] == "All" for _, _, query, _ in server.asked)
    asked = dict(zip(server.probed(), server.asked, strict=True))
    for policy in (NAMESPACES, DETACHED):
        assert asked[policy][:2] == ("POST", "/api/v1/namespaces")
    for policy in (ACCOUNT, OBJECTS):
        assert asked[policy][:2] == ("POST", f"/api/v1/namespaces/{names.SYNC_NAMESPACE}/serviceaccounts")
    labels = {policy: asked[policy][3]["metadata"]["labels"] for policy in names.GUARD_POLICIES}
    assert {policy for policy in labels if names.LABEL_INSTALLATION in labels[policy]} == {
        NAMESPACES,
        OBJECTS,
        DETACHED,
    }


async def test_a_site_has_no_policies_of_the_hub(server: Server) -> None:
    for kind in KINDS:
        for policy in names.HUB_GUARD_POLICIES:
            del server.items[kind][policy]
    async with probing(server) as probed:
        await probed.until_told("")
    async with probing(server, "hub") as probed:
        await probed.until_told(f"{PROJECTS} is not in force: it is missing. Apply manifests/install")


async def test_the_policy_on_projects_is_asked_by_one_that_is_there(server: Server) -> None:
    async with probing(server, "hub") as probed:
        await probed.until_told("")
        assert PROJECTS not in server.probed(), "there is nothing to ask by"
        probed.projects.append("shop")
        assert probed.prober.state.unknown
        assert probed.prober.warming, "as at a start: it is not told as a fault"
        await probed.prober.first_answers()
        assert (probed.prober.warming, probed.prober.state.problem) == (False, "")
    method, path, _, body = server.asked[server.probed().index(PROJECTS)]
    assert (method, path) == ("PATCH", f"/apis/{names.API_VERSION}/projectonboardings/shop")
    assert list(body["metadata"]) == ["annotations"], "nothing else of it is touched"


async def test_a_project_that_goes_while_it_is_asked_by_breaks_nothing(server: Server) -> None:
    server.answers[PROJECTS] = ApiError(404, "NotFound", 'projectonboardings "shop" not found')
    async with probing(server, "hub", "shop") as probed:
        await probed.until_told("not found")
        probed.projects.clear()
        await probed.until_told("")
        probed.projects.append("other")
        del server.answers[PROJECTS]
        await probed.prober.first_answers()
        await probed.until_told("")


async def test_decisions_are_never_asked_and_have_to_be_guarded(server: Server) -> None:
    async with probing(server, "hub", "shop") as probed:
        await probed.until_told("")
        server.remove(KINDS[1], DECISIONS)
        await probed.until_told(f"{DECISIONS} is not in force: its binding is missing")
    assert DECISIONS not in server.probed()


@pytest.mark.parametrize("kind", KINDS)
async def test_what_goes_is_missing_at_once_and_what_comes_back_is_asked(server: Server, kind: str) -> None:
    async with probing(server) as probed:
        await probed.until_told("")
        before, told = len(server.asked), probed.changes
        server.remove(kind, OBJECTS)
        await probed.until_told(f"admission policy {OBJECTS} is not in force")
        assert "Apply manifests/site there" in probed.prober.state.problem
        assert not probed.prober.state.unknown
        assert (len(server.asked), probed.changes > told) == (before, True)
        server.change(kind, OBJECTS)
        await probed.until_told("")
        assert server.probed()[before:] == [OBJECTS]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_change_of_a_policy_or_its_binding_is_asked_about(server: Server, kind: str) -> None:
    async with probing(server) as probed:
        await probed.until_told("")
        server.answers[ACCOUNT] = "kept"
        server.change(kind, ACCOUNT)
        await probed.until_told(f"{ACCOUNT} is not in force: nothing refused the object that it refuses to everybody")
        del server.answers[ACCOUNT]
        await probed.until_told("")


async def test_a_change_of_others_policies_is_none_of_ours(server: Server) -> None:
    async with probing(server) as probed:
        await probed.until_told("")
        before = len(server.asked)
        server.change(KINDS[0], "somebody-elses")
        server.change(KINDS[0], OBJECTS)
        await probed.until(lambda: len(server.asked) > before)
        assert server.probed()[before:] == [OBJECTS]


async def test_a_policy_that_gives_no_answer_delays_no_other(server: Server) -> None:
    server.silent.add(ACCOUNT)
    async with probing(server) as probed:
        await probed.until(lambda: len(server.asked) == len(names.GUARD_POLICIES))
        await probed.until_told(f"have not answered yet: {ACCOUNT}")
        assert probed.prober.warming
        server.remove(KINDS[1], OBJECTS)
        await probed.until_told(f"{OBJECTS} is not in force")
        server.change(KINDS[1], OBJECTS)
        await probed.until(lambda: server.probed().count(OBJECTS) == 2)
        await probed.until_told(f"have not answered yet: {ACCOUNT}")


async def test_an_annotation_that_is_taken_off_on_the_way_is_told(server: Server) -> None:
    server.answers[OBJECTS] = "stripped"
    async with probing(server) as probed:
        await probed.until_told(f"a mutating webhook takes the annotation {names.ANNOTATION_GUARD_PROBE} off")


async def test_what_else_answers_is_told_and_ends_no_proof(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_states, "CONFIRMED_AFTER", ())
    monkeypatch.setattr(guard_states, "PERIOD", 0.01)
    server.answers[OBJECTS] = ApiError(400, "BadRequest", 'admission webhook "acme" does not support dry run')
    async with probing(server) as probed:
        await probed.until_told('"acme" does not support dry run')
        assert probed.prober.state.unknown
        del server.answers[OBJECTS]
        await probed.until_told("")
        server.answers[OBJECTS] = ApiError(500, "InternalError", "failed calling webhook")
        asked = server.probed().count(OBJECTS)
        await probed.until(lambda: server.probed().count(OBJECTS) > asked + 2)
        assert not probed.prober.state.problem
        server.answers[OBJECTS] = "kept"
        await probed.until_told(f"{OBJECTS} is not in force")


async def test_the_policy_on_projects_is_asked_again_by_the_next_project(server: Server) -> None:
    """It changed while there was no project to ask by, and no event tells of the next one."""
    async with probing(server, "hub", "shop") as probed:
        await probed.until(lambda: server.probed().count(PROJECTS) > 0)
        probed.projects.clear()
        server.change(KINDS[0], PROJECTS)
        await probed.until(lambda: probed.prober._guards[PROJECTS].answer.standing is Standing.UNKNOWN)
        probed.projects.append("next")
        await asyncio.wait_for(probed.prober.first_answers(), 10)
        assert not probed.prober.state.problem
        asked = server.probed().count(PROJECTS)
        probed.prober._guards[PROJECTS].due_at = 0.0
        await asyncio.wait_for(probed.prober.first_answers(), 10)
        await probed.until(lambda: server.probed().count(PROJECTS) > asked)
