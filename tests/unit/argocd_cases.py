"""AppProjects that Argo CD's validation takes and refuses, one thing at a time, and mutations of a good one."""

import copy
import random
from typing import Any

Manifest = dict[str, Any]

NAME = "team"
POLICY = f"p, proj:{NAME}:dev, applications, get, {NAME}/*, allow"
SERVER = "https://kubernetes.default.svc"
WINDOW = {"kind": "allow", "schedule": "0 22 * * 1-5", "duration": "8h", "namespaces": ["a"]}


def project(**spec: Any) -> Manifest:
    """Return a project with this spec."""
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": NAME}, "spec": spec}


def role(**fields: Any) -> Manifest:
    """Return a project with a role that has these fields."""
    return project(roles=[{"name": "dev", **fields}])


def policy(text: str) -> Manifest:
    """Return a project with a role that has this policy."""
    return role(policies=[text])


def part(index: int, text: str) -> Manifest:
    """Return a project with a policy that differs in one part."""
    parts = POLICY.split(", ")
    return policy(", ".join((*parts[:index], text, *parts[index + 1 :])))


def window(**fields: Any) -> Manifest:
    """Return a project with one sync window."""
    return project(syncWindows=[{**WINDOW, **fields}])


def account(**fields: str) -> Manifest:
    """Return a project with one destination service account."""
    return project(
        destinationServiceAccounts=[{"server": SERVER, "namespace": "a", "defaultServiceAccount": "sync:a", **fields}]
    )


