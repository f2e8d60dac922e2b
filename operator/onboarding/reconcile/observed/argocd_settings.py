"""The settings of an Argo CD that matter to us, from its ConfigMap argocd-cm; pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

import yaml

from onboarding import names
from onboarding.api.delivery import Delivery
from onboarding.api.target import ArgoLocation, HostingTargetSpec, Site
from onboarding.build.kinds import HUB
from onboarding.build.permitted import GUARD_KINDS, USUAL_KINDS, GroupKind
from onboarding.build.place import cluster_of
from onboarding.checks.argocd_settings import Setting, UnsafeSetting

CONFIG_MAP: Final = "argocd-cm"
_ENABLED: Final = "application.sync.impersonation.enabled"
_ENFORCED: Final = "application.sync.impersonation.enforced"
_OVERRIDE: Final = "application.sync.requireOverridePrivilegeForRevisionSync"
_CUSTOMIZATIONS: Final = "resource.customizations"
_PROJECT: Final[GroupKind] = (names.GROUP, "ProjectOnboarding")
_HEALTH: Final = f"{_CUSTOMIZATIONS}.health.{names.GROUP}_{_PROJECT[1]}"
_LONGEST: Final = 100_000
"""Characters of a setting that are parsed: a longer one counts as one that cannot be read."""
_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
"""Values that Argo CD takes for true here (Go's ParseBool)."""
_NAMED: Final = 3
_BRACES: Final = re.compile(r"\{([^{}]*)\}")


class ArgoCDAt(NamedTuple):
    """An Argo CD: its cluster and its namespace."""

    cluster: str
    namespace: str

    @property
    def on_hub(self) -> bool:
        """Whether it runs on the hub, where it may deliver ProjectOnboardings."""
        return self.cluster == HUB

    def __str__(self) -> str:
        where = "" if self.cluster == HUB else f" on {self.cluster}"
        return f"ConfigMap {self.namespace}/{CONFIG_MAP}{where}"


def argocd_of(site: Site) -> ArgoCDAt:
    """Return the Argo CD that serves a site."""
    on_hub = site.argocd.location is ArgoLocation.HUB
    return ArgoCDAt(HUB if on_hub else cluster_of(site), site.argocd.namespace)


def argocds(targets: Mapping[str, HostingTargetSpec]) -> dict[ArgoCDAt, set[str]]:
    """Return the Argo CDs of all sites that are not lost, each with the destinations that it deploys to."""
    found: dict[ArgoCDAt, set[str]] = {}
    for target in targets.values():
        for site in target.sites:
            if not site.lost:
                found.setdefault(argocd_of(site), set()).add(site.argocd.destination_server)
    return found


def unsafe_settings(
    data: Mapping[str, str], delivery: Delivery, servers: Iterable[str], *, hub: bool
) -> Iterator[UnsafeSetting]:
    """Yield the unsafe settings of an Argo CD that deploys to ``servers`` under the rules of a policy."""
    if data.get(_OVERRIDE, "") not in _TRUE:
        yield UnsafeSetting(
            Setting.REVISION_OVERRIDE,
            "a holder of sync may deploy any revision by hand",
            f'set {_OVERRIDE} to "true"',
        )
    yield from _impersonation(data, delivery)
    if hub and not _has_health(data):
        yield UnsafeSetting(
            Setting.HEALTH,
            "it does not know the health of a ProjectOnboarding",
            "apply manifests/argocd/health.yaml as a patch",
        )
    yield from _exclusions(data, delivery, servers, hub=hub)


def _impersonation(data: Mapping[str, str], delivery: Delivery) -> Iterator[UnsafeSetting]:
    if not delivery.impersonation:
        return
    if data.get(_ENABLED) != "true":
        yield UnsafeSetting(
            Setting.IMPERSONATION, "it syncs with its own rights, which are more", f'set {_ENABLED} to "true"'
        )
    elif data.get(_ENFORCED) == "false":
        yield UnsafeSetting(
            Setting.IMPERSONATION,
            "it syncs with its own rights if an AppProject names no account",
            f'remove {_ENFORCED}, or set it to "true"',
        )


def _has_health(data: Mapping[str, str]) -> bool:
    """Return whether a script for the health of our kind is there, in either form that Argo CD reads."""
    if data.get(_HEALTH, "").strip():
        return True
    customized = _parsed(data.get(_CUSTOMIZATIONS, ""))
    ours = customized.get("/".join(_PROJECT)) if isinstance(customized, dict) else None
    return isinstance(ours, dict) and bool(ours.get("health.lua"))


def _exclusions(
    data: Mapping[str, str], delivery: Delivery, servers: Iterable[str], *, hub: bool
) -> Iterator[UnsafeSetting]:
    """Yield the kinds that Argo CD does not see although projects deploy them, or we make them."""
    excluded, included = (_filters(data.get(f"resource.{name}", "")) for name in ("exclusions", "inclusions"))
    if excluded is None or included is None:
        yield UnsafeSetting(
            Setting.EXCLUSIONS, "resource.exclusions or resource.inclusions cannot be read", "correct its YAML"
        )
        return
    kinds = _kinds(delivery)
    hidden = {kind for server in servers for kind in kinds if _is_hidden(kind, server, excluded, included)}
    if hub and _is_hidden(_PROJECT, "https://kubernetes.default.svc", excluded, included):
        hidden.add(_PROJECT)
    if hidden:
        listed = ", ".join(_named(kind) for kind in sorted(hidden)[:_NAMED])
        more = f" and {len(hidden) - _NAMED} more" if len(hidden) > _NAMED else ""
        yield UnsafeSetting(
            Setting.EXCLUSIONS,
            f"it does not see {listed}{more}",
            "take them out of resource.exclusions, or add them to resource.inclusions",
        )


def _kinds(delivery: Delivery) -> set[GroupKind]:
    """Return the kinds that projects may deploy, and those that we make."""
    allowed = {(item.group, item.kind) for item in delivery.allowed_kinds} or set(USUAL_KINDS)
    return allowed | {(item.group, item.kind) for item in delivery.additional_kinds} | set(GUARD_KINDS)


def _named(kind: GroupKind) -> str:
    return f"{kind[1]}.{kind[0]}" if kind[0] else kind[1]


def _filters(text: str) -> list[dict[str, list[str]]] | None:
    """Return the filters of a setting; None if it is not in Argo CD's form."""
    found = _parsed(text)
    if found is None:
        return [] if not text.strip() or _is_empty(text) else None
    if not isinstance(found, list):
        return None
    filters = []
    for item in found:
        parts = {key: item.get(key) or [] for key in ("apiGroups", "kinds", "clusters")} if _is_map(item) else None
        if parts is None or not all(_is_list_of_text(part) for part in parts.values()):
            return None
        filters.append(parts)
    return filters


def _is_map(item: Any) -> bool:
    return isinstance(item, dict)


def _is_list_of_text(part: Any) -> bool:
    return isinstance(part, list) and all(isinstance(item, str) for item in part)


def _is_empty(text: str) -> bool:
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())


