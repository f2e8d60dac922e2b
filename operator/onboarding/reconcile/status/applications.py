"""What becomes of Argo CD's words: per Application what is wrong, what mends it, and who acts; pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from onboarding.api.gates import Actor
from onboarding.api.status import ApplicationStatus, NextAction
from onboarding.api.text import cut, time
from onboarding.build.kinds import RESOURCE_QUOTA, ObjectKey
from onboarding.build.quota import NAME as QUOTA_NAME
from onboarding.build.revision import Revision
from onboarding.checks.probe import Workload, WorkloadsRequest
from onboarding.reconcile.gates.running import application_keys
from onboarding.reconcile.observed.argocd_status import Application, Cause
from onboarding.reconcile.observed.snapshot import Snapshot

_SHOWN = 200
"""Bytes of a message beside its Application; the condition and the action have more of the worst."""
_ACTIONS = 3
_PROGRESSING: Final = "Progressing"
_STANDINGS: Final = ("Degraded", "Missing", "Unknown", "OutOfSync", "Suspended", "Progressing")
_LOOK: Final = "look at the Application in Argo CD, and mend what it reports"


class _Rule(NamedTuple):
    """How a message of Argo CD 3.6, or of whoever refused it something, is read."""

    pattern: re.Pattern[str]
    message: str
    """With the groups of the pattern, and ``about`` for the object it is about."""
    remedy: str
    actor: Actor = Actor.PROJECT


_RULES: Final = (
    _Rule(
        re.compile(r"exceeded quota: \S+, requested: (?P<asked>.+), used: (?P<used>.+), limited: (?P<hard>.+?)\.?$"),
        "the quota of the environment refuses {about}: asked {asked}; used {used}; limit {hard}",
        "let it ask for less, or choose a larger size for the environment",
    ),
    _Rule(
        re.compile(r"failed quota: \S+: must specify (?P<fields>.+?)\.?$"),
        "the quota of the environment refuses {about}: it does not say {fields}",
        "set requests and limits on every container",
    ),
    _Rule(
        re.compile(r"violates PodSecurity \"(?P<level>[^\"]+)\": (?P<why>.+)"),
        "Pod Security {level} refuses {about}: {why}",
        "set the securityContext of the pods as that level asks",
    ),
    _Rule(
        re.compile(r"\(rule (?P<rule>project-onboarding-[a-z-]+)\): (?P<why>.+)"),
        "the guard rails refuse {about}: {why} (rule {rule})",
        "take it out of the repository: the operator alone writes what it manages",
    ),
    _Rule(
        re.compile(r"ValidatingAdmissionPolicy '(?P<rule>[^']+)' .*denied request: (?P<why>.+)"),
        "policy {rule} of the cluster refuses {about}: {why}",
        "mend the manifest, or ask the platform about that policy",
    ),
    _Rule(
        re.compile(r"resource (?P<group>[^\s:]*):(?P<kind>\w+) is not permitted in project"),
        "{about}: projects may not sync {kind} here",
        "take it out of the repository; which kinds are allowed is the platform's decision (delivery of the policy)",
    ),
    _Rule(
        re.compile(r"namespace (?P<namespace>\S+) is not permitted in project"),
        "{about} wants namespace {namespace}, which is not this environment's",
        "leave metadata.namespace out of the manifests",
    ),
    _Rule(
        re.compile(r"referencing project (?P<project>\S+) which does not exist"),
        "AppProject {project} is missing",
        "the operator makes it again; if it stays away, see what deletes it",
        Actor.PLATFORM,
    ),
    _Rule(
        re.compile(r"do not match any of the allowed destinations|application repo \S+ is not permitted"),
        "the AppProject does not allow it: {text}",
        "see who has changed the AppProject, and the destinationServer of the target",
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
        "Argo CD finds no account to sync as",
        "see who has changed the AppProject: its destinationServiceAccounts name one for each environment",
        Actor.PLATFORM,
    ),
    _Rule(
        re.compile(r"cannot (?P<verb>\w+) resource \"(?P<resource>[^\"]+)\" in API group \"(?P<group>[^\"]*)\""),
        "the account of the environment may not {verb} {resource} ({about})",
        "take it out of the repository, or give it by a ClusterRole labelled projectonboarding.io/aggregate-to-sync",
        Actor.PLATFORM,
    ),
    _Rule(
        re.compile(r"attempting to grant RBAC permissions not currently held"),
        "{about} would give more rights than the account of the environment has",
        "let it give less, or take it out of the repository",
    ),
    _Rule(
        # kubectl 0.37 in Argo CD 3.6.1 panics where a RoleBinding is refused, and takes the refusal with it.
        re.compile(r"kubectl auth reconcile: runtime error"),
        "the API server refuses {about}, and Argo CD does not know why",
        "let it give no more than the account of the environment has, under a name that is none of the operator's",
    ),
    _Rule(
        re.compile(r"could not find (?P<kind>\S+) for requested resource"),
        "the cluster does not serve {kind}",
        "have its definition installed there, or take the object out of the repository",
        Actor.PLATFORM,
    ),
    _Rule(
        re.compile(r"(?i)authentication required|authorization failed|invalid username or password|unable to auth"),
        "the repository refuses Argo CD's login, or wants one",
        "give the repository a login that the policy offers (repositories.credentials), or renew that login",
    ),
    _Rule(
        re.compile(r"repository not found"),
        "there is no such repository, or Argo CD may not see it",
        "mend the URL, or give the repository a login that the policy offers (repositories.credentials)",
    ),
    _Rule(
        re.compile(r"unable to resolve '(?P<revision>[^']*)' to a commit SHA"),
        "the repository has no revision {revision}",
        "push that branch or tag, or name another revision",
    ),
    _Rule(
        re.compile(r"(?P<path>\S+): app path does not exist"),
        "the repository has no path {path} in that revision",
        "commit that folder, or name another path",
    ),
    _Rule(
        re.compile(r"(?i)connection refused|no such host|i/o timeout|deadline exceeded|network is unreachable|x509:"),
        "Argo CD does not reach what it needs: {text}",
        "see that the server answers, and that Argo CD may reach and trusts it",
        Actor.PLATFORM,
    ),
    _Rule(
        re.compile(r"(?i)helm template: |kustomize build: |failed to unmarshal|manifest generation error"),
        "what is in the repository does not render: {text}",
        "mend it; the same command shows the same error on your machine",
    ),
    _Rule(
        re.compile(r"is invalid: (?P<why>.+)"),
        "the API server refuses {about}: {why}",
        "mend the manifest",
    ),
)
"""The first that matches any of the causes is the reason; what none matches is told as Argo CD tells it."""


@dataclass(frozen=True, slots=True)
class ApplicationState:
    """Where an Application stands."""

    name: str
    facts: Application
    message: str = ""
    """What is wrong or awaited; empty where nothing is."""
    remedy: str = ""
    """What mends it; empty where that shows by itself."""
    actor: Actor = Actor.PROJECT
    failing: bool = False
    """Whether Argo CD gives a reason: what is wanted is not what runs, or what runs is broken."""

    @property
    def well(self) -> bool:
        """Whether it runs as it shall."""
        return self.facts.standing == "Healthy" and not self.failing

    @property
    def badness(self) -> tuple[int, int, str]:
        """Place in an order that has the worst first."""
        standing = self.facts.standing
        place = _STANDINGS.index(standing) if standing in _STANDINGS else len(_STANDINGS)
        return (0 if self.failing else 1 if not self.well else 2 if self.message else 3), place, self.name

    @property
    def told(self) -> str:
        """It in a sentence, for a condition."""
        return f"{self.name}: {self.message or self.facts.standing}"


def application_states(snapshot: Snapshot, revision: Revision) -> tuple[ApplicationState, ...]:
    """Return where the Applications of an environment on one site stand, in the order of its repositories."""
    full = snapshot.full(ObjectKey(revision.cluster, RESOURCE_QUOTA, revision.namespace, QUOTA_NAME))
    used_up = ", ".join(f"{key} {amount} of {amount}" for key, amount in sorted(full.items()))
    standings = []
    for key in application_keys(snapshot, revision):
        facts = snapshot.application(key)
        refused = _refused(snapshot, revision, facts)
        standings.append(_standing(key.name, facts, refused, used_up, by_hand=not revision.auto_sync))
    return tuple(standings)


def unexplained(snapshot: Snapshot, revisions: Iterable[Revision]) -> set[WorkloadsRequest]:
    """Return what to ask about environments where Argo CD says Progressing, which it does of refused pods, too."""
    return {
        _what_runs(revision)
        for revision in revisions
        if any(snapshot.application(key).health == _PROGRESSING for key in application_keys(snapshot, revision))
    }


def status_of(standing: ApplicationState) -> ApplicationStatus:
    """Return an Application as the status shows it."""
    facts = standing.facts
    return ApplicationStatus(
        name=standing.name,
        sync=facts.sync or None,
        health=facts.health or None,
        phase=facts.phase or None,
        revision=facts.revision or None,
        deployed_at=facts.deployed_at or None,
        message=cut(standing.message, _SHOWN) or None,
    )


def next_steps(standings: Iterable[ApplicationState]) -> Iterator[NextAction]:
    """Return who has to do what about the worst Applications; those with the same trouble share a step."""
    troubles: dict[tuple[Actor, str, str], list[str]] = {}
    for standing in sorted(standings, key=lambda item: item.badness):
        if standing.remedy:
            trouble = standing.actor, standing.message, standing.remedy
            troubles.setdefault(trouble, []).append(standing.name)
    for (actor, message, remedy), names in list(troubles.items())[:_ACTIONS]:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield NextAction(actor=actor, action=cut(f"Application {names[0]}{more}: {message}: {remedy}"))


def _what_runs(revision: Revision) -> WorkloadsRequest:
    return WorkloadsRequest(revision.cluster, revision.namespace)


def _refused(snapshot: Snapshot, revision: Revision, facts: Application) -> tuple[Cause, ...]:
    """Return why pods cannot be made for what Argo CD waits for, as far as that was seen since it was deployed."""
    answer = snapshot.answers.get(_what_runs(revision)) if facts.health == _PROGRESSING else None
    if answer is None or answer.facts is None or time(answer.at) < facts.deployed_at:
        return ()
    workloads: tuple[Workload, ...] = answer.facts.workloads
    return tuple(
        Cause(f"{workload.kind}/{workload.name}", workload.replica_failure)
        for workload in workloads
        if workload.replica_failure
    )


def _standing(
    name: str, facts: Application, refused: Sequence[Cause], used_up: str, *, by_hand: bool
) -> ApplicationState:
    waiting = facts.health in ("Progressing", "Degraded") and (facts.sync == "Synced" or not facts.causes)
    if used_up and waiting:
        message = f"{facts.health}, and the quota of the environment is used up: {used_up}"
        return ApplicationState(name, facts, message, _RULES[0].remedy, failing=True)
    if causes := (*refused, *facts.causes):
        message, remedy, actor = _read(causes)
        return ApplicationState(name, facts, message, remedy, actor, failing=True)
    if facts.health == "Degraded":
        return ApplicationState(name, facts, "Degraded: what runs is not ready", "see why its pods do not get ready")
    if facts.sync == "OutOfSync" and by_hand and facts.phase != "Running":
        return ApplicationState(name, facts, "what is in the repository waits for a sync by hand", "sync it in Argo CD")
    return ApplicationState(name, facts)


def _read(causes: Sequence[Cause]) -> tuple[str, str, Actor]:
    """Return what is wrong, what mends it, and who acts."""
    for rule in _RULES:
        for cause in causes:
            if match := rule.pattern.search(cause.message):
                about = cause.about if "/" in cause.about else "it"
                words = {"about": about, "text": cause.message, **match.groupdict()}
                return rule.message.format(**words), rule.remedy, rule.actor
    about, message = causes[0]
    return f"{about}: {message}" if about else message, _LOOK, Actor.PROJECT
