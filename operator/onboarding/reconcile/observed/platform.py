"""Catalogue of policies and targets in their newest known version, with the problems of the unusable ones.

A policy comes into force only after all ClusterRoles that it names have been looked up. Until then its former version
stays in force, so that no environment is admitted with a role that cannot be bound.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson

from onboarding.api.conditions import PolicyChange, Reason
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.target import HostingTargetSpec
from onboarding.build.canonical import compact
from onboarding.build.place import cluster_of
from onboarding.checks.argocd_settings import ArgoSettings
from onboarding.freshness import Freshness, freshness
from onboarding.reconcile.observed.argocd_condition import argocd_validity
from onboarding.reconcile.observed.persona_rules import role_problems, roles_of
from onboarding.reconcile.observed.platform_objects import (
    Due,
    Head,
    KnownPolicy,
    KnownTarget,
    policy_of,
    target_of,
)
from onboarding.reconcile.observed.reserved import operators_own, reserved_by
from onboarding.reconcile.observed.sites import SiteRegistry
from onboarding.reconcile.observed.snapshot import ClusterState, PolicyVersion
from onboarding.reconcile.observed.target_rules import clashes, stage_problems
from onboarding.reconcile.observed.validity import (
    Problem,
    RoleState,
    Validity,
    is_newer,
    policy_status_due,
    reason_of,
    status_due,
    summarize,
)

POLICIES = "onboardingpolicies"
TARGETS = "hostingtargets"
_CONNECTING = ClusterState(problem="it is being connected to", starting=True)
_ACCEPTED = Validity(True, Reason.ACCEPTED, "it can be used")


class PlatformCatalog:
    """Cache of policies and targets."""

    def __init__(self, namespace: str = "") -> None:
        """``namespace`` is the operator's own."""
        self._own = operators_own(namespace)
        self._policies: dict[str, KnownPolicy] = {}
        self._targets: dict[str, KnownTarget] = {}
        self.reads: Counter[str] = Counter()
        """The number of parsed specs, by the plural of their kind."""
        self._in_force: dict[str, tuple[OnboardingPolicySpec | None, str]] = {}
        self._versions: dict[str, PolicyVersion] = {}
        self._roles: dict[str, RoleState] = {}
        self.targets: dict[str, HostingTargetSpec] = {}
        """The usable targets, by name."""
        self.sites = SiteRegistry()
        """The sites of all targets, also of unusable and deleted ones: environments there are still reconciled."""
        self.target_problems: dict[str, str] = {}
        """The problems of the unusable targets, by name."""
        self.argocd: Mapping[tuple[str, str], ArgoSettings] = {}
        """The settings of the Argo CD of each site, by target and site, as far as they have been read."""
        self.reserved: Mapping[str, str] = self._own
        """The namespaces of the operator and of all targets, each with a clause that says whose it is."""

    def policy(self, name: str) -> tuple[OnboardingPolicySpec | None, str]:
        """Return a usable policy, or None and the reason."""
        missing = (None, f"OnboardingPolicy {name} does not exist: the platform team applies it")
        return self._in_force.get(name, missing)

    def policy_version(self, name: str) -> PolicyVersion | None:
        """Return the version of a policy that ``policy`` is about; None before its ClusterRoles are known."""
        return self._versions.get(name)

    def policy_newer(self, name: str) -> bool:
        """Return whether a policy cannot be read because a newer operator wrote its form."""
        return name in self._policies and is_newer(self._policies[name].problems)

    @property
    def newer_targets(self) -> frozenset[str]:
        """The targets that cannot be read because a newer operator wrote their form."""
        return frozenset(name for name, target in self._targets.items() if is_newer(target.problems))

    def names(self, plural: str) -> tuple[str, ...]:
        """Return the names of the policies or of the targets."""
        return tuple(self._known(plural))

    def put(self, plural: str, body: Mapping[str, Any], *, is_answer: bool = False) -> bool:
        """Cache a policy or target; return whether usable policies or targets change. An older version is ignored.

        ``is_answer`` marks the answer to our own write: it does not bring back an object that was deleted meanwhile.
        The content may differ at the same version: after a change of the CRD the API server prunes other fields.
        """
        head, content = Head.of(plural, body), compact(orjson.dumps(body.get("spec")))
        known = self._known(plural).get(head.name)
        if freshness(head.version, known and known.head.version, must_be_known=is_answer) is Freshness.OLDER:
            return False
        same = known is not None and (known.head.uid, known.head.generation) == (head.uid, head.generation)
        if known is not None and same and known.content == content:
            self._renew(head)
            return False
        before = self._usable()
        self.reads[plural] += 1
        if plural == POLICIES:
            self._put_policy(head, content)
        else:
            self._targets[head.name] = target_of(head, content, self._targets.get(head.name))
        self._settle()
        return self._usable() != before

    def version(self, plural: str, name: str) -> int:
        """Return the cached version of a policy or target; 0 if it is not cached."""
        known = self._known(plural).get(name)
        return known.head.version if known else 0

    def _known(self, plural: str) -> Mapping[str, "KnownPolicy | KnownTarget"]:
        return self._policies if plural == POLICIES else self._targets

    def drop(self, plural: str, name: str) -> bool:
        """Drop a deleted policy or target; return whether usable policies or targets change."""
        before = self._usable()
        if plural == POLICIES:
            self._policies.pop(name, None)
            self._in_force.pop(name, None)
            self._versions.pop(name, None)
        else:
            self._targets.pop(name, None)
        self._settle()
        return self._usable() != before

    def unasked_roles(self) -> set[str]:
        """Return the ClusterRoles of policies that have not been looked up yet."""
        return {role for policy in self._policies.values() for role in self._unasked(policy)}

    def know_roles(self, states: Mapping[str, RoleState]) -> bool:
        """Cache the states of ClusterRoles; return whether usable policies or targets change."""
        before = self._usable()
        self._roles.update(states)
        self._settle()
        return self._usable() != before

    @property
    def has_unusable_roles(self) -> bool:
        """Whether a ClusterRole of a policy was looked up and cannot be bound."""
        return any(state is not RoleState.USABLE for state in self._roles.values())

    def doubt_roles(self) -> None:
        """Drop the states of unusable ClusterRoles, so that they are looked up again."""
        self._roles = {role: state for role, state in self._roles.items() if state is RoleState.USABLE}

    def due(
        self, clusters: Mapping[str, ClusterState], now: datetime, change: tuple[str, PolicyChange] | None = None
    ) -> list[Due]:
        """Return the statuses to write, for policies and targets with an outdated status and a known validity.

        ``change`` is the effect of the last change of a policy, with the UID of that policy.
        """
        return list(self._due(clusters, now, change))

    def verdicts(self, clusters: Mapping[str, ClusterState]) -> Iterator[tuple[Head, Validity | None]]:
        """Yield every policy and target with its validity; None if that is not known yet."""
        yield from ((policy.head, self._policy_verdict(policy)) for policy in self._policies.values())
        yield from ((target.head, self._target_verdict(target, clusters)) for target in self._targets.values())

    def _due(
        self, clusters: Mapping[str, ClusterState], now: datetime, change: tuple[str, PolicyChange] | None
    ) -> Iterator[Due]:
        for head, verdict in self.verdicts(clusters):
            if verdict is None:
                continue
            if head.plural == POLICIES:
                counted = change[1] if change and change[0] == head.uid else None
                status = policy_status_due(verdict, head.generation, head.status, now, counted)
            else:
                target = self.targets.get(head.name)
                safe = argocd_validity(head.name, target, self.argocd) if target else None
                status = status_due(verdict, head.generation, head.status, now, safe)
            if status:
                yield Due(head, status)

    def _policy_verdict(self, policy: KnownPolicy) -> Validity | None:
        if self._unasked(policy):
            return None
        problems = self._policy_problems(policy)
        return Validity(False, reason_of(problems), summarize(problems)) if problems else _ACCEPTED

    def _target_verdict(self, target: KnownTarget, clusters: Mapping[str, ClusterState]) -> Validity | None:
        name = target.head.name
        if name in self.target_problems:
            newer = name in self.newer_targets
            reason = Reason.NEWER_THAN_OPERATOR if newer else Reason.INVALID
            return Validity(False, reason, self.target_problems[name])
        sites = [site for site in self.targets[name].sites if not site.lost]
        states = [clusters.get(cluster_of(site), _CONNECTING) for site in sites]
        for site, state in zip(sites, states, strict=True):
            if broken := _site_validity(site.name, state):
                return broken
        return _ACCEPTED if all(state.known for state in states) else None

    def _put_policy(self, head: Head, content: bytes) -> None:
        policy = self._policies[head.name] = policy_of(head, content)
        for role in roles_of(policy.spec) if policy.spec else ():
            # Looked up again: the ClusterRole may have changed since the last change of the policy.
            self._roles.pop(role, None)

    def _renew(self, head: Head) -> None:
        if head.plural == POLICIES:
            self._policies[head.name] = self._policies[head.name]._replace(head=head)
        else:
            self._targets[head.name] = self._targets[head.name]._replace(head=head)

    def _unasked(self, policy: KnownPolicy) -> set[str]:
        """Return the ClusterRoles of a policy that have not been looked up yet."""
        if policy.spec is None or policy.problems:
            return set()
        return roles_of(policy.spec) - self._roles.keys()

    def _policy_problems(self, policy: KnownPolicy) -> tuple[Problem, ...]:
        return policy.problems or (role_problems(policy.spec, self._roles) if policy.spec else ())

    def _settle(self) -> None:
        """Update the policies in force and the usable targets."""
        for name, policy in self._policies.items():
            if self._unasked(policy):
                waiting = f"OnboardingPolicy {name}: its ClusterRoles are being looked up"
                self._in_force.setdefault(name, (None, waiting))
                continue
            problems = self._policy_problems(policy)
            self._in_force[name] = (
                (None, f"OnboardingPolicy {name}: {summarize(problems)}") if problems else (policy.spec, "")
            )
            self._versions[name] = PolicyVersion(policy.head.uid, policy.head.generation, not problems)
        self._settle_targets()
        self.reserved = reserved_by({name: target.named for name, target in self._targets.items()}, self._own)

    def _settle_targets(self) -> None:
        """Update the usable targets; if two clash, the older one is usable."""
        specs = [policy.spec for policy in self._policies.values() if policy.spec]
        stages = {stage.name for spec in specs for stage in spec.stages}
        self.targets, self.target_problems = {}, {}
        self.sites.update((name, target.sites) for name, target in self._targets.items())
        for target in sorted(self._targets.values(), key=lambda item: (item.head.created, item.head.name)):
            problems = target.problems
            if target.spec and not problems:
                # Stages can be compared only if a policy can be read.
                problems = (stage_problems(target.spec, stages) if stages else ()) + clashes(target.spec, self.targets)
            if target.spec and not problems:
                self.targets[target.head.name] = target.spec
            else:
                self.target_problems[target.head.name] = summarize(problems)

    def _usable(self) -> tuple[Any, ...]:
        return (
            dict(self._in_force),
            dict(self._versions),
            self.targets,
            self.target_problems,
            self.sites.known,
            self.reserved,
        )


def _site_validity(site: str, state: ClusterState) -> Validity | None:
    """Return why a site is unusable; None if it is usable, or not known yet."""
    if state.problem:
        return None if state.starting else Validity(False, Reason.TARGET_UNREACHABLE, f"site {site}: {state.problem}")
    if state.guarded:
        return Validity(False, Reason.INVALID, f"site {site}: {state.role_problem}") if state.role_problem else None
    reason = Reason.TARGET_UNREACHABLE if state.guard_unknown else Reason.GUARD_MISSING
    return Validity(False, reason, f"site {site}: {state.guard_problem}")
