"""Lints of an AppProject: mistakes that Argo CD accepts without a word."""

from collections.abc import Collection, Iterator
from typing import Final

from onboarding.build.kinds import Manifest
from onboarding.build.permitted import core_group_problem, kind_problem
from onboarding.checks.schedule import parse_schedule
from onboarding.checks.windows import time_zones
from tests.support.argocd_rules import refusals

NAMESPACED_GROUPS: Final = frozenset({"apps", "autoscaling", "batch", "monitoring.coreos.com", "policy"})
"""API groups that have only kinds with a namespace."""
_NAMESPACED_CORE: Final = frozenset(
    {
        "ConfigMap",
        "Endpoints",
        "LimitRange",
        "PersistentVolumeClaim",
        "Pod",
        "ReplicationController",
        "ResourceQuota",
        "Secret",
        "Service",
        "ServiceAccount",
    }
)
_OF_CLUSTER: Final = ("clusterResourceWhitelist", "clusterResourceBlacklist")
_OF_NAMESPACES: Final = ("namespaceResourceWhitelist", "namespaceResourceBlacklist")
_GLOB: Final = frozenset("*?[{")


def project_problems(manifest: Manifest, namespaces: Collection[str] | None = None) -> list[str]:
    """Return every refusal and lint of an AppProject; ``namespaces`` are those of the project's environments."""
    return [*refusals(manifest), *lints(manifest), *unknown_namespaces(manifest, namespaces)]


def lints(manifest: Manifest) -> list[str]:
    """Return the settings that Argo CD accepts and that then do nothing, or more than they say."""
    return [*_kinds(manifest), *_whitelist(manifest), *_places(manifest), *_roles(manifest), *_windows(manifest)]


def unknown_namespaces(manifest: Manifest, namespaces: Collection[str] | None) -> list[str]:
    """Return the destinations that no environment has; none if ``namespaces`` is None."""
    if namespaces is None:
        return []
    used = [item.get("namespace", "") for item in manifest["spec"].get("destinations") or ()]
    return [f"destination namespace {name!r} is none of an environment" for name in used if name not in namespaces]


def _kinds(manifest: Manifest) -> Iterator[str]:
    for field in _OF_NAMESPACES:
        for item in manifest["spec"].get(field) or ():
            if problem := kind_problem(item["group"], item["kind"]):
                yield f"{field}: {problem}"
    for field in _OF_CLUSTER:
        for item in manifest["spec"].get(field) or ():
            group, kind = item["group"], item["kind"]
            if problem := core_group_problem(group):
                yield f"{field}: {problem}"
            elif group in NAMESPACED_GROUPS or (group == "" and kind in _NAMESPACED_CORE):
                yield f"{field}: {kind} lives in namespaces"


def _whitelist(manifest: Manifest) -> Iterator[str]:
    kinds = manifest["spec"].get("namespaceResourceWhitelist")
    if kinds is None:
        yield "namespaceResourceWhitelist is absent: every kind is allowed"
    elif not kinds:
        yield "namespaceResourceWhitelist is empty: no kind is allowed"


def _places(manifest: Manifest) -> Iterator[str]:
    for source in manifest["spec"].get("sourceRepos") or ():
        # With one pattern that denies, every other repository is allowed (Argo CD 3.6.1).
        if "!" in source or {*source} & _GLOB:
            yield f"source repository {source!r}: name each repository in full, and none by what it is not"
    for item in manifest["spec"].get("destinations") or ():
        if item.get("name") or not item.get("server"):
            yield f"destination {item}: name the cluster by its server alone"
        if "!" in "".join(item.values()) or {*"".join(item.values())} & _GLOB:
            yield f"destination {item}: name each place in full, and none by what it is not"


def _roles(manifest: Manifest) -> Iterator[str]:
    for role in manifest["spec"].get("roles") or ():
        if not role.get("groups"):
            yield f"role {role['name']!r} has no groups: nobody has it"


def _windows(manifest: Manifest) -> Iterator[str]:
    for window in filter(None, manifest["spec"].get("syncWindows") or ()):
        if window.get("timeZone", "UTC") not in time_zones():
            yield f"sync window {window['schedule']!r}: time zone {window['timeZone']!r} is taken for UTC"
        try:
            begins = parse_schedule(window["schedule"]).begins
        except ValueError:
            continue
        if not begins:
            yield f"sync window {window['schedule']!r} never begins, and is taken for open at all times"
