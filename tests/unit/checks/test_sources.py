"""Repositories and logins: only what the platform allows, by exact beginnings, and only what exists."""

from typing import Any

import pytest

from onboarding.checks import sources
from onboarding.checks.finding import Check
from onboarding.checks.inputs import EnvironmentDeclaration
from tests.unit.snapshots import environment, inputs_of, policy_of, spec_of

APP = {"name": "app", "url": "https://git.example.org/team/app.git"}
CHART = {"name": "db", "url": "https://charts.example.org/stable", "chart": "postgres", "revision": "1.2.3"}
SSH = {"name": "keys", "url": "git@git.example.org:team/keys.git"}
LOGINS = [
    {"name": "team", "secret": "team", "prefixes": ["https://git.example.org/team/"]},
    {"name": "mine", "secret": "mine", "prefixes": ["https://git.example.org/"], "projects": ["shop"]},
    {"name": "other", "secret": "other", "prefixes": ["https://git.example.org/"], "projects": ["else"]},
    {"name": "key", "secret": "key", "kind": "SSH", "prefixes": ["git@git.example.org:team/"]},
]


def given(*repositories: dict[str, Any], deployments: Any = (), **delivery: Any) -> EnvironmentDeclaration:
    spec = spec_of(environment(deployments=list(deployments)), repositories=list(repositories))
    return inputs_of(spec, policy=policy_of(delivery=delivery))


def helm(**fields: Any) -> dict[str, Any]:
    return {**APP, "helm": fields}


def login(name: str, prefix: str, *projects: str, **more: str) -> dict[str, Any]:
    return {"name": name, "secret": name, "prefixes": [prefix], "projects": list(projects), **more}


def using(login: str, repository: dict[str, Any] = APP) -> EnvironmentDeclaration:
    return given({**repository, "credentials": login}, credentials=LOGINS)


