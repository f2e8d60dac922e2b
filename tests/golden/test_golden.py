"""What is built for known inputs, to the letter.

``input/*.yaml`` holds revisions, ``output/*.yaml`` every manifest that is built from them, in order. After a change of
the builders that is meant, run ``UPDATE_GOLDEN=1 pytest tests/golden`` and read the difference before it is committed.
"""

import os
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from onboarding.api.quantities import milli
from onboarding.build.kinds import ARGO_KINDS, Wanted
from onboarding.build.permitted import ACCESS_KINDS, GUARD_KINDS
from onboarding.build.revision import Owner, Revision
from onboarding.build.wanted import build_wanted
from tests.support.argocd_lints import project_problems

FOLDER = Path(__file__).parent
INPUTS = sorted(path.stem for path in (FOLDER / "input").glob("*.yaml"))
VERSIONS = ("1.36", "1.37")
ARGO = {kind.kind for kind in ARGO_KINDS}


def built(name: str) -> list[Wanted]:
    """Build everything for an input."""
    given = yaml.safe_load((FOLDER / "input" / f"{name}.yaml").read_text(encoding="utf-8"))
    return build_wanted(Owner(**given["owner"]), [Revision.model_validate(item) for item in given["revisions"]])


def manifests(name: str, kind: str) -> list[dict[str, Any]]:
    """Return what is built of one kind."""
    return [item.manifest for item in built(name) if item.manifest["kind"] == kind]


def render(wanted: list[Wanted]) -> str:
    """Return the manifests as YAML, each under the place that it is written to."""
    parts = (
        f"# {item.key} (site {item.cluster})\n{yaml.safe_dump(item.manifest, sort_keys=False, width=120)}"
        for item in wanted
    )
    return "---\n".join(parts)


@pytest.mark.parametrize("name", INPUTS)
def test_what_is_built_is_what_was_reviewed(name: str) -> None:
    text, path = render(built(name)), FOLDER / "output" / f"{name}.yaml"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_every_output_has_an_input() -> None:
    assert sorted(path.stem for path in (FOLDER / "output").glob("*.yaml")) == INPUTS


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", INPUTS)
def test_every_manifest_of_a_built_in_kind_is_valid(name: str, version: str) -> None:
    for item in built(name):
        if item.key.kind not in ARGO_KINDS:
            kubernetes_validate.validate(item.manifest, version, strict=True)


@pytest.mark.parametrize("name", INPUTS)
def test_building_twice_gives_the_same(name: str) -> None:
    assert built(name) == built(name)


@pytest.mark.parametrize("name", INPUTS)
def test_no_two_objects_share_a_place(name: str) -> None:
    keys = [item.key for item in built(name)]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("name", INPUTS)
def test_no_object_has_an_owner_reference_or_a_finalizer(name: str) -> None:
    for item in built(name):
        assert not {"ownerReferences", "finalizers"} & item.manifest["metadata"].keys()


@pytest.mark.parametrize("name", INPUTS)
def test_every_namespace_denies_what_is_not_allowed(name: str) -> None:
    deny = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    denied = {
        item.key[:3:2]
        for item in built(name)
        if item.key.kind.kind == "NetworkPolicy" and item.manifest["spec"] == deny
    }
    assert denied == {(item.key.cluster, item.key.name) for item in built(name) if item.key.kind.kind == "Namespace"}


