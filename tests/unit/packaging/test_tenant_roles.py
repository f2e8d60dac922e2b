"""The tenant roles: each is aggregated by a label of its own, and every one reads what Argo CD may sync."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from onboarding.build.permitted import USUAL_KINDS
from tests.unit.build.test_sync_role import resource

MANIFESTS = Path(__file__).parents[3] / "manifests" / "cluster"
READS = {"get", "list", "watch"}
INCLUDED_IN = {
    "viewer": {"viewer", "developer", "admin"},
    "developer": {"developer", "admin"},
    "admin": {"admin"},
}
"""Which roles have the rules of each."""


def objects(role: str) -> dict[str, dict[str, Any]]:
    text = (MANIFESTS / f"clusterrole-tenant-{role}.yaml").read_text(encoding="utf-8")
    return {item["metadata"]["name"]: item for item in yaml.safe_load_all(text)}


@pytest.mark.parametrize("role", INCLUDED_IN)
def test_a_platform_adds_to_each_role_by_a_label(role: str) -> None:
    """A role names no rules of its own: they are the controller's, and an apply that named them would fight with it."""
    found = objects(role)
    aggregated, source = found[f"onboarding:{role}"], found[f"onboarding:aggregate-to-{role}"]
    label = {f"projectonboarding.io/aggregate-to-{role}": "true"}
    assert "rules" not in aggregated
    assert aggregated["aggregationRule"] == {"clusterRoleSelectors": [{"matchLabels": label}]}
    labels = {f"projectonboarding.io/aggregate-to-{name}": "true" for name in INCLUDED_IN[role]}
    assert source["metadata"]["labels"] == labels


def test_every_role_reads_what_argo_cd_may_sync_but_secrets() -> None:
    rules = objects("viewer")["onboarding:aggregate-to-viewer"]["rules"]
    read = {(group, name) for rule in rules for group in rule["apiGroups"] for name in rule["resources"]}
    assert {tuple(sorted(rule["verbs"])) for rule in rules} == {tuple(sorted(READS))}
    assert {resource(kind) for kind in USUAL_KINDS} - read == {("", "secrets")}
