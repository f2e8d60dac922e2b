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
    read = [known.get((name, site.name)) for site in target.sites if not site.lost]
    found = list(dict.fromkeys(item for item in read if item is not None))
    unsafe = [f"{item.subject}: {unsafe.message}: {unsafe.remedy}" for item in found for unsafe in item.unsafe]
    unknown = [f"{item.subject}: {item.unknown}" for item in found if item.unknown]
    if unsafe:
        return Validity(False, Reason.SETTINGS_UNSAFE, "; ".join((*unsafe, *unknown)))
    if unknown:
        return Validity(False, Reason.SETTINGS_UNKNOWN, "; ".join(unknown))
    if not found or None in read:
        return None
    return Validity(True, Reason.SETTINGS_SAFE, "; ".join(f"{item.subject} is safe" for item in found))