Case = tuple[Check[EnvironmentDeclaration], EnvironmentDeclaration]
PASSES: dict[str, Case] = {
    "one that is allowed in another spelling": (
        sources.repositories_are_allowed,
        given(
            {**APP, "url": "https://GIT.example.org.:443//team/./app"},
            {**SSH, "url": "ssh://git@git.example.org:22/team/keys"},
            repositoryPrefixes=["https://git.example.org/team", "git@git.example.org:"],
        ),
    ),
    "any repository": (sources.repositories_are_allowed, given(APP, SSH)),
    "one that is allowed": (
        sources.repositories_are_allowed,
        given(APP, SSH, repositoryPrefixes=["https://git.example.org/team", "git@git.example.org:"]),
    ),
    "deployments of what there is": (sources.repositories_are_known, given(APP, deployments=[{"repository": "app"}])),
    "values of what there is": (
        sources.repositories_are_known,
        given(helm(valuesRepository="keys"), {**SSH, "deploys": False}),
    ),
    "a version of a chart": (
        sources.deployments_fit,
        given(CHART, deployments=[{"repository": "db", "revision": "1.2.2", "valueFiles": ["a.yaml"]}]),
    ),
    "a folder": (sources.deployments_fit, given(APP, deployments=[{"repository": "app", "path": "overlays/dev"}])),
    "what is not there is not judged": (
        sources.deployments_fit,
        given(deployments=[{"repository": "app", "path": "a"}]),
    ),
    "a URL of nobody's login": (sources.repositories_are_open_to_the_project, given(APP, SSH)),
    "a URL of others' login and ours": (
        sources.repositories_are_open_to_the_project,
        given({**APP, "url": "https://git.example.org/else/app.git"}, credentials=LOGINS),
    ),
    "a folder of ours in that of others": (
        sources.repositories_are_open_to_the_project,
        given(
            APP,
            credentials=[
                login("host", "https://git.example.org", "else"),
                login("us", "https://git.example.org/team", "shop"),
            ],
        ),
    ),
    "a neighbour of what is others'": (
        sources.repositories_are_open_to_the_project,
        given(APP, credentials=[login("tea", "https://git.example.org/tea", "else")]),
    ),
    "no login": (sources.credentials_are_known, given(APP)),
    "a login": (sources.credentials_are_known, using("other")),
    "a login for everybody": (sources.credentials_are_allowed, using("team")),
    "a login for this project": (sources.credentials_are_allowed, using("mine")),
    "a key": (sources.credentials_are_allowed, using("key", SSH)),
    "a login that is unknown is not judged": (sources.credentials_are_allowed, using("none")),
}
FAILS: dict[str, tuple[Check[EnvironmentDeclaration], EnvironmentDeclaration, str, str]] = {
    "another host": (
        sources.repositories_are_allowed,
        given(APP, repositoryPrefixes=["https://git.example.com/", "https://git.example.net/"]),
        "repository app: https://git.example.org/team/app.git is not allowed",
        "https://git.example.com/, https://git.example.net/",
    ),
    "a host that is none": (
        sources.repositories_are_allowed,
        given({**APP, "url": "https://xn--a.example.org/x.git"}),
        "repository app: https://xn--a.example.org/x.git cannot be compared: its host has a label",
        "write it with a full host name and plain folders",
    ),
    "another case of a folder that is allowed": (
        sources.repositories_are_allowed,
        given({**APP, "url": "https://git.example.org/Team/app"}, repositoryPrefixes=["https://git.example.org/team/"]),
        "repository app: https://git.example.org/Team/app is not allowed",
        "",
    ),
    "a deployment of what is not there": (
        sources.repositories_are_known,
        given(APP, SSH, deployments=[{"repository": "ap"}]),
        "deployments[ap]: the project has no such repository",
        "choose one of: app, keys",
    ),
    "values of what is not there": (
        sources.repositories_are_known,
        given(helm(valuesRepository="values"), CHART),
        "repository app: helm.valuesRepository 'values' is none of the project",
        "choose one of: app",
    ),
    "values of a chart": (
        sources.repositories_are_known,
        given(helm(valuesRepository="db"), CHART),
        "repository app: helm.valuesRepository 'db' holds charts and no files",
        "choose one of: app",
    ),
    "a path of a chart": (
        sources.deployments_fit,
        given(CHART, deployments=[{"repository": "db", "path": "a"}]),
        "deployments[db].path: a chart",
        "",
    ),
    "the head of a chart": (
        sources.deployments_fit,
        given(CHART, deployments=[{"repository": "db", "revision": "HEAD"}]),
        "deployments[db].revision: a chart has no HEAD",
        "",
    ),
    "values of plain manifests": (
        sources.deployments_fit,
        given({**APP, "recurse": True}, deployments=[{"repository": "app", "valueFiles": ["a.yaml"]}]),
        "deployments[app].valueFiles: recurse",
        "",
    ),
    "a URL that others log in to": (
        sources.repositories_are_open_to_the_project,
        given(APP, credentials=[login("them", "https://git.example.org/team/", "else")]),
        "repository app: https://git.example.org/team/app.git is read with a login of other projects: them",
        "",
    ),
    "the same in other letters": (
        sources.repositories_are_open_to_the_project,
        given(APP, credentials=[login("them", "https://GIT.example.org/Team/App", "else")]),
        "repository app: https://git.example.org/team/app.git is read",
        "",
    ),
    "the same by SSH": (
        sources.repositories_are_open_to_the_project,
        given(SSH, credentials=[login("them", "ssh://git@git.example.org/team", "else", kind="SSH")]),
        "repository keys: git@git.example.org:team/keys.git is read",
        "",
    ),
    "a folder of others in what everybody may read": (
        sources.repositories_are_open_to_the_project,
        given(
            {**APP, "credentials": "all"},
            credentials=[
                login("all", "https://git.example.org/"),
                login("them", "https://git.example.org/team", "else"),
            ],
        ),
        "repository app: https://git.example.org/team/app.git is read with a login of other projects: them",
        "",
    ),
    "a login that nobody offers": (
        sources.credentials_are_known,
        using("none"),
        "repository app: login 'none' is not in the policy",
        "choose one of: mine, team; or",
    ),
    "a login for another project": (
        sources.credentials_are_allowed,
        using("other"),
        "repository app: login 'other' is for other projects",
        "choose one of: mine, team; or",
    ),
    "a login for another URL": (
        sources.credentials_are_allowed,
        using("team", {**APP, "url": "https://git.example.org/teams/app.git"}),
        "repository app: login 'team' is not for https://git.example.org/teams/app.git",
        "choose one of: mine; or",
    ),
    "a login of another kind": (
        sources.credentials_are_allowed,
        using("team", SSH),
        "repository keys: login 'team' is for HTTPS, and git@git.example.org:team/keys.git is not",
        "choose one of: key; or",
    ),
}


