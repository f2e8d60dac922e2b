"""Argo CD gets the logins that the policy allows, and nothing of them is ever read back or told."""

import base64
from typing import Any

import orjson
import pytest

from onboarding import names
from onboarding.build.credentials import SECRET, Source, allows, secret_name, wanted_logins
from onboarding.build.kinds import APPLICATION
from onboarding.build.revision import Owner
from onboarding.errors import ApiError
from onboarding.reconcile.apply.diff import Action, Change
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.observed.snapshot import ClusterState
from tests.unit.logins import APP, FORGE, LOGIN, PROJECT, TOKEN, Stage, credential, policy
from tests.unit.snapshots import GIT, OWNER, environment, revisions, spec_of


def of_secrets(changes: list[Change]) -> list[tuple[Action, str]]:
    return [(change.action, change.key.name) for change in changes if change.key.kind is SECRET]


def bad(outcomes: list[Outcome]) -> list[tuple[Result, str]]:
    return [(outcome.result, outcome.message) for outcome in outcomes if outcome.result is not Result.DONE]


ALLOWED = {
    "under the prefix": ({}, GIT, True),
    "a prefix without its slash": ({"prefixes": ["https://git.example.org"]}, GIT, True),
    "the project is named": ({"projects": ["shop"]}, GIT, True),
    "scp's form": ({"kind": "SSH", "prefixes": ["git@git.example.org:team"]}, "git@git.example.org:team/a.git", True),
    "for other projects": ({"projects": ["other"]}, GIT, False),
    "a longer host": ({"prefixes": ["https://git.example.org"]}, "https://git.example.org.evil.com/shop.git", False),
    "a port": ({"prefixes": ["https://git.example.org"]}, "https://git.example.org:8443/shop.git", False),
    "a longer folder": ({"prefixes": ["https://git.example.org/team"]}, "https://git.example.org/team-x/a", False),
    "another scheme": ({}, "http://git.example.org/shop.git", False),
    "a password over SSH": ({"prefixes": ["ssh://git@git.example.org"]}, "ssh://git@git.example.org/a", False),
    "a key over HTTPS": ({"kind": "SSH"}, GIT, False),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_a_login_is_for_its_urls_and_projects_alone(case: str) -> None:
    fields, url, expected = ALLOWED[case]
    assert allows(credential(**fields), "shop", url) is expected


def test_no_two_projects_share_a_secret_and_urls_that_argo_cd_takes_for_one_do() -> None:
    same = (GIT, GIT.removesuffix(".git"), GIT.replace("git.example.org", "Git.Example.Org"))
    assert len({secret_name("shop", url) for url in same}) == 1
    assert secret_name("a", "git@git.example.org:team/x.git") == secret_name("a", "ssh://git@git.example.org/team/x")
    longest = secret_name("p" * 63, "https://git.example.org/" + "x" * 400)
    assert len(longest) <= 253
    assert len(longest) - 63 == len(secret_name("a", GIT)) - 1


def test_what_was_admitted_and_is_allowed_no_more_is_not_wanted() -> None:
    built = revisions(spec_of(environment(), repositories=[APP]))
    assert set(wanted_logins(OWNER, built, [credential()], {}.get)) == {LOGIN}
    assert not wanted_logins(OWNER, built, [credential(projects=["other"])], {}.get)
    assert not wanted_logins(OWNER, built, [], {}.get)


def test_of_two_logins_for_one_url_the_first_by_name_counts() -> None:
    twice = [{**APP, "credentials": "zoo"}, {**APP, "name": "bpp", "credentials": "forge"}]
    built = revisions(spec_of(environment(), repositories=twice))
    for offered in ([credential(), credential(name="zoo")], [credential(name="zoo"), credential()]):
        assert [login.credential.name for login in wanted_logins(OWNER, built, offered, {}.get).values()] == ["forge"]


async def test_a_login_is_written_once_and_noted() -> None:
    stage = Stage()
    assert not bad(await stage.passes())
    assert stage.data() == {
        "type": "git",
        "url": GIT,
        "project": "shop",
        "username": "bot",
        "password": TOKEN.decode(),
    }
    labels = stage.secrets.objects[LOGIN]["metadata"]["labels"]
    assert labels["argocd.argoproj.io/secret-type"] == "repository"
    assert {labels[names.LABEL_INSTALLATION], labels[names.LABEL_PROJECT_UID]} == {OWNER.installation, OWNER.uid}
    assert set(stage.note) == {LOGIN.name}
    assert not stage.changes()
    assert stage.secrets.log == [("create", LOGIN)]


async def test_a_secret_is_noted_before_it_is_there_and_there_before_its_applications() -> None:
    stage = Stage()
    order = [change.key for change in sorted(stage.changes(), key=lambda change: change.rank)]
    application = next(key for key in order if key.kind is APPLICATION)
    assert order.index(PROJECT) < order.index(LOGIN) < order.index(application)
    stage.cluster.broken["create", "AppProject"] = ApiError(422, "Invalid", "no")
    await stage.passes()
    assert not stage.secrets.objects
    stage.cluster.broken.clear()
    stage.secrets.broken["create"] = ApiError(500, "InternalError", "no")
    await stage.passes()
    assert stage.note == {LOGIN.name: ""}


async def test_a_ssh_key_and_the_login_of_a_helm_repository_take_their_form() -> None:
    stage = Stage({"name": "app", "url": "git@git.example.org:shop.git", "credentials": "key"})
    stage.policy = policy({**FORGE, "name": "key", "kind": "SSH", "prefixes": ["git@git.example.org:"]})
    stage.secrets.put("forge-login", "1", sshPrivateKey=TOKEN)
    await stage.passes()
    (made,) = stage.secrets.objects.values()
    assert set(made["data"]) == {"type", "url", "project", "sshPrivateKey"}
    stage = Stage({**APP, "chart": "shop", "revision": "1.0.0"})
    await stage.passes()
    assert (stage.data()["type"], stage.data()["name"]) == ("helm", LOGIN.name)


async def test_a_new_token_replaces_all_of_the_old_content() -> None:
    stage = Stage()
    await stage.passes()
    stage.secrets.objects[LOGIN]["data"]["proxy"] = "eA=="
    stage.secrets.put("forge-login", "2", username=b"bot", password=b"renewed")
    assert of_secrets(stage.changes()) == [(Action.CHANGE, LOGIN.name)]
    await stage.passes()
    assert stage.data()["password"] == "renewed"
    assert "proxy" not in stage.data()
    assert not stage.changes()


@pytest.mark.parametrize("note", ["", "{}", "nonsense", "[1]", '{"../../x": "y"}'])
async def test_without_a_note_everything_is_written_again(note: str) -> None:
    stage = Stage()
    await stage.passes()
    stage.cluster.objects[PROJECT]["metadata"]["annotations"] = {names.ANNOTATION_CREDENTIALS: note} if note else {}
    assert not bad(await stage.passes())
    assert stage.secrets.log[-2:] == [("create", LOGIN), ("overwrite", LOGIN)]
    assert set(stage.note) == {LOGIN.name}
    assert not stage.changes()


async def test_what_nobody_has_looked_at_yet_waits_and_what_is_gone_takes_nothing_away() -> None:
    stage = Stage()
    source = stage.secrets.versions.pop("forge-login")
    assert not of_secrets(stage.changes())
    stage.secrets.versions["forge-login"] = source
    await stage.passes()
    stage.secrets.versions["forge-login"] = Source()
    assert not stage.changes()


@pytest.mark.parametrize("content", [{}, {"username": b"bot"}, {"username": b"bot", "password": b""}])
async def test_a_login_without_its_keys_says_what_is_missing_and_stops_nothing_else(content: dict[str, bytes]) -> None:
    stage = Stage()
    stage.secrets.own["forge-login"] = content
    ((result, message),) = bad(await stage.passes())
    assert result is Result.FAILED
    assert "Secret forge-login" in message
    assert "lacks" in message
    assert "password" in message
    assert any(key.kind is APPLICATION for key in stage.cluster.objects)


async def test_a_login_whose_secret_cannot_be_read_says_so_and_stops_nothing_else() -> None:
    stage = Stage()
    del stage.secrets.own["forge-login"]
    ((result, message),) = bad(await stage.passes())
    assert result is Result.FAILED
    assert message == f"credential forge for {GIT} cannot be delivered: Secret own/forge-login cannot be read: NotFound"
    assert any(key.kind is APPLICATION for key in stage.cluster.objects)


async def test_a_repository_that_leaves_takes_its_login_along_once_its_application_is_gone() -> None:
    stage = Stage()
    await stage.passes()
    application = next(key for key in stage.cluster.objects if key.kind is APPLICATION)
    stage.cluster.objects[application]["metadata"]["finalizers"] = ["example.org/wait"]
    stage.declare({"name": "other", "url": "https://public.example.org/other.git"})
    await stage.passes()
    assert LOGIN in stage.secrets.objects
    del stage.cluster.objects[application]
    assert not bad(await stage.passes())
    assert not stage.secrets.objects
    assert stage.note == {}


REVOKED = {
    "the policy offers it no more": lambda stage: setattr(stage, "policy", policy({**FORGE, "name": "other"})),
    "it is for other projects now": lambda stage: setattr(stage, "policy", policy({**FORGE, "projects": ["other"]})),
    "the project names it no more": lambda stage: stage.declare({"name": "app", "url": GIT}),
}


@pytest.mark.parametrize("how", REVOKED)
async def test_a_login_that_is_revoked_goes_at_once(how: str) -> None:
    stage = Stage()
    await stage.passes()
    REVOKED[how](stage)
    assert not bad(await stage.passes())
    assert not stage.secrets.objects
    assert stage.note == {}


async def test_without_a_policy_everything_stays() -> None:
    stage = Stage()
    await stage.passes()
    stage.policy = None
    assert not stage.changes()


async def test_a_teardown_takes_logins_away_before_the_project_that_notes_them() -> None:
    stage = Stage()
    await stage.passes()
    await stage.passes(deleting=True)
    stage.secrets.broken["delete"] = ApiError(500, "InternalError", "no")
    outcomes = {outcome.change.key: outcome.result for outcome in await stage.passes(deleting=True)}
    assert (outcomes[LOGIN], outcomes[PROJECT]) == (Result.FAILED, Result.SKIPPED)
    stage.secrets.broken.clear()
    await stage.passes(deleting=True)
    assert not stage.secrets.objects
    assert PROJECT not in stage.cluster.objects


async def test_a_strangers_secret_is_neither_overwritten_nor_removed() -> None:
    stage = Stage()
    theirs = {"metadata": {"labels": {names.LABEL_INSTALLATION: "another"}}, "data": {}}
    stage.secrets.objects[LOGIN] = theirs
    ((result, message),) = bad(await stage.passes())
    assert result is Result.CONFLICT
    assert LOGIN.name in message
    stage.declare({"name": "app", "url": GIT})
    assert not bad(await stage.passes())
    assert stage.secrets.objects[LOGIN] is theirs
    assert stage.note == {}


async def test_nothing_is_written_where_a_guard_rail_is_missing() -> None:
    stage = Stage()
    stage.cluster.state = ClusterState(guarded=False, guard_problem="one is missing")
    assert set(bad(await stage.passes())) == {(Result.GUARD_MISSING, "cluster hub: one is missing")}
    assert not stage.secrets.log


async def test_a_right_that_is_missing_is_named() -> None:
    stage = Stage()
    stage.secrets.broken["create"] = ApiError(403, "Forbidden", "cannot create secrets")
    ((result, message),) = bad(await stage.passes())
    assert result is Result.FAILED
    assert "Apply manifests/credentials to cluster hub" in message


async def test_nothing_that_is_told_or_kept_holds_the_secret() -> None:
    stage = Stage()
    changes = stage.changes()
    outcomes = await stage.passes()
    kept = orjson.dumps(list(stage.cluster.objects.values())).decode()
    told = f"{changes!r} {outcomes!r} {[str(change) for change in changes]} {kept}"
    for form in (TOKEN.decode(), base64.b64encode(TOKEN).decode()):
        assert form not in told


def test_a_digest_tells_of_the_state_of_the_source_and_of_nothing_else() -> None:
    built = revisions(spec_of(environment(), repositories=[APP]))

    def digest(uid: str, version: str, owner: Owner = OWNER, **fields: Any) -> str:
        logins = wanted_logins(owner, built, [credential(**fields)], {"forge-login": Source(uid, version)}.get)
        return next(iter(logins.values())).digest

    assert digest("u", "1") == digest("u", "1")
    assert len({digest("u", "1"), digest("u", "2"), digest("v", "1")}) == 3
