"""Translate Argo CD's errors into problem, remedy and actor for each Application; pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from onboarding.api.gates import Actor
from onboarding.api.status import ApplicationStatus
from onboarding.api.text import cut, time
from onboarding.build.kinds import RESOURCE_QUOTA, ObjectKey
from onboarding.build.quota import QUOTA_NAME
from onboarding.build.revision import Revision
from onboarding.checks.probe import Workload, WorkloadsRequest
from onboarding.reconcile.gates.running import application_keys
from onboarding.reconcile.observed.argocd_status import Application, Cause
from onboarding.reconcile.observed.snapshot import Snapshot

_SHOWN = 200
"""Bytes of the message of an Application; the condition and the next action show more of the worst."""
_ACTIONS = 3
_PROGRESSING: Final = "Progressing"
_HEALTH_ORDER: Final = ("Degraded", "Missing", "Unknown", "OutOfSync", "Suspended", "Progressing")
_UNKNOWN_ERROR: Final = "fix the error that the Application shows in Argo CD"


class _Rule(NamedTuple):
    """The translation of an error of Argo CD 3.6, or of an API server or repository behind it."""

    pattern: re.Pattern[str]
    message: str
    """Format string with the groups of the pattern, ``about`` for the object and ``text`` for the original."""
    remedy: str
    actor: Actor = Actor.PROJECT


_RULES: Final = (
    _Rule(
        re.compile(r"exceeded quota: \S+, requested: (?P<asked>.+), used: (?P<used>.+), limited: (?P<hard>.+?)\.?$"),
        "the quota of the environment refuses {about}: requested {asked}; used {used}; limit {hard}",
        "reduce its requests, or choose a larger size for the environment",
    ),
    _Rule(
        re.compile(r"failed quota: \S+: must specify (?P<fields>.+?)\.?$"),
        "the quota of the environment refuses {about}: it does not set {fields}",
        "set requests and limits on every container",
    ),
    _Rule(
        re.compile(r"violates PodSecurity \"(?P<level>[^\"]+)\": (?P<why>.+)"),
        "Pod Security {level} refuses {about}: {why}",
        "set the securityContext of the pods as that level requires",
    ),
    _Rule(
        re.compile(r"\(rule (?P<rule>project-onboarding-[a-z-]+)\): (?P<why>.+)"),
        "the guard rails refuse {about}: {why} (rule {rule})",
        "remove it from the repository: only the operator writes the objects that it manages",
    ),
    _Rule(
        re.compile(r"ValidatingAdmissionPolicy '(?P<rule>[^']+)' .*denied request: (?P<why>.+)"),
        "policy {rule} of the cluster refuses {about}: {why}",
        "fix the manifest, or ask the platform about that policy",
    ),
    _Rule(
        re.compile(r"resource (?P<group>[^\s:]*):(?P<kind>\w+) is not permitted in project"),
        "{about}: projects may not sync {kind} here",
        "remove it from the repository, or ask the platform to allow the kind (spec.delivery of the policy)",
    ),
    _Rule(
        re.compile(r"namespace (?P<namespace>\S+) is not permitted in project"),
        "{about} is for namespace {namespace}, which does not belong to the environment",
        "remove metadata.namespace from the manifests",
    ),
    _Rule(
        re.compile(r"referencing project (?P<project>\S+) which does not exist"),
        "AppProject {project} is missing",
        "the operator creates it again; if it stays missing, find out what deletes it",
        Actor.PLATFORM,
    ),
    _Rule(
        re.compile(r"do not match any of the allowed destinations|application repo \S+ is not permitted"),
        "the AppProject does not allow it: {text}",
        "find out who changed the AppProject, and check the destinationServer of the target",
        Actor.PLATFORM,
    ),
    _Rule(
        re.compile(r"cluster \"?(?P<server>[^\s\"]+)\"? not found|there are no clusters with this name"),
        "Argo CD does not know the cluster of the target: {text}",
        "register the cluster with Argo CD under the destinationServer of the target",
        Actor.PLATFORM,
    ),
    _Rule(
        re.compile(r"no matching service account found|service account to impersonate"),
        "Argo CD finds no service account for the sync",
        "find out who changed the AppProject: its destinationServiceAccounts have to name one per environment",
        Actor.PLATFORM,
    ),
    _Rule(
        re.compile(r"cannot (?P<verb>\w+) resource \"(?P<resource>[^\"]+)\" in API group \"(?P<group>[^\"]*)\""),
        "the service account of the environment may not {verb} {resource} ({about})",
        "remove it from the repository, or permit it by a ClusterRole labelled projectonboarding.io/aggregate-to-sync",
        Actor.PLATFORM,
    ),
    _Rule(
        re.compile(r"attempting to grant RBAC permissions not currently held"),
        "{about} would grant more rights than the service account of the environment has",
        "grant fewer rights, or remove it from the repository",
    ),
    _Rule(
        # kubectl 0.37 in Argo CD 3.6.1 panics if a RoleBinding is refused, so that the reason is lost.
        re.compile(r"kubectl auth reconcile: runtime error"),
        "the API server refuses {about}, and Argo CD does not report the reason",
        "grant no more than the service account of the environment has, under a name that the operator does not use",
    ),
    _Rule(
        re.compile(r"could not find (?P<kind>\S+) for requested resource"),
        "the cluster does not serve {kind}",
        "install the CustomResourceDefinition there, or remove the object from the repository",
        Actor.PLATFORM,
    ),
    _Rule(
        re.compile(r"(?i)authentication required|authorization failed|invalid username or password|unable to auth"),
        "the repository refuses Argo CD's login, or requires one",
        "use a login that the policy offers (repositories.credentials), or renew that login",
    ),
    _Rule(
        re.compile(r"repository not found"),
        "the repository does not exist, or Argo CD has no access to it",
        "fix the URL, or use a login that the policy offers (repositories.credentials)",
    ),
    _Rule(
        re.compile(r"unable to resolve '(?P<revision>[^']*)' to a commit SHA"),
        "the repository has no revision {revision}",
        "push that branch or tag, or set another revision",
    ),
    _Rule(
        re.compile(r"(?P<path>\S+): app path does not exist"),
        "the repository has no path {path} in that revision",
        "commit that folder, or set another path",
    ),
    _Rule(
        re.compile(r"(?i)connection refused|no such host|i/o timeout|deadline exceeded|network is unreachable|x509:"),
        "Argo CD cannot reach a server: {text}",
        "check that the server is up, and that Argo CD may reach it and trusts it",
        Actor.PLATFORM,
    ),
    _Rule(
        re.compile(r"(?i)helm template: |kustomize build: |failed to unmarshal|manifest generation error"),
        "the manifests in the repository do not render: {text}",
        "fix the error; Helm or Kustomize shows the same one on your machine",
    ),
    _Rule(
        re.compile(r"is invalid: (?P<why>.+)"),
        "the API server refuses {about}: {why}",
        "fix the manifest",
    ),
)
"""The first that matches one of the errors is shown; an error without a rule is shown as Argo CD reports it."""


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
    used_up = ", ".join(f"{key} {amount} of {amount}" for key, amount in sorted(full.items()))
    states = []
    for key in application_keys(snapshot, revision):
        facts = snapshot.application(key)
        refused = _refused(snapshot, revision, facts)
        states.append(_state(key.name, facts, refused, used_up, manual_sync=not revision.auto_sync))
    return tuple(states)


def workload_requests(snapshot: Snapshot, revisions: Iterable[Revision]) -> set[WorkloadsRequest]:
    """Return probe requests for the workloads of Progressing Applications: their pods may have been refused."""
    return {
        _workloads_request(revision)
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
        yield actor, f"Application {names[0]}{more}: {message}: {remedy}"


def _workloads_request(revision: Revision) -> WorkloadsRequest:
    return WorkloadsRequest(revision.cluster, revision.namespace)


def _refused(snapshot: Snapshot, revision: Revision, facts: Application) -> tuple[Cause, ...]:
    """Return why the pods of a Progressing Application are refused, if a probe saw that since its deployment."""
    if facts.health != _PROGRESSING:
        return ()
    answer = snapshot.answers.get(_workloads_request(revision))
    if answer is None or answer.facts is None or time(answer.at) < facts.deployed_at:
        return ()
    workloads: tuple[Workload, ...] = answer.facts.workloads
    return tuple(
        Cause(f"{workload.kind}/{workload.name}", workload.replica_failure)
        for workload in workloads
        if workload.replica_failure
    )


def _state(
    name: str, facts: Application, refused: Sequence[Cause], used_up: str, *, manual_sync: bool
) -> ApplicationState:
    waiting = facts.health in ("Progressing", "Degraded") and (facts.sync == "Synced" or not facts.causes)
    if used_up and waiting:
        message = f"{facts.health}, and the quota of the environment is used up: {used_up}"
        return ApplicationState(name, facts, message, _RULES[0].remedy, failing=True)
    if causes := (*refused, *facts.causes):
        message, remedy, actor = _translate(causes)
        return ApplicationState(name, facts, message, remedy, actor, failing=True)
    if facts.health == "Degraded":
        return ApplicationState(
            name, facts, "Degraded: its workloads are not ready", "check why its pods are not ready"
        )
    if facts.sync == "OutOfSync" and manual_sync and facts.phase != "Running":
        return ApplicationState(name, facts, "waiting for a manual sync", "sync it in Argo CD")
    return ApplicationState(name, facts)


def _translate(causes: Sequence[Cause]) -> tuple[str, str, Actor]:
    """Return problem, remedy and actor."""
    for rule in _RULES:
        for cause in causes:
            if match := rule.pattern.search(cause.message):
                about = cause.about if "/" in cause.about else "it"
                words = {"about": about, "text": cause.message, **match.groupdict()}
                return rule.message.format(**words), rule.remedy, rule.actor
    about, message = causes[0]
    return f"{about}: {message}" if about else message, _UNKNOWN_ERROR, Actor.PROJECT