@pytest.mark.parametrize("case", PASSES)
def test_a_check_passes(case: str) -> None:
    check, inputs = PASSES[case]
    assert check.run(inputs) is None


@pytest.mark.parametrize("case", FAILS)
def test_a_check_fails_on_one_thing(case: str) -> None:
    check, inputs, message, remedy = FAILS[case]
    found = check.run(inputs)
    assert found is not None
    assert found.message.startswith(message)
    assert remedy in found.remedy
    assert [other.id for other, *_ in FAILS.values() if other is not check and other.run(inputs)] == []


COMMIT, MOVES = "0123456789abcdef" * 2 + "01234567", "can move"
PINNED: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], str]] = {
    "a commit": ([{**APP, "revision": COMMIT}], [], ""),
    "a commit of the environment alone": ([APP], [{"repository": "app", "revision": COMMIT}], ""),
    "a chart": ([CHART], [], ""),
    "a chart of a pre-release": ([{**CHART, "revision": "v1.2.3-rc.1"}], [], ""),
    "what is only values": ([{**SSH, "deploys": False}], [], ""),
    "the default": ([APP], [], "revision 'HEAD' can move"),
    "a branch": ([{**APP, "revision": "main"}], [], MOVES),
    "a tag": ([{**APP, "revision": "v1.2.3"}], [], MOVES),
    "a short commit": ([{**APP, "revision": COMMIT[:12]}], [], MOVES),
    "a commit in capitals": ([{**APP, "revision": COMMIT.upper()}], [], MOVES),
    "a branch that looks like more than a commit": ([{**APP, "revision": f"{COMMIT}0"}], [], MOVES),
    "a branch of the environment alone": (
        [{**APP, "revision": COMMIT}],
        [{"repository": "app", "revision": "main"}],
        MOVES,
    ),
    "a part of a version": ([{**CHART, "revision": "1.2"}], [], MOVES),
    "a wildcard": ([{**CHART, "revision": "1.2.x"}], [], MOVES),
    "values that move": (
        [{**helm(valuesRepository="keys", valueFiles=["a.yaml"]), "revision": COMMIT}, {**SSH, "deploys": False}],
        [],
        "repository keys: revision 'HEAD' can move",
    ),
}


@pytest.mark.parametrize(("repositories", "deployments", "why"), PINNED.values(), ids=PINNED)
@pytest.mark.parametrize("pinned", [True, False])
def test_a_pinned_stage_deploys_only_what_does_not_move(
    repositories: list[dict[str, Any]], deployments: list[dict[str, Any]], why: str, *, pinned: bool
) -> None:
    plain = policy_of()
    policy = plain.model_copy(
        update={"stages": tuple(stage.model_copy(update={"pinned": pinned}) for stage in plain.stages)}
    )
    spec = spec_of(environment(deployments=deployments), repositories=repositories)
    finding = sources.revisions_are_pinned.run(inputs_of(spec, policy=policy))
    assert (why in finding.message) if finding else (why == "" or not pinned)
    assert bool(finding) is (pinned and bool(why))
