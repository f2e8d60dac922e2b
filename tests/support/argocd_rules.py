"""Argo CD's validation of AppProjects, ported: the oracle that every AppProject of a test is put to.

The API server of Argo CD checks a project that comes through itself, and never one that is applied to Kubernetes, as
ours are. The rules are those of v3.6.1: ``ValidateProject`` (pkg/apis/application/v1alpha1) and ``ValidatePolicy``
(util/rbac). Manifests have the form that the CRD takes.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Final

from onboarding.build.kinds import Manifest
from onboarding.checks.schedule import duration_of, parse_schedule

Rule = Callable[[Manifest], Iterator[str]]

_ROLE = re.compile(r"[a-zA-Z0-9]([-_a-zA-Z0-9]*[a-zA-Z0-9])?", re.ASCII)
_OBJECT = r"{}(/[*\w\-.]+)?/[*\w\-.]+"
_RESOURCES: Final = frozenset({"applications", "applicationsets", "clusters", "exec", "logs", "repositories"})
_ACTIONS: Final = frozenset({"get", "create", "update", "delete", "sync", "rollback", "override", "*"})
_PARTS_OF_ACTIONS: Final = ("action/", "update/", "delete/")
_SPACES: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029"
)
_LONGEST_DESCRIPTION: Final = 255


def refusals(manifest: Manifest) -> list[str]:
    """Return why Argo CD's API server would refuse an AppProject; empty if it would accept it."""
    return [problem for rule in RULES for problem in rule(manifest)]


def destinations(manifest: Manifest) -> Iterator[str]:
    """No part of a destination is !*, and none is there twice."""
    keys = []
    for item in _listed(manifest, "destinations"):
        name, server, namespace = (item.get(key, "") for key in ("name", "server", "namespace"))
        if "!*" in (name, server, namespace):
            yield f"destination {server or name}/{namespace}: !* is refused"
        keys.append(f"{server or name}/{namespace}")
    yield from _twice("destination", keys)


def source_namespaces(manifest: Manifest) -> Iterator[str]:
    """No source namespace is there twice."""
    yield from _twice("source namespace", _listed(manifest, "sourceNamespaces"))


def source_repositories(manifest: Manifest) -> Iterator[str]:
    """No source repository is !*, and none is there twice."""
    sources = _listed(manifest, "sourceRepos")
    if "!*" in sources:
        yield "source repository !* is refused"
    yield from _twice("source repository", sources)


def role_names(manifest: Manifest) -> Iterator[str]:
    """Roles are named in letters, digits, - and _, with no - or _ at an end, each once."""
    names = [role.get("name", "") for role in _listed(manifest, "roles")]
    for name in names:
        if not _ROLE.fullmatch(name):
            yield f"role {name!r}: a name has letters, digits, '-' and '_', and a letter or digit at each end"
    yield from _twice("role", names)


def role_policies(manifest: Manifest) -> Iterator[str]:
    """Each policy of a role is a rule for that role on objects of that project, and is there once."""
    project = manifest["metadata"].get("name", "")
    for role in _listed(manifest, "roles"):
        policies = role.get("policies") or []
        for policy in policies:
            first, *others = policy.split(",")
            parts = [first.lstrip(" "), *(part.strip(" ") for part in others)]
            for problem in _policy(project, role.get("name", ""), parts):
                yield f"policy {policy!r}: {problem}"
        yield from _twice(f"policy of role {role.get('name', '')}", map(_normalised, policies))


def role_groups(manifest: Manifest) -> Iterator[str]:
    """Groups of a role are neither empty nor quoted in part, have no space at an end, and are there once."""
    for role in _listed(manifest, "roles"):
        groups = role.get("groups") or []
        for group in groups:
            if problem := _group(group):
                yield f"group {group!r}: {problem}"
        yield from _twice(f"group of role {role.get('name', '')}", groups)


def sync_windows(manifest: Manifest) -> Iterator[str]:
    """Sync windows can be read, apply to something, and are there once, whatever their description."""
    windows = [window for window in _listed(manifest, "syncWindows") if window is not None]
    for window in windows:
        for problem in _window(window):
            yield f"sync window {window.get('schedule', '')!r}: {problem}"
    yield from _twice("sync window", map(_identity, windows))