def _parsed(text: str) -> Any:
    """Return the content of a YAML text; None if it is empty, too long or no YAML."""
    if len(text) > _LONGEST:
        return None
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        return None


def _is_hidden(
    kind: GroupKind, server: str, excluded: list[dict[str, list[str]]], included: list[dict[str, list[str]]]
) -> bool:
    """Return whether Argo CD leaves a kind out on a cluster: exclusions win, then inclusions name all that is left."""
    if any(_matches(item, kind, server) for item in excluded):
        return True
    if any(_matches(item, kind, server) for item in included):
        return False
    return any(_globs(item["clusters"], server) for item in included)


def _matches(item: dict[str, list[str]], kind: GroupKind, server: str) -> bool:
    kinds = item["kinds"]
    named = not kinds or kind[1] in kinds or "*" in kinds
    return named and _globs(item["apiGroups"], kind[0]) and _globs(item["clusters"], server)


def _globs(patterns: list[str], text: str) -> bool:
    return not patterns or any(fnmatchcase(text, form) for pattern in patterns for form in _forms(pattern))


def _forms(pattern: str) -> Iterator[str]:
    """Yield a pattern once for each choice of its first braces, as in ``{apps,batch}``."""
    found = _BRACES.search(pattern)
    if found is None:
        yield pattern
        return
    for choice in found[1].split(",")[:20]:
        yield f"{pattern[: found.start()]}{choice}{pattern[found.end() :]}"
