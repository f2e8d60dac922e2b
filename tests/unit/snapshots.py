"""Worlds to judge: a policy, a target and projects, and live objects as if we had made them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.api.target import HostingTargetSpec
from onboarding.build.kinds import Manifest, ObjectKey, Wanted
from onboarding.build.revision import Owner, Revision
from onboarding.build.wanted import build_wanted
from onboarding.checks.argocd_settings import ArgoSettings
from onboarding.checks.inputs import EnvironmentDeclaration, ProjectDeclaration, ProjectInputs
from onboarding.checks.probe import Answer, Request
from onboarding.reconcile.admission.resolve import resolve_revisions
from onboarding.reconcile.gates.approvals import Key, Subjects
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.observed.admitted import read_admitted
from onboarding.reconcile.observed.cached_object import CachedObject, cached_object_of
from onboarding.reconcile.observed.dated import DatedDecision
from onboarding.reconcile.observed.sites import KnownSite, SiteRegistry
from onboarding.reconcile.observed.snapshot import ClusterState, Project, Snapshot
from onboarding.reconcile.plan.planner import make_plan
from onboarding.reconcile.plan.reconcile_plan import ReconcilePlan
from onboarding.reconcile.status.ready import ready_state
from onboarding.reconcile.status.status import report

UID = "11111111-1111-4111-8111-111111111111"
OWNER = Owner("inst-1", "shop", UID)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GIT = "https://git.example.org/shop.git"
POLICY = OnboardingPolicySpec.model_validate(
    {
        "stages": [
            {"name": "dev", "defaultSize": "small", "defaultTarget": "main"},
            {"name": "prod", "production": True, "defaultSize": "small", "defaultTarget": "main"},
        ],
        "sizes": [
            {"name": name, "cpu": cpu, "memory": "4Gi", "ephemeralStorage": "8Gi", "storage": "10Gi", "pods": 20}
            for name, cpu in (("small", "2"), ("large", "8"))
        ],
        "personas": [
            {"name": "admin", "clusterRole": "onboarding:admin", "argocd": ["get", "sync"]},
            {"name": "viewer", "clusterRole": "onboarding:viewer"},
        ],
        "container": {
            "request": {"cpu": "100m", "memory": "128Mi", "ephemeralStorage": "256Mi"},
            "limit": {"cpu": "500m", "memory": "512Mi", "ephemeralStorage": "1Gi"},
        },
    }
)
SITES = [
    {"name": "a"},
    {"name": "b", "kubeconfigSecret": {"name": "site-b"}, "argocd": {"destinationServer": "https://b.example.org"}},
]
TARGETS = {
    "main": HostingTargetSpec.model_validate({"sites": SITES[:1]}),
    "twin": HostingTargetSpec.model_validate({"sites": SITES}),
    "strict": HostingTargetSpec.model_validate({"sites": SITES[:1], "stages": ["prod"]}),
}
CREATED = "2026-01-01T00:00:00Z"
"""When what exists was created, before ``DECIDED``."""
DECIDED = "2026-01-02T00:00:00Z"
"""When decisions were made."""
MARK = "22222222-2222-4222-8222-222222222222"
"""The UID of the binding that lets the operator alone write where a namespace was detached from."""
FORMER_MARK = "33333333-3333-4333-8333-333333333333"
"""The UID of the binding under which a former version detached namespaces."""
STATE = ClusterState(detach_mark=MARK, former_detach_mark=FORMER_MARK)
CLUSTERS = {"hub": STATE, "site-b/kubeconfig": STATE}


def spec_of(*environments: Mapping[str, Any], **fields: Any) -> ProjectOnboardingSpec:
    """Return the spec of a project with two groups and one repository, unless the fields say otherwise."""
    owner = {"name": "Ada", "email": "ada@example.org"}
    team = {"groups": {"admin": ["shop-admins"], "viewer": ["support"]}}
    repositories = [{"name": "app", "url": GIT}]
    given = {"owner": owner, "team": team, "repositories": repositories, "environments": environments, **fields}
    return ProjectOnboardingSpec.model_validate(given)


def environment(name: str = "dev", **fields: Any) -> dict[str, Any]:
    """Return one environment."""
    return {"name": name, "stage": "dev", **fields}


def declaration_of(
    spec: ProjectOnboardingSpec,
    policy: OnboardingPolicySpec = POLICY,
    targets: Mapping[str, HostingTargetSpec] = TARGETS,
    now: datetime = NOW,
) -> ProjectDeclaration:
    """Return the inputs of the declaration checks of a project."""
    return ProjectDeclaration("shop", spec, policy, targets, now.date())


def inputs_of(
    spec: ProjectOnboardingSpec, index: int = 0, policy: OnboardingPolicySpec = POLICY, **options: Any
) -> EnvironmentDeclaration:
    """Return the inputs of the declaration checks of one environment."""
    return EnvironmentDeclaration(declaration_of(spec, policy, **options), spec.environments[index])


def project_inputs(
    spec: ProjectOnboardingSpec,
    answers: Mapping[Request[Any], Answer[Any]] | None = None,
    *,
    attested: frozenset[str] = frozenset(),
    now: datetime = NOW,
    **options: Any,
) -> ProjectInputs:
    """Return the inputs of the checks of a project."""
    return ProjectInputs(declaration_of(spec, now=now, **options), now, answers or {}, attested)


def revisions(spec: ProjectOnboardingSpec) -> list[Revision]:
    """Return the revisions that a spec leads to when nothing holds it."""
    return [
        revision for index in range(len(spec.environments)) for revision in resolve_revisions(inputs_of(spec, index))
    ]


def stored(manifest: Manifest, version: int = 1, **metadata: Any) -> Manifest:
    """Return a manifest as the API server gives it back; a quota as the quota controller has confirmed it."""
    own = {"uid": f"uid-{manifest['metadata']['name']}", "resourceVersion": str(version)}
    own = {**own, "creationTimestamp": CREATED, **metadata}
    status = {"status": {"hard": manifest["spec"]["hard"]}} if manifest["kind"] == "ResourceQuota" else {}
    return {**manifest, **status, "metadata": {**manifest["metadata"], **own}}


def live_from(wanted: Iterable[Wanted]) -> dict[ObjectKey, CachedObject]:
    """Return wanted objects as if all of them had been made."""
    return {item.key: cached_object_of(item.key.kind, stored(item.manifest)) for item in wanted}


def live_of_spec(spec: ProjectOnboardingSpec) -> dict[ObjectKey, CachedObject]:
    """Return everything that a spec leads to, in place."""
    return live_from(build_wanted(OWNER, revisions(spec)))


def confirm_delete(environment: str | None = None, **fields: Any) -> DatedDecision:
    """Return a decision that confirms a removal; without a digest, of the namespaces that were there before it."""
    return decided("ConfirmDelete", environment=environment, **fields)


def snapshot_of(
    spec: ProjectOnboardingSpec | None,
    live: Mapping[ObjectKey, CachedObject] | None = None,
    *,
    deleting: bool = False,
    status: Mapping[str, Any] | None = None,
    problem: str = "",
    **fields: Any,
) -> Snapshot:
    """Return a world in which a project declares this spec; ``fields`` replace fields of the world."""
    finalizers = ("projectonboarding.io/teardown",)
    project = Project("shop", UID, 3, "9", deleting, finalizers, status or {}, spec, problem)
    given: dict[str, Any] = {
        "policy": POLICY,
        "policy_problem": "",
        "targets": TARGETS,
        "sites": sites_of(fields.get("targets", TARGETS)),
        "decisions": (),
        "clusters": CLUSTERS,
        "argocd": safe_settings(fields.get("targets", TARGETS)),
        "now": NOW,
        **fields,
    }
    return Snapshot(project=project, installation=OWNER.installation, live=live or {}, **given)


def safe_settings(targets: Mapping[str, HostingTargetSpec]) -> dict[tuple[str, str], ArgoSettings]:
    """Return the settings of Argo CDs that have nothing unsafe, by target and site."""
    safe = ArgoSettings("ConfigMap argocd/argocd-cm")
    return {(name, site.name): safe for name, target in targets.items() for site in target.sites}


def sites_of(targets: Mapping[str, HostingTargetSpec]) -> Mapping[str, KnownSite]:
    """Return the sites of these targets, as the operator knows them."""
    registry = SiteRegistry()
    registry.update((name, target.sites) for name, target in targets.items())
    return registry.known


def offer(name: str, spec: Any, version: int = 1, **metadata: Any) -> dict[str, Any]:
    """Return a policy or target as the API server gives it; each version has another spec unless it says otherwise."""
    own = {"uid": f"uid-{name}", "generation": version, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"metadata": {"name": name, "resourceVersion": str(version), **own, **metadata}, "spec": spec}


def unannotated(namespace: CachedObject) -> CachedObject:
    """Return a namespace of ours without its admitted revision."""
    return namespace._replace(content=b'{"metadata":{"labels":{},"annotations":{}}}', admitted=read_admitted(""))


def policy_of(*gates: Mapping[str, Any], **fields: Any) -> OnboardingPolicySpec:
    """Return the policy with these gates; ``fields`` replace fields of it, written as in a manifest."""
    given = {**POLICY.model_dump(mode="json", by_alias=True, exclude_defaults=True), "gates": gates, **fields}
    return OnboardingPolicySpec.model_validate(given)


def decided(decision: str, by: str = "pat", *, groups: Iterable[str] = (), **fields: Any) -> DatedDecision:
    """Return a decision about the project by somebody who does not belong to it, unless ``by`` and ``groups`` do."""
    given = {
        "decision": decision,
        "project": {"name": "shop", "uid": UID},
        "by": {"username": by, "groups": tuple(groups)},
        "reason": "I say so",
        "created": DECIDED,
        **fields,
    }
    return DatedDecision.model_validate(given)


def approved(
    spec: ProjectOnboardingSpec, policy: OnboardingPolicySpec, at: str, name: str, **fields: Any
) -> tuple[DatedDecision, ...]:
    """Return the approvals of a gate by somebody who looked at this spec: of each environment that the gate opens."""
    digests = Subjects(spec, policy, Digests(spec, policy)).digests_by_key()
    return tuple(
        decided("Approve", **{**_named(key), "digest": digest, **fields})
        for key, digest in digests.items()
        if (key.gate, key.approval) == (at, name)
    )


def _named(key: Key) -> dict[str, str]:
    named = {"environment": key.environment} if key.environment else {}
    return {"gate": key.gate, "approval": key.approval, **named}


def attested(spec: ProjectOnboardingSpec, check: str, **fields: Any) -> DatedDecision:
    """Return an attestation of a check by somebody who looked at this spec."""
    digest = Digests(spec, POLICY).of_check(check)
    return decided("Attest", **{"check": check, "digest": digest, "expires": "2030-01-01T00:00:00Z", **fields})


def built(snapshot: Snapshot) -> dict[ObjectKey, CachedObject]:
    """Return everything that a pass over a world makes, in place."""
    return live_from(build_wanted(OWNER, make_plan(snapshot).building))


def unconfirmed(plan: ReconcilePlan) -> set[str]:
    """Return the environments whose removal waits for a decision."""
    return {item.name for item in plan.environments if item.removal.awaiting}


def told(snapshot: Snapshot) -> dict[str, Any]:
    """Return the status that a pass over a world writes where all its work is done."""
    plan = make_plan(snapshot)
    seen = replace(snapshot, live=built(snapshot))
    return report(seen, plan, (), ready_state(seen, plan, ()), None).status


def with_status(snapshot: Snapshot, status: Mapping[str, Any], **fields: Any) -> Snapshot:
    """Return a world in which this status was written before; ``fields`` replace fields of the world."""
    return replace(snapshot, project=replace(snapshot.project, status=status), **fields)
