"""The windows in which an environment deploys; pure."""

from collections.abc import Iterable

from onboarding.api.delivery import PlatformWindow, Window, WindowKind
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.build.revision import Revision
from onboarding.checks.inputs import EnvironmentDeclaration
from onboarding.checks.windows import platform_windows


def windows(declared: EnvironmentDeclaration) -> tuple[Window, ...]:
    """Return the windows of an environment and of the platform, weighed up.

    Argo CD syncs inside any window of kind Allow. So where an environment has such windows of its own, which lie within
    the platform's, the platform's are left out, or they would undo them. And it lets a person sync at any time inside a
    window of kind Deny that says so. So a project's window says so only where all the platform's of kind Allow do.
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
    """Return the windows of an admitted revision, and those of the platform in which nothing is synced."""
    stage = next((stage for stage in policy.stages if stage.name == revision.stage), None)
    theirs = (_plain(window) for window in platform_windows(policy, stage) if window.kind is WindowKind.DENY)
    new = [window for window in theirs if window not in revision.windows]
    return _in_order((*revision.windows, *new)) if new else revision.windows


def _in_order(windows: Iterable[Window]) -> tuple[Window, ...]:
    return tuple(sorted(windows, key=lambda item: (item.kind, item.schedule, item.duration, item.time_zone)))


def _plain(window: PlatformWindow) -> Window:
    """Return a window of the platform without what says which environments it is for."""
    values = {name: getattr(window, name) for name in Window.model_fields}
    return Window.model_construct(**{**values, "description": window.description or window.name})
