"""Translate Argo CD's errors into problem, remedy and actor for each Application; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from onboarding.api.gates import Actor
from onboarding.api.status import ApplicationStatus
from onboarding.api.text import cut, time, with_remedy
from onboarding.build.kinds import RESOURCE_QUOTA, ObjectKey
from onboarding.build.quota import QUOTA_NAME
from onboarding.build.revision import Revision
from onboarding.checks.probe import RefusedPodsRequest, Workload
from onboarding.reconcile.gates.running import application_keys
from onboarding.reconcile.observed.argocd_status import Application, Cause
from onboarding.reconcile.observed.snapshot import Snapshot
from onboarding.reconcile.status.argocd_rules import remedy_of_full, translate

_SHOWN = 200
"""Bytes of the message of an Application; the condition and the next action show more of the worst."""
_ACTIONS = 3
_PROGRESSING: Final = "Progressing"
_OVERDUE: Final = "OutOfSync for five minutes, although it syncs by itself"
_COMPARE: Final = (
    "compare it in Argo CD: somebody else writes the object, or the repository declares what the cluster changes"
)
_HEALTH_ORDER: Final = ("Degraded", "Missing", "Unknown", "OutOfSync", "Suspended", "Progressing")


@dataclass(frozen=True, slots=True)
class ApplicationState:
    """The state of an Application."""

    name: str
    facts: Application
    message: str = ""
    """Its problem, or what it waits for; empty if it has none."""
    remedy: str = ""
    """How to fix the problem; empty if there is nothing to do."""
    actor: Actor = Actor.PROJECT
    failing: bool = False
    """Whether there is an error: the wanted revision is not deployed, or the deployed one is broken."""

    @property
    def healthy(self) -> bool:
        """Whether it is healthy and has no error."""
        return self.facts.effective_health == "Healthy" and not self.failing

    @property
    def sort_key(self) -> tuple[int, int, str]:
        """Sort key that puts the worst first."""
        health = self.facts.effective_health
        rank = _HEALTH_ORDER.index(health) if health in _HEALTH_ORDER else len(_HEALTH_ORDER)
        if self.failing:
            return 0, rank, self.name
        if not self.healthy:
            return 1, rank, self.name
        return 2 if self.message else 3, rank, self.name

    @property
    def summary(self) -> str:
        """Its name and problem, for a condition."""
        return f"{self.name}: {self.message or self.facts.effective_health}"


def application_states(snapshot: Snapshot, revision: Revision) -> tuple[ApplicationState, ...]:
    """Return the states of the Applications of an environment on one site, in the order of its repositories."""
    full = snapshot.full(ObjectKey(revision.cluster, RESOURCE_QUOTA, revision.namespace, QUOTA_NAME))
    states = []
    for key in application_keys(snapshot, revision):
        facts = snapshot.application(key)
        refused = _refused(snapshot, revision, facts)
        overdue = key in snapshot.overdue
        states.append(_state(key.name, facts, refused, full, overdue=overdue, manual_sync=not revision.auto_sync))
    return tuple(states)


def workload_requests(snapshot: Snapshot, revisions: Iterable[Revision]) -> set[RefusedPodsRequest]:
    """Return probe requests for the workloads of Progressing Applications: their pods may have been refused."""
    return {
        _refused_pods_request(revision)
        for revision in revisions
        if any(snapshot.application(key).health == _PROGRESSING for key in application_keys(snapshot, revision))
    }


def application_status(state: ApplicationState) -> ApplicationStatus:
    """Return an Application in the form of the status."""
    facts = state.facts
    return ApplicationStatus(
        name=state.name,
        sync=facts.sync or None,
        health=facts.health or None,
        phase=facts.phase or None,
        revision=facts.revision or None,
        deployed_at=facts.deployed_at or None,
        message=cut(state.message, _SHOWN) or None,
    )


def application_actions(states: Iterable[ApplicationState]) -> Iterator[tuple[Actor, str]]:
    """Yield actors and next actions for the worst Applications; those with the same problem share one."""
    problems: dict[tuple[Actor, str, str], list[str]] = {}
    for state in sorted(states, key=lambda item: item.sort_key):
        if state.remedy:
            problem = state.actor, state.message, state.remedy
            problems.setdefault(problem, []).append(state.name)
    for (actor, message, remedy), names in list(problems.items())[:_ACTIONS]:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield actor, with_remedy(f"Application {names[0]}{more}: {message}", remedy)


def _refused_pods_request(revision: Revision) -> RefusedPodsRequest:
    return RefusedPodsRequest(revision.cluster, revision.namespace)


def _refused(snapshot: Snapshot, revision: Revision, facts: Application) -> tuple[Cause, ...]:
    """Return why the pods of a Progressing Application are refused, if a probe saw that since its deployment."""
    if facts.health != _PROGRESSING:
        return ()
    answer = snapshot.answers.get(_refused_pods_request(revision))
    if answer is None or answer.facts is None or time(answer.at) < facts.deployed_at:
        return ()
    workloads: tuple[Workload, ...] = answer.facts.workloads
    return tuple(
        Cause(f"{workload.kind}/{workload.name}", workload.replica_failure)
        for workload in workloads
        if workload.replica_failure
    )


def _state(
    name: str,
    facts: Application,
    refused: Sequence[Cause],
    full: Mapping[str, str],
    *,
    overdue: bool,
    manual_sync: bool,
) -> ApplicationState:
    waiting = facts.health in ("Progressing", "Degraded") and (facts.sync == "Synced" or not facts.causes)
    if full and waiting:
        used_up = ", ".join(f"{key} {amount} of {amount}" for key, amount in sorted(full.items()))
        message = f"{facts.health}, and the quota of the environment is used up: {used_up}"
        return ApplicationState(name, facts, message, remedy_of_full(full), failing=True)
    if causes := (*refused, *facts.causes):
        message, remedy, actor = translate(causes)
        return ApplicationState(name, facts, message, remedy, actor, failing=True)
    if facts.health == "Degraded":
        return ApplicationState(
            name, facts, "Degraded: its workloads are not ready", "check why its pods are not ready"
        )
    return _sync_state(name, facts, overdue=overdue, manual_sync=manual_sync)


def _sync_state(name: str, facts: Application, *, overdue: bool, manual_sync: bool) -> ApplicationState:
    """Return the state of an Application without an error, by whether it is synced."""
    if facts.phase == "Running":
        return ApplicationState(name, facts)
    if overdue:
        return ApplicationState(name, facts, _OVERDUE, _COMPARE, failing=True)
    if facts.sync == "OutOfSync" and manual_sync:
        return ApplicationState(name, facts, "waiting for a manual sync", "sync it in Argo CD")
    return ApplicationState(name, facts)
