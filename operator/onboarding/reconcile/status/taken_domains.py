"""Events for the platform about domains that a project lacks, because another one has them: each is told once."""

from collections.abc import Iterable

from onboarding.checks.domains import domains_are_free
from onboarding.reconcile.admission.resolve import Taken
from onboarding.reconcile.observed.ports import Event


class TakenDomains:
    """The domains that were told, by project."""

    def __init__(self) -> None:
        self._told: dict[str, frozenset[Taken]] = {}

    def take(self, project: str, taken: Iterable[Taken]) -> tuple[Taken, ...]:
        """Return the domains that a project lacks, without those that were told and have been lacking since."""
        lacking = frozenset(taken)
        told = self._told.pop(project, frozenset())
        if lacking:
            self._told[project] = lacking
        return tuple(sorted(lacking - told))

    def forget(self, project: str) -> None:
        """Drop a project that is gone."""
        self._told.pop(project, None)


def taken_events(project: str, taken: Iterable[Taken]) -> list[Event]:
    """Return the Events on the policy, which name both projects."""
    return [
        Event(
            domains_are_free.id,
            f"environment {item.environment} of project {project} is held: project {item.holder} has domain "
            f"{item.domain}",
            warning=True,
        )
        for item in taken
    ]
