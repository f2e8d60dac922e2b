"""The account that Argo CD syncs as may write exactly the kinds that AppProjects permit where a policy says nothing."""

from pathlib import Path
from typing import Any

import yaml

from onboarding import names
from onboarding.build.kinds import ROLE_BINDING
from onboarding.build.permitted import GUARD_KINDS, USUAL_KINDS, GroupKind

MANIFEST = Path(__file__).parents[3] / "manifests" / "cluster" / "clusterrole-tenant-sync.yaml"
SYNCS = ["get", "list", "watch", "create", "update", "patch", "delete"]
BESIDES = [
    {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
    {"apiGroups": ["route.openshift.io"], "resources": ["routes/custom-host"], "verbs": ["create", "update"]},
    {"apiGroups": [""], "resources": ["events", "pods/log"], "verbs": ["get", "list"]},
]
"""What belongs to permitted kinds without being one."""


def resource(kind: GroupKind) -> tuple[str, str]:
    """Return group and resource of a kind, which is its plural in English."""
    group, name = kind[0], kind[1].lower()
    return group, f"{name}es" if name.endswith("s") else f"{name}s"


def roles() -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item for item in yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8"))}


def test_resources_are_named_as_the_api_server_names_them() -> None:
    assert resource((ROLE_BINDING.group, ROLE_BINDING.kind)) == (ROLE_BINDING.group, ROLE_BINDING.plural)
    assert resource(("networking.k8s.io", "Ingress")) == ("networking.k8s.io", "ingresses")


def test_the_role_writes_what_app_projects_permit_and_nothing_else() -> None:
    """Neither a guard rail nor one of the verbs ``bind`` and ``escalate`` is among it."""
    rules = roles()["onboarding:aggregate-to-sync"]["rules"]
    kinds = [rule for rule in rules if rule not in BESIDES]
    given = [(group, name) for rule in kinds for group in rule["apiGroups"] for name in rule["resources"]]
    assert sorted(given) == sorted(map(resource, USUAL_KINDS))
    assert [rule for rule in rules if rule in BESIDES] == BESIDES
    assert [rule["verbs"] for rule in kinds] == [SYNCS] * len(kinds)
    assert not set(given) & set(map(resource, GUARD_KINDS))


def test_a_platform_adds_to_the_role_by_a_role_of_its_own() -> None:
    """The rules of an aggregated role are the controller's: an apply that named them would fight with it."""
    role = roles()[names.SYNC_ROLE]
    assert role.keys() == {"apiVersion", "kind", "metadata", "aggregationRule"}
    [selector] = role["aggregationRule"]["clusterRoleSelectors"]
    assert selector == {"matchLabels": roles()["onboarding:aggregate-to-sync"]["metadata"]["labels"]}