PLACE = {"server": SERVER, "namespace": "a"}
REFUSED: dict[str, dict[str, Manifest]] = {
    "destinations": {
        "a server !*": project(destinations=[{"server": "!*", "namespace": "a"}]),
        "a name !*": project(destinations=[{"name": "!*", "namespace": "a"}]),
        "a namespace !*": project(destinations=[{"server": SERVER, "namespace": "!*"}]),
        "a place twice": project(destinations=[PLACE, PLACE]),
        "a named place twice": project(destinations=[{"name": "a", "namespace": "b"}, {"name": "a", "namespace": "b"}]),
        "a name like a server": project(
            destinations=[{"server": "x", "namespace": "b"}, {"name": "x", "namespace": "b"}]
        ),
    },
    "source_namespaces": {"one twice": project(sourceNamespaces=["a", "b", "a"])},
    "source_repositories": {
        "!*": project(sourceRepos=["!*"]),
        "one twice": project(sourceRepos=["https://git.example.org/a", "https://git.example.org/a"]),
    },
    "role_names": {
        **{repr(name): project(roles=[{"name": name}]) for name in ("", "-a", "a-", "a b", "a.b", "é", "a\n", "a:b")},
        "one twice": project(roles=[{"name": "dev"}, {"name": "dev"}]),
    },
    "role_policies": {
        "five parts": policy(POLICY.rpartition(",")[0]),
        "seven parts": policy(f"{POLICY}, "),
        "not p": part(0, "g"),
        "a space after p": part(0, "p "),
        "another role": part(1, f"proj:{NAME}:ops"),
        "another project": part(1, "proj:other:dev"),
        "another resource": part(2, "projects"),
        "no such action": part(3, "deploy"),
        "an action without its object": part(3, "action"),
        "objects of another project": part(4, "other/*"),
        "objects of a project that begins alike": part(4, f"{NAME}2/*"),
        "no object": part(4, NAME),
        "an object too deep": part(4, f"{NAME}/a/b/c"),
        "an object with a space": part(4, f"{NAME}/a b"),
        "another effect": part(5, "maybe"),
        "one twice": role(policies=[POLICY, POLICY]),
        "one twice but for spaces": role(policies=[POLICY, POLICY.replace(", ", ",   ")]),
        "a quote": part(3, 'action/"x"'),
        "a quote that ends too early": part(3, '"action/"x'),
        "a line break": part(3, "action/\nx"),
    },
    "role_groups": {
        **{repr(name): role(groups=[name]) for name in ("", " ", "a,b", '"', '""', 'a"b', '"a"b"', "a\tb", "a\nb")},
        **{repr(name): role(groups=[name]) for name in (" a", "a ", "\u00a0a", "a\u2003")},
        "one twice": role(groups=["a", "b", "a"]),
    },
    "sync_windows": {
        **{f"kind {kind!r}": window(kind=kind) for kind in ("Allow", "", "block")},
        **{
            f"schedule {text!r}": window(schedule=text)
            for text in (
                *("", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *"),
                *("* * * 0 *", "* * * * 7", "* * * * L", "* * * * 1#2", "* * LW * *", "5-1 * * * *", "*/0 * * * *"),
                *("1-2-3 * * * *", "1/2/3 * * * *", "a * * * *", "-1 * * * *", "@daily", "1.5 * * * *", "* * * foo *"),
                *("99999999999999999999 * * * *", "1- * * * *", "1/ * * * *", "mon * * * *", "0x1 * * * *"),
            )
        },
        **{
            f"duration {text!r}": window(duration=text)
            for text in ("", "8", "h", "8 h", "8H", "1d", "1h-5m", "--1h", ".h", "1..5h", "9999999999999h", "+")
        },
        "a long description": window(description="é" * 128),
        "for nothing": window(namespaces=[]),
        "one twice": project(syncWindows=[WINDOW, WINDOW]),
        "one twice but for what does not count": project(
            syncWindows=[WINDOW, {**WINDOW, "manualSync": True, "description": "other"}]
        ),
    },
    "service_accounts": {
        "a server with !": account(server="!https://a"),
        "a namespace with !": account(namespace="!a"),
        "no account": account(defaultServiceAccount="  "),
        **{f"an account with {mark}": account(defaultServiceAccount=f"a{mark}") for mark in "!*[]{}\\/"},
        "a server that is no glob": account(server="https://[a"),
        "a namespace that is no glob": account(namespace="[a"),
        "one twice": project(
            destinationServiceAccounts=[{**PLACE, "defaultServiceAccount": text} for text in ("sync:a", "sync:b")]
        ),
    },
}
"""By the name of the rule in tests/support/argocd_rules.py: projects that break it, and nothing else."""

TAKEN: dict[str, Manifest] = {
    "an empty one": project(),
    "places": project(destinations=[PLACE, {"server": SERVER, "namespace": "b"}, {"name": "a", "namespace": "a"}]),
    "sources": project(sourceRepos=["https://git.example.org/a", "!https://git.example.org/b", "*"]),
    "a role": role(policies=[POLICY, POLICY.replace("get", "sync")], groups=["a", "oidc:a/b@c.d", '"a,b"', "a b"]),
    "names of roles": project(roles=[{"name": name} for name in ("a", "A-1", "a_b", "a--b")]),
    "objects": role(policies=[POLICY.replace("/*", text) for text in ("/*", "/a.b-c_d", "/ns/*", "/*/a")]),
    "actions": role(
        policies=[
            POLICY.replace("get", text)
            for text in (
                "create",
                "rollback",
                "override",
                "*",
                "action/*",
                "delete/*/Pod/*",
                "update/a",
                "xaction/y",
                '"action/a"',
            )
        ]
    ),
    "resources": role(policies=[POLICY.replace("applications", text) for text in ("logs", "exec", "repositories")]),
    "spaces": policy(f"  {POLICY.replace(', ', ',   ')}  "),
    "schedules": project(
        syncWindows=[
            {**WINDOW, "schedule": text}
            for text in (
                *(
                    "* * * * *",
                    "0 22 * * mon-FRI",
                    "*/15 0-6/2 1,15 JAN,jun 0",
                    "5/10 * ? * ?",
                    "0 0 30 2 *",
                    "+1 1 1 1 1",
                ),
                *(
                    "1,,2 * * * *",
                    ", * * * *",
                    "*-5 * * * *",
                    "*/100 * * * *",
                    " 0  0 * * * ",
                    "007 * * * *",
                    "* * * * SUN",
                ),
            )
        ]
    ),
    "durations": project(
        syncWindows=[
            {**WINDOW, "duration": text}
            for text in (
                "1h",
                "90m",
                "1h30m",
                "0",
                "+0",
                "-1h",
                "1.5h",
                ".5h",
                "1.h",
                "100ms",
                "3us",
                "3µs",
                "2540400h",
            )
        ]
    ),
    "windows": project(
        syncWindows=[
            WINDOW,
            {**WINDOW, "andOperator": True},
            {**WINDOW, "timeZone": "Europe/Paris"},
            {**WINDOW, "timeZone": "Nowhere/At-All"},
            {**WINDOW, "clusters": ["b"]},
            {**WINDOW, "namespaces": [], "applications": ["a"]},
            None,
        ]
    ),
    "a long description": window(description="é" * 127),
    "accounts": project(
        destinationServiceAccounts=[
            {"server": SERVER, "namespace": "a", "defaultServiceAccount": "sync:a"},
            {"server": SERVER, "namespace": "*", "defaultServiceAccount": " a "},
        ]
    ),
}
"""Projects that Argo CD takes, whatever one thinks of them."""

GOOD: Manifest = project(
    description="A team",
    sourceRepos=["https://git.example.org/a", "https://git.example.org/b"],
    destinations=[PLACE, {"server": SERVER, "namespace": "b"}],
    roles=[
        {"name": "dev", "groups": ["a", "b"], "policies": [POLICY, POLICY.replace("get", "sync")]},
        {"name": "ops", "groups": ["c"], "policies": [POLICY.replace("dev", "ops")]},
    ],
    syncWindows=[WINDOW, {**WINDOW, "kind": "deny", "schedule": "0 0 20 12 *", "duration": "336h", "timeZone": "UTC"}],
    destinationServiceAccounts=[{**PLACE, "defaultServiceAccount": "sync:a"}],
)
_PIECES = (
    *("", " ", "*", "!", "!*", ",", '"', "-", "_", "/", ":", "\n", "a", "0", "7", "60", "é", "dev", "proj:team:dev"),
    *("deny", "team/*", "1-5", "*/5", "mon", "1h", "30m", "p", "get", "logs", "\u00a0", "?"),
)


def mutations(count: int, seed: int = 5) -> list[Manifest]:
    """Return copies of a good project, each with one text or list changed, always the same ones."""
    dice = random.Random(seed)
    return [_mutated(GOOD, dice) for _ in range(count)]


def _mutated(manifest: Manifest, dice: random.Random) -> Manifest:
    found = copy.deepcopy(manifest)
    places = list(_places(found["spec"]))
    container, key = dice.choice(places)
    value = container[key]
    if isinstance(value, list):
        value.append(copy.deepcopy(dice.choice(value)))
    else:
        at = dice.randint(0, len(value))
        piece = dice.choice(_PIECES)
        container[key] = dice.choice((piece, value[:at] + piece + value[at:], value[:at], value[:at] + value[at + 1 :]))
    return found


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, (str, list)):
            yield value, key
        if isinstance(item, (dict, list)):
            yield from _places(item)
