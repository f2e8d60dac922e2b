"""Teardown brake: no project is torn down while that looks like an accident."""

from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.runtime.definitions import Definitions


class TeardownBrake:
    """Holds all teardowns while the CRD is being deleted, or too many projects are at once."""

    def __init__(self, definitions: Definitions, declared: ProjectCache, limit: int) -> None:
        """Hold all teardowns if more than ``limit`` projects are being deleted."""
        self._definitions = definitions
        self._declared = declared
        self._limit = limit

    def reason(self) -> str:
        """Return why no project is torn down; the empty string if teardowns go on."""
        if hold := self._definitions.teardown_hold:
            return hold
        deleting = self._declared.deleting()
        if deleting <= self._limit:
            return ""
        return (
            f"{deleting} projects are being deleted at once, which looks like an accident: no project is torn down. "
            f"If it is meant, set ONBOARDING_TEARDOWN_LIMIT above {self._limit}"
        )
