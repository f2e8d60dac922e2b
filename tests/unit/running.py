"""Environments that run, and what runs in them, as the checks of what runs see them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from onboarding.api.policy import OnboardingPolicySpec, WorkloadRules
from onboarding.api.target import HostingTargetSpec
from onboarding.checks.inputs import RunningInputs
from onboarding.checks.probe import Answer, Request, Workload, WorkloadContainer, WorkloadsFacts, WorkloadsRequest
from tests.unit.snapshots import NOW, POLICY, SITES, TARGETS, environment, project_inputs, spec_of

WHAT_RUNS = WorkloadsRequest("hub", "shop-dev")
AMOUNTS = {"cpu": "100m", "memory": "64Mi"}
APP = WorkloadContainer(
    name="app",
    image="ghcr.io/team/app:1.0",
    readiness=True,
    liveness=True,
    requests=AMOUNTS,
    limits=AMOUNTS,
    ports=(8080,),
    run_as_non_root=True,
)
WEB = Workload("Deployment", "web", {"app": "web"}, (APP,), replicas=2, spread=True)
JOB = Workload("CronJob", "tidy", {"app": "tidy"}, (APP,))
GOOD = WorkloadsFacts(
    workloads=(JOB, WEB),
    protected=("Deployment/web",),
    monitors=("PodMonitor/web",),
    certificates={"web": True},
    schedules=("daily",),
)
OPENSHIFT = HostingTargetSpec.model_validate({"sites": SITES[:1], "flavour": "OpenShift"})


def answered(facts: Any, problem: str = "") -> Answer[Any]:
    """Return an answer of now."""
    return Answer(facts, problem, NOW)


def policy_with(**rules: Any) -> OnboardingPolicySpec:
    """Return the policy with these rules of workloads."""
    return POLICY.model_copy(update={"workloads": WorkloadRules.model_validate(rules)})


def web(**changes: Any) -> WorkloadsFacts:
    """Return what runs, with a Deployment that differs."""
    return replace(GOOD, workloads=(JOB, replace(WEB, **changes)))


def app(**changes: Any) -> WorkloadsFacts:
    """Return what runs, with a container of the Deployment that differs."""
    return web(containers=(replace(APP, **changes),))


def running(
    facts: WorkloadsFacts | None = GOOD,
    *,
    policy: OnboardingPolicySpec = POLICY,
    target: str = "main",
    answers: Mapping[Request[Any], Answer[Any]] | None = None,
    domains: tuple[str, ...] = (),
    **fields: Any,
) -> RunningInputs:
    """Return an environment ``dev`` in which this runs; ``facts`` of None: that has not been asked yet."""
    known = {} if facts is None else {WHAT_RUNS: answered(facts)}
    spec = spec_of(environment(domains=domains))
    targets = {**TARGETS, "openshift": OPENSHIFT}
    project = project_inputs(spec, {**known, **(answers or {})}, policy=policy, targets=targets)
    return RunningInputs(project, "dev", "dev", target, "a", "hub", "shop-dev", **fields)
