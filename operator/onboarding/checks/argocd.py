"""Checks on the settings of the Argo CDs that deploy an environment."""

from collections.abc import Iterable, Iterator
from typing import Final

from onboarding.api.gates import Actor, Track
from onboarding.api.status import CheckResult, Evidence
from onboarding.checks.argocd_settings import ArgoSettings, Setting, UnsafeSetting
from onboarding.checks.finding import Finding, check
from onboarding.checks.inputs import EnvironmentDeclaration

_READS: Final = ()
"""Settings of the platform are judged: a decision about a gate covers none of them."""
_PENDING = Finding("the settings of Argo CD are being read", "wait a moment", Actor.OPERATOR, CheckResult.PENDING)


@check(
    "ArgoCDSafe",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="the platform team corrects ConfigMap argocd-cm of that Argo CD; docs/gitops.md has the settings",
    reads=_READS,
    actor=Actor.PLATFORM,
)
def argocd_is_safe(inputs: EnvironmentDeclaration) -> Finding | None:
    """Every Argo CD that deploys the environment has safe settings, and the operator may read them."""
    return _finding(inputs, frozenset(Setting))


@check(
    "RevisionOverrideRefused",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy='the platform team sets application.sync.requireOverridePrivilegeForRevisionSync to "true" in ConfigMap '
    "argocd-cm",
    reads=_READS,
    actor=Actor.PLATFORM,
)
def revision_override_is_refused(inputs: EnvironmentDeclaration) -> Finding | None:
    """No Argo CD that deploys the environment lets a holder of sync deploy another revision than the declared one.

    An approval that covers Release demands it at its gate, unless the policy names this check itself.
    """
    return _finding(inputs, frozenset({Setting.REVISION_OVERRIDE}))


def _finding(inputs: EnvironmentDeclaration, settings: frozenset[Setting]) -> Finding | None:
    """Return the finding on some settings: what is unsafe before what is unknown, and that before what is pending."""
    read = [inputs.project.argocd.get((inputs.target_name or "", site.name)) for site in inputs.sites]
    known = list(dict.fromkeys(item for item in read if item is not None))
    unsafe = list(_unsafe(known, settings))
    if unsafe:
        remedies = dict.fromkeys(item.remedy for _, item in unsafe)
        return Finding("; ".join(f"{subject}: {item.message}" for subject, item in unsafe), "; ".join(remedies))
    unknown = [f"{item.subject}: {item.unknown}" for item in known if item.unknown]
    if unknown:
        return Finding("; ".join(unknown), "the platform team lets the operator read it", result=CheckResult.UNKNOWN)
    return _PENDING if None in read else None


def _unsafe(known: Iterable[ArgoSettings], settings: frozenset[Setting]) -> Iterator[tuple[str, UnsafeSetting]]:
    for item in known:
        yield from ((item.subject, unsafe) for unsafe in item.unsafe if unsafe.setting in settings)
