"""SECURITY.md lists the rights that the manifests give to the operator, and no others."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from onboarding import names

ROOT = Path(__file__).parents[3]
ACCOUNTS = {names.MANAGER, "project-onboarding-site"}


class Right(NamedTuple):
    """One rule of a role, and the scope in which a binding grants it."""

    role: str
    scope: str
    groups: frozenset[str]
    resources: frozenset[str]
    only: frozenset[str]
    verbs: frozenset[str]


def manifests() -> Iterator[dict[str, Any]]:
    for path in sorted(ROOT.glob("manifests/**/*.yaml")):
        yield from filter(None, yaml.safe_load_all(path.read_text(encoding="utf-8")))


def granted() -> set[Right]:
    """Return the rules of every role that is bound to an account of the operator."""
    objects = list(manifests())
    roles = {(item["kind"], item["metadata"]["name"]): item for item in objects if item["kind"].endswith("Role")}
    bindings = [item for item in objects if item["kind"].endswith("RoleBinding")]
    return {
        Right(
            role,
            binding["metadata"].get("namespace", "cluster"),
            frozenset(group or "core" for group in rule["apiGroups"]),
            frozenset(rule["resources"]),
            frozenset(rule.get("resourceNames", ["any"])),
            frozenset(rule["verbs"]),
        )
        for binding in bindings
        if ACCOUNTS & {subject["name"] for subject in binding["subjects"]}
        for role in [binding["roleRef"]["name"]]
        for rule in roles[binding["roleRef"]["kind"], role]["rules"]
    }


def documented() -> list[Right]:
    """Return the rows of the table of rights."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    section = text.split("\n## What the operator may do\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return [Right(role, scope, *map(frozenset, sets)) for role, scope, *sets in map(cells, rows)]


def cells(row: str) -> tuple[Any, ...]:
    role, scope, *sets, _reason = (re.sub("`", "", cell).strip() for cell in row.strip("|").split("|"))
    return role, scope, *(cell.split(", ") for cell in sets)


def test_the_table_of_rights_is_that_of_the_manifests() -> None:
    """Each rule of a role bound to the operator is one row, with the same resources, names, verbs and scope."""
    rows = documented()
    assert len(rows) == len(set(rows))
    assert set(rows) - granted() == set(), "rows without a rule"
    assert granted() - set(rows) == set(), "rules without a row"


def test_the_operator_writes_no_rbac_of_the_whole_cluster() -> None:
    """What it grants, it grants in a namespace; roles that hold everywhere are installed, never written."""
    cluster_wide = [right for right in granted() if right.resources & {"clusterroles", "clusterrolebindings"}]
    assert {verb for right in cluster_wide for verb in right.verbs} == {"get", "bind"}
    assert [right for right in cluster_wide if "bind" in right.verbs and "any" in right.only] == []