def peers_of(policy: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the other ends of a policy; each of its rules has some."""
    peers = []
    for rule in policy["spec"].get("ingress", []) + policy["spec"].get("egress", []):
        assert rule.get("from") or rule.get("to")
        peers += rule.get("from", []) + rule.get("to", [])
    return peers


@pytest.mark.parametrize("name", INPUTS)
def test_no_hole_is_open_to_everybody(name: str) -> None:
    for policy in manifests(name, "NetworkPolicy"):
        for peer in peers_of(policy):
            assert peer
            if "namespaceSelector" not in peer:
                continue
            labels = peer["namespaceSelector"]["matchLabels"]
            if "network.openshift.io/policy-group" in labels:
                ours = {"key": "projectonboarding.io/installation", "operator": "DoesNotExist"}
                assert peer["namespaceSelector"]["matchExpressions"] == [ours]
            else:
                assert "kubernetes.io/metadata.name" in labels


@pytest.mark.parametrize("name", INPUTS)
def test_link_local_and_metadata_addresses_are_in_no_flow(name: str) -> None:
    """Asked address by address, as a cluster's network would."""
    never = ("169.254.169.254", "169.254.1.1", "100.100.100.200", "fd00:ec2::254", "fe80::1")
    for policy in manifests(name, "NetworkPolicy"):
        for block in (peer["ipBlock"] for peer in peers_of(policy) if "ipBlock" in peer):
            for address in map(ip_address, never):
                assert address not in ip_network(block["cidr"]) or any(
                    address in ip_network(excepted) for excepted in block["except"]
                )


@pytest.mark.parametrize("name", INPUTS)
def test_what_is_excepted_lies_strictly_within(name: str) -> None:
    """The API server refuses anything else."""
    for policy in manifests(name, "NetworkPolicy"):
        for block in (peer["ipBlock"] for peer in peers_of(policy) if "ipBlock" in peer):
            cidr = ip_network(block["cidr"])
            for excepted in map(ip_network, block.get("except", [])):
                assert excepted.version == cidr.version
                assert excepted.prefixlen > cidr.prefixlen
                assert excepted.network_address in cidr


@pytest.mark.parametrize("name", INPUTS)
def test_defaults_fit_the_quota(name: str) -> None:
    for limits, quota in zip(manifests(name, "LimitRange"), manifests(name, "ResourceQuota"), strict=True):
        (item,) = limits["spec"]["limits"]
        for resource in ("cpu", "memory", "ephemeral-storage"):
            assert milli(item["defaultRequest"][resource]) <= milli(item["default"][resource])
            assert milli(item["default"][resource]) <= milli(quota["spec"]["hard"][f"limits.{resource}"])


@pytest.mark.parametrize("name", INPUTS)
def test_an_argo_cd_project_is_exact(name: str) -> None:
    """No wildcard in destinations and sources, no cluster-scoped kind, no kind that rewrites guard rails."""
    for spec in (project["spec"] for project in manifests(name, "AppProject")):
        assert spec["clusterResourceWhitelist"] == []
        allowed, refused = (
            {(item["group"], item["kind"]) for item in spec[f"namespaceResource{colour}list"]}
            for colour in ("White", "Black")
        )
        assert set(GUARD_KINDS) <= refused <= {*GUARD_KINDS, *ACCESS_KINDS}
        assert allowed
        assert not allowed & refused
        assert {*ACCESS_KINDS} <= (allowed if "destinationServiceAccounts" in spec else refused)
        places = [(item["server"], item["namespace"]) for item in spec["destinations"]]
        accounts = [(item["server"], item["namespace"]) for item in spec.get("destinationServiceAccounts", [])]
        assert accounts in (places, [])
        assert not [part for place in places for part in place if set("*?![{") & set(part)]
        assert not [source for source in spec["sourceRepos"] if set("*?![{") & set(source)]


@pytest.mark.parametrize("name", INPUTS)
def test_argo_cd_finds_nothing_wrong_with_a_project(name: str) -> None:
    """Neither its own validation nor what it would pass over in silence."""
    namespaces = {item["metadata"]["name"] for item in manifests(name, "Namespace")}
    for project in manifests(name, "AppProject"):
        assert project_problems(project, namespaces) == []


@pytest.mark.parametrize("name", INPUTS)
def test_nothing_of_ours_is_reported_as_orphaned(name: str) -> None:
    """Every object that we put into the namespace of an environment is on the list of its project."""
    wanted = built(name)
    projects = {item.key[:3:2]: item.manifest["spec"] for item in wanted if item.key.kind.kind == "AppProject"}
    for application in (item for item in wanted if item.key.kind.kind == "Application"):
        orphaned = projects[application.key[:3:2]]["orphanedResources"]
        ignored = {(item.get("group", ""), item["kind"], item["name"]) for item in orphaned["ignore"]}
        place = application.cluster, application.manifest["spec"]["destination"]["namespace"]
        ours = {(key.kind.group, key.kind.kind, key.name) for key, *_ in wanted if key[:3:2] == place}
        assert orphaned["warn"]
        assert ours
        assert ours <= ignored


@pytest.mark.parametrize("name", INPUTS)
def test_every_application_is_allowed_by_its_project(name: str) -> None:
    projects = {
        (item.key.cluster, item.key.namespace, item.key.name): item.manifest["spec"]
        for item in built(name)
        if item.key.kind.kind == "AppProject"
    }
    for item in built(name):
        if item.key.kind.kind == "Application":
            spec = item.manifest["spec"]
            project = projects[item.key.cluster, item.key.namespace, spec["project"]]
            assert spec["destination"] in project["destinations"]
            for source in spec.get("sources") or [spec["source"]]:
                assert source["repoURL"] in project["sourceRepos"]


def test_production_waits_for_a_person() -> None:
    automated = {
        item["metadata"]["name"]: "automated" in item["spec"]["syncPolicy"]
        for item in manifests("production", "Application")
    }
    assert automated == {"shop-dev-app": True, "shop-prod-app": False}
