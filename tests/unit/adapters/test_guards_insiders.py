"""The prober asks the policy on insiders where it is installed, and misses it nowhere."""

import pytest

from onboarding import names
from onboarding.adapters import guard_states
from onboarding.errors import ApiError
from tests.unit.adapters.guarded_server import KINDS, Server, probing


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_states, "BACKOFF_FIRST", 0.01)
    monkeypatch.setattr(guard_states, "GRACE", 0.03)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.mark.parametrize("kind", KINDS)
async def test_the_policy_on_insiders_is_asked_if_it_is_there_and_missed_by_nobody(server: Server, kind: str) -> None:
    insiders = names.INSIDERS_POLICY
    async with probing(server, "hub") as probed:
        await probed.until_told("")
        assert (probed.prober.insiders_kept, probed.prober.warming) == (False, False)
        assert insiders not in server.probed()
        for each in KINDS:
            server.change(each, insiders)
        await probed.until(lambda: probed.prober.insiders_kept)
        _, path, _, body = server.asked[server.probed().index(insiders)]
        assert path == f"/api/v1/namespaces/{names.SYNC_NAMESPACE}/serviceaccounts"
        assert body["metadata"]["name"] == "project-onboarding-guard-probe", "the policy goes by this name"
        told = probed.changes
        server.remove(kind, insiders)
        await probed.until(lambda: not probed.prober.insiders_kept)
        assert (probed.changes > told, probed.prober.state.problem) == (True, "")


async def test_the_policy_on_insiders_stands_until_an_answer_says_otherwise(server: Server) -> None:
    insiders = names.INSIDERS_POLICY
    for kind in KINDS:
        server.items[kind][insiders] = 1
    server.answers[insiders] = ApiError(500, "InternalError", "failed calling webhook")
    async with probing(server, "hub") as probed:
        await probed.until(lambda: server.probed().count(insiders) > 2)
        assert not probed.prober.insiders_kept, "it has never answered"
        del server.answers[insiders]
        await probed.until(lambda: probed.prober.insiders_kept)
        server.answers[insiders] = ApiError(500, "InternalError", "failed calling webhook")
        asked = server.probed().count(insiders)
        server.change(KINDS[0], insiders)
        await probed.until(lambda: server.probed().count(insiders) > asked + 2)
        assert probed.prober.insiders_kept, "what gives no answer is not known to be gone"
        server.answers[insiders] = "kept"
        await probed.until(lambda: not probed.prober.insiders_kept)


async def test_a_site_is_not_asked_about_insiders(server: Server) -> None:
    for kind in KINDS:
        server.items[kind][names.INSIDERS_POLICY] = 1
    async with probing(server) as probed:
        await probed.until_told("")
        assert not probed.prober.insiders_kept
    assert names.INSIDERS_POLICY not in server.probed()
