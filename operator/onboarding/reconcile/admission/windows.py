"""Sync windows of an environment: its own and those of the platform; pure."""

from collections.abc import Iterable

from onboarding.api.delivery import PlatformWindow, Window, WindowKind
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.build.revision import Revision
from onboarding.checks.inputs import EnvironmentDeclaration
from onboarding.checks.windows import platform_windows


def windows(declared: EnvironmentDeclaration) -> tuple[Window, ...]:
    """Return the combined windows of an environment and of the platform.

    Argo CD syncs inside any window of kind Allow. If an environment has own Allow windows, which lie within those of
    the platform, the wider ones of the platform are left out, because they would undo its own. Argo CD also permits
    manual syncs at any time inside a Deny window with ``manualSync``. A project's window has it only if all Allow
    windows of the platform have it.
    """
    theirs = [_plain(window) for window in platform_windows(declared.policy, declared.stage)]
    manual = all(window.manual for window in theirs if window.kind is WindowKind.ALLOW)
    ours = [
        window.model_copy(update={"manual": window.manual and manual})
        for window in declared.environment.release_windows
    ]
    if any(window.kind is WindowKind.ALLOW for window in ours):
        theirs = [window for window in theirs if window.kind is WindowKind.DENY]
    return _in_order((*theirs, *ours))


def frozen(revision: Revision, policy: OnboardingPolicySpec) -> tuple[Window, ...]:
    """Return the windows of an admitted revision, with the Deny windows of the platform added."""
    stage = next((stage for stage in policy.stages if stage.name == revision.stage), None)
    theirs = (_plain(window) for window in platform_windows(policy, stage) if window.kind is WindowKind.DENY)
    new = [window for window in theirs if window not in revision.windows]
    return _in_order((*revision.windows, *new)) if new else revision.windows


def _in_order(windows: Iterable[Window]) -> tuple[Window, ...]:
    return tuple(sorted(windows, key=lambda item: (item.kind, item.schedule, item.duration, item.time_zone)))


def _plain(window: PlatformWindow) -> Window:
    """Return a window of the platform without the fields that select environments."""
    values = {name: getattr(window, name) for name in Window.model_fields}
    return Window.model_construct(**{**values, "description": window.description or window.name})
