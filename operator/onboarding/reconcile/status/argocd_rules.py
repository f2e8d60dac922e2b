"""Rules that translate the errors of Argo CD, and of what is behind it, into problem, remedy and actor; pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from onboarding.api.gates import Actor
from onboarding.reconcile.observed.argocd_status import Cause

_LARGER_SIZE: Final = "reduce its requests, or choose a larger size for the environment"
_FEWER_OBJECTS: Final = (
    "remove objects of that kind, or ask the platform to raise the count (spec.objectCounts of the policy)"
)
_UNKNOWN_ERROR: Final = "fix the error that the Application shows in Argo CD"
_EXCEEDED: Final = r"exceeded quota: \S+, requested: (?P<asked>{asked}), used: (?P<used>.+), limited: (?P<hard>.+?)\.?$"
_COUNT: Final = r"(?:count/[^=,]+|configmaps|secrets|services|services\.loadbalancers|persistentvolumeclaims)=[0-9]+"
"""A single count; the amounts of pods, CPU, memory and storage depend on the size."""


class _Rule(NamedTuple):
    """The translation of an error of Argo CD 3.6, or of an API server or repository behind it."""

    pattern: re.Pattern[str]
    message: str
    """Format string with the groups of the pattern, ``about`` for the object and ``text`` for the original."""
    remedy: str
    actor: Actor = Actor.PROJECT


_RULES: Final = (
    _Rule(
        re.compile(_EXCEEDED.format(asked=r"[^:]*\bservices\.nodeports=[^:]*?")),
        "the quota of the environment refuses {about}: no Service may have a node port",
        "set type: ClusterIP on the Service; for the HTTP01 solver of cert-manager, set serviceType: ClusterIP in the "
        "issuer",
    ),
    _Rule(
        re.compile(_EXCEEDED.format(asked=_COUNT)),
        "the environment has as many objects as the platform allows, so that {about} is refused: requested {asked}; "
        "used {used}; limit {hard}",
        _FEWER_OBJECTS,
    ),
    _Rule(
        re.compile(r"exceeded quota: \S+, requested: (?P<asked>.+), used: (?P<used>.+), limited: (?P<hard>.+?)\.?$"),
        "the quota of the environment refuses {about}: requested {asked}; used {used}; limit {hard}",
        _LARGER_SIZE,
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
        re.compile(
            r"Invalid value: \"(?P<asked>[^\"]+)\": must be less than or equal to (?P<kind>\S+) limit of (?P<hard>\S+)"
        ),
        "no pod of {about} can be made: it requests {asked} of {kind}, and its limit is {hard}",
        "set a limit on each container that is at least its request; without one the default of the platform counts",
    ),
    _Rule(
        re.compile(r"(?P<object>\S+) is part of applications (?P<one>\S+) and (?P<other>\S+)"),
        "two Applications deploy {object}: {one} and {other}, so that each undoes what the other does",
        "remove the object from one of the two repositories, or give it another name",
    ),
    _Rule(
        re.compile(r"is invalid: (?P<why>.+)"),
        "the API server refuses {about}: {why}",
        "fix the manifest",
    ),
)
"""The first that matches one of the errors is shown; an error without a rule is shown as Argo CD reports it."""


def remedy_of_full(resources: Iterable[str]) -> str:
    """Return the remedy if these resources of a quota are exhausted: the size sets amounts and pods, not counts."""
    by_size = any(name == "pods" or "requests." in name or "limits." in name for name in resources)
    return _LARGER_SIZE if by_size else _FEWER_OBJECTS


def translate(causes: Sequence[Cause]) -> tuple[str, str, Actor]:
    """Return problem, remedy and actor of errors: those of the first rule that one of them matches."""
    for rule in _RULES:
        for cause in causes:
            if match := rule.pattern.search(cause.message):
                about = cause.about if "/" in cause.about else "it"
                words = {"about": about, "text": cause.message, **match.groupdict()}
                return rule.message.format(**words), rule.remedy, rule.actor
    about, message = causes[0]
    return f"{about}: {message}" if about else message, _UNKNOWN_ERROR, Actor.PROJECT