def service_accounts(manifest: Manifest) -> Iterator[str]:
    """Accounts are named, places hold no !, and no place is there twice.

    Argo CD takes sets and alternatives in a place that it can compile; here none are taken.
    """
    keys = []
    for item in _listed(manifest, "destinationServiceAccounts"):
        server, namespace = item.get("server", ""), item.get("namespace", "")
        account = item.get("defaultServiceAccount", "")
        if {*server, *namespace} & {*"![]{}\\"}:
            yield f"service account of {server}/{namespace}: a place holds none of ! [ ] {{ }} \\"
        if not account.strip(" ") or {*account} & {*"!*[]{}\\/"}:
            yield f"service account {account!r}: it is a name, or a namespace and a name with a colon between them"
        keys.append(f"{server}/{namespace}")
    yield from _twice("service account of", keys)


RULES: Final[tuple[Rule, ...]] = (
    destinations,
    source_namespaces,
    source_repositories,
    role_names,
    role_policies,
    role_groups,
    sync_windows,
    service_accounts,
)


def _policy(project: str, role: str, parts: list[str]) -> Iterator[str]:
    if len(parts) != 6 or parts[0] != "p":
        yield "it is written as p, subject, resource, action, object, effect"
        return
    _, subject, resource, action, target, effect = parts
    if subject != f"proj:{project}:{role}":
        yield f"its subject is proj:{project}:{role}"
    if resource not in _RESOURCES:
        yield f"its resource is one of {', '.join(sorted(_RESOURCES))}"
    if action not in _ACTIONS and not any(part in action for part in _PARTS_OF_ACTIONS):
        yield "its action is none of Argo CD's"
    if not re.fullmatch(_OBJECT.format(re.escape(project)), target, re.ASCII):
        yield f"its object is written as {project}/<application>"
    if effect not in ("allow", "deny"):
        yield "its effect is allow or deny"
    if not all(map(_is_cell, parts)):
        yield "it cannot be read as comma-separated values"


def _is_cell(text: str) -> bool:
    """Return whether a part of a policy is one cell of comma-separated values, quoted as a whole or not at all."""
    text = text.lstrip(_SPACES)
    if "\n" in text:
        return False
    if not text.startswith('"'):
        return '"' not in text
    return len(text) > 1 and text.endswith('"') and '"' not in text[1:-1].replace('""', "")


def _normalised(policy: str) -> str:
    first, *others = policy.split(",")
    return ", ".join((first, *(part.strip(" ") for part in others)))


def _group(group: str) -> str:
    bare = group.strip(_SPACES)
    if len(bare) > 1 and bare.startswith('"') and bare.endswith('"'):
        bare = bare[1:-1]
    elif "," in bare:
        return "a comma has to be quoted"
    if not bare:
        return "it is empty"
    if {*bare} & {*'"\n\r\t'}:
        return "it holds a quote, a line break or a tab"
    if len(group) > 1 and (group[0] in _SPACES or group[-1] in _SPACES):
        return "it begins or ends with a space"
    return ""


def _window(window: Manifest) -> Iterator[str]:
    if window.get("kind") not in ("allow", "deny"):
        yield "its kind is allow or deny"
    for field, read in (("schedule", parse_schedule), ("duration", duration_of)):
        try:
            read(window.get(field, ""))
        except ValueError as error:
            yield f"{field} {window.get(field, '')!r}: {error}"
    if len(window.get("description", "").encode()) > _LONGEST_DESCRIPTION:
        yield f"its description has more than {_LONGEST_DESCRIPTION} bytes"
    if not any(window.get(field) for field in ("applications", "namespaces", "clusters")):
        yield "it applies to nothing: name applications, namespaces or clusters"


def _identity(window: Manifest) -> Hashable:
    texts = tuple(window.get(field, "") for field in ("kind", "schedule", "duration", "timeZone"))
    lists = tuple(tuple(window.get(field) or ()) for field in ("applications", "namespaces", "clusters"))
    return texts, lists, window.get("andOperator", False)


def _listed(manifest: Manifest, field: str) -> list[Any]:
    return manifest.get("spec", {}).get(field) or []


def _twice(what: str, keys: Iterable[Hashable]) -> Iterator[str]:
    seen: set[Hashable] = set()
    for key in keys:
        if key in seen:
            yield f"{what} {key} is there twice"
        seen.add(key)
