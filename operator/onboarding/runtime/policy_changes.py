"""Count of what the last change of the policy in use does to the projects.

An outcome per project is kept under the present version of the policy. When another version comes into force, these
become the former outcomes, and each project is compared as soon as it has been reconciled. A version that comes before
all projects were is compared with the former one as well, so that two quick edits count as one. The count is final, and
no longer changes, when every project has an outcome under the present version.
"""

import time
from collections.abc import Callable, Mapping

from onboarding.api.conditions import PolicyChange
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import PolicyVersion
from onboarding.reconcile.status.policy_outcome import PolicyOutcome
from onboarding.runtime.notifier import Notifier

_INTERVAL = 30.0
"""Seconds between two counts while projects are being reconciled."""
_SOONEST = 1.0
_NAMED = 10


class PolicyChanges:
    """Counts what the last change of one policy does."""

    def __init__(self, declared: ProjectCache, policy: str, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` returns seconds."""
        self._declared = declared
        self._policy = policy
        self._clock = clock
        self._version: PolicyVersion | None = None
        self._compared_with = 0
        self._former: dict[str, PolicyOutcome] = {}
        self._outcomes: dict[str, PolicyOutcome] = {}
        self._pending: set[str] | None = None
        """The projects without an outcome under the present version; None if nothing is being counted."""
        self._counted_at = 0.0
        self._count: PolicyChange | None = None
        self.news = Notifier()
        """A count has begun, or can be finished."""

    def take(self, project: str, outcome: PolicyOutcome | None) -> None:
        """Keep the outcome of a reconcile; one under a former version of the policy counts no more."""
        self._follow()
        if outcome is None or self._version is None or not _same(outcome.policy, self._version):
            return
        if self._outcomes.get(project) != outcome:
            self._outcomes[project] = outcome
        self._answered(project)

    def forget(self, project: str) -> None:
        """Forget a project that is gone."""
        self._former.pop(project, None)
        self._outcomes.pop(project, None)
        self._answered(project)

    def report(self) -> tuple[str, PolicyChange] | None:
        """Return the count with the UID of the policy; None if this run has seen no change of the policy.

        A count that is not final is at most 30 seconds old.
        """
        self._follow()
        if self._version is None:
            return None
        if self._pending is not None:
            # A project that was deleted unseen has no reconcile.
            self._pending.intersection_update(self._declared.names())
            now = self._clock()
            if not self._pending or now - self._counted_at >= _INTERVAL:
                self._count, self._counted_at = self._counted(self._version, self._pending), now
            if not self._pending:
                self._pending, self._former = None, {}
        return (self._version.uid, self._count) if self._count else None

    @property
    def pause(self) -> float | None:
        """Seconds until the next count is due, at least one; None if nothing is being counted."""
        return None if self._pending is None else max(_SOONEST, self._counted_at + _INTERVAL - self._clock())

    def _follow(self) -> None:
        """Begin another count if a newer version of the policy is in force."""
        known, version = self._version, self._declared.offered.policy_version(self._policy)
        if version is None:
            return
        if known is None or known.uid != version.uid:
            self._version, self._count, self._pending = version, None, None
            self._former, self._outcomes = {}, {}
        elif version.generation > known.generation:
            if self._pending is None:
                self._former, self._compared_with = self._outcomes, known.generation
            else:
                self._former = {**self._outcomes, **self._former}
            self._version, self._outcomes = version, {}
            self._pending, self._counted_at = set(self._declared.names()), self._clock()
            self.news()
        else:
            self._version = version

    def _answered(self, project: str) -> None:
        if self._pending:
            self._pending.discard(project)
            if not self._pending:
                self.news()

    def _counted(self, version: PolicyVersion, pending: set[str]) -> PolicyChange:
        pairs = {name: (self._former.get(name), now) for name, now in self._outcomes.items()}
        compared = {name: (old, now) for name, (old, now) in pairs.items() if old and old.project == now.project}
        held = {name: found for name, (old, now) in compared.items() if (found := now.newly_held(old))}
        quotas = {name: count for name, (old, now) in compared.items() if (count := now.changed_quotas(old))}
        return PolicyChange(
            generation=version.generation,
            former_generation=self._compared_with,
            environments_held=sum(map(len, held.values())),
            quotas_changed=sum(quotas.values()),
            projects=len(held.keys() | quotas.keys()),
            named=tuple([*sorted(held), *sorted(quotas.keys() - held.keys())][:_NAMED]),
            pending=len(pending),
            not_compared=len(self._outcomes) - len(compared),
            holds_every_project=not pending and bool(held) and _none_is_left(version, self._outcomes, held),
        )


def _same(one: PolicyVersion, other: PolicyVersion) -> bool:
    return (one.uid, one.generation) == (other.uid, other.generation)


def _none_is_left(
    version: PolicyVersion, outcomes: Mapping[str, PolicyOutcome], newly_held: Mapping[str, tuple[str, ...]]
) -> bool:
    """Return whether a change holds something of every project, apart from projects that have nothing to hold."""
    if not version.usable:
        return True
    return all(name in newly_held or not (outcome.held or outcome.free) for name, outcome in outcomes.items())
