"""What the operator's accounts asked the API servers for, by their audit logs, against what their roles let them do."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import yaml

from tests.support.audit import OPERATOR, SITE_ACCOUNT
from tests.support.installing import ROOT

_FOLDERS = ("cluster", "install", "credentials", "argocd-settings")
_ACCOUNTS = (OPERATOR, SITE_ACCOUNT)
_PROGRAM = ("project-onboarding-operator", "kopf/")
"""Beginnings of the user agents of the operator: tests ask in the name of its accounts, too."""


class Right(NamedTuple):
    """A verb on a resource that a role gives; cluster-wide if the namespace is empty."""

    role: str
    namespace: str
    group: str
    resource: str
    """With its subresource, as in ``projectonboardings/status``."""
    verb: str
    names: tuple[str, ...] = ()
    """The only names; any if empty."""

    def __str__(self) -> str:
        return f"{self.role}: {self.verb} {self.resource}{f'.{self.group}' if self.group else ''}"


class Asked(NamedTuple):
    """What one request or more asked for."""

    namespace: str
    group: str
    resource: str
    verb: str
    name: str

    def uses(self, right: Right) -> bool:
        """Return whether the right is about this."""
        return (
            (self.group, self.resource, self.verb) == (right.group, right.resource, right.verb)
            and right.namespace in ("", self.namespace)
            and (not right.names or self.name in right.names)
        )


def rights() -> list[Right]:
    """Return what the shipped roles give to the operator's accounts, right by right."""
    found: list[Right] = []
    for file in sorted(file for folder in _FOLDERS for file in (ROOT / "manifests" / folder).glob("*role*.yaml")):
        for item in yaml.safe_load_all(file.read_text()):
            if item["kind"] in ("ClusterRole", "Role") and item["metadata"]["name"].startswith("project-onboarding"):
                found += _rights_of(item)
    return found


def _rights_of(role: dict[str, Any]) -> Iterator[Right]:
    name, namespace = role["metadata"]["name"], role["metadata"].get("namespace", "")
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield Right(name, namespace, group, resource, verb, tuple(rule.get("resourceNames", ())))


def asked_for(log: Path) -> set[Asked]:
    """Return what the operator asked the server for that writes this audit log."""
    accounts = [account.encode() for account in _ACCOUNTS]
    with log.open("rb") as lines:
        return {
            asked
            for line in lines
            if line.endswith(b"\n") and any(account in line for account in accounts)
            for asked in _asked(orjson.loads(line))
        }


def _asked(event: dict[str, Any]) -> Iterator[Asked]:
    target, program = event.get("objectRef"), event.get("userAgent") or ""
    if target and event["user"].get("username") in _ACCOUNTS and program.startswith(_PROGRAM):
        resource = "/".join(target[part] for part in ("resource", "subresource") if part in target)
        namespace = target.get("namespace", "")
        yield Asked(namespace, target.get("apiGroup", ""), resource, event["verb"], target.get("name", ""))


def never_asked(asked: Collection[Asked], given: Iterable[Right]) -> list[Right]:
    """Return the rights that nobody used."""
    return [right for right in given if not any(item.uses(right) for item in asked)]
