"""The condition ArgoCDSafe of a target, from the settings of the Argo CDs of its sites; pure."""

from collections.abc import Mapping

from onboarding.api.conditions import Reason
from onboarding.api.target import HostingTargetSpec
from onboarding.checks.argocd_settings import ArgoSettings
from onboarding.reconcile.observed.validity import Validity


def argocd_validity(
    name: str, target: HostingTargetSpec, known: Mapping[tuple[str, str], ArgoSettings]
) -> Validity | None:
    """Return the condition; None while an Argo CD has not been read and nothing is known to be unsafe."""
    sites = [(name, site.name) for site in target.sites if not site.lost]
    found = list(dict.fromkeys(known[site] for site in sites if site in known))
    unsafe, unknown = [text for item in found for text in _unsafe(item)], _unknown(found)
    if unsafe:
        return Validity(False, Reason.SETTINGS_UNSAFE, "; ".join((*unsafe, *unknown)))
    if unknown:
        return Validity(False, Reason.SETTINGS_UNKNOWN, "; ".join(unknown))
    if not found or not known.keys() >= {*sites}:
        return None
    return Validity(True, Reason.SETTINGS_SAFE, "; ".join(f"{item.subject} is safe" for item in found))


def _unsafe(settings: ArgoSettings) -> list[str]:
    return [f"{settings.subject}: {item.message}: {item.remedy}" for item in settings.unsafe]


def _unknown(found: list[ArgoSettings]) -> list[str]:
    return [f"{item.subject}: {item.unknown}" for item in found if item.unknown]
