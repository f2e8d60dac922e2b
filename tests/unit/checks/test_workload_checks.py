"""Each check of what runs passes and fails on one thing, and says which workload and which container."""

from dataclasses import replace

import pytest

from onboarding.api.gates import Actor
from onboarding.api.status import CheckResult
from onboarding.checks import workloads
from onboarding.checks.catalogue import OF_RUNNING
from onboarding.checks.finding import Check
from onboarding.checks.inputs import RunningInputs
from onboarding.checks.probe import WorkloadsFacts
from tests.unit.running import (
    APP,
    GOOD,
    JOB,
    WEB,
    app,
    policy_with,
    running,
    web,
)

CHECKS = [check for check in OF_RUNNING if check.run.__module__ == workloads.__name__]
TEAM = policy_with(registries=["ghcr.io/team"])
DIGEST = "sha256:" + "0123456789abcdef" * 4
EMPTY = WorkloadsFacts()
BARE = replace(GOOD, monitors=(), schedules=(), certificates={}, protected=())
NOT_SERVED = ("Certificate", "PodDisruptionBudget", "PodMonitor", "Schedule", "ServiceMonitor")
BARE_CLUSTER = replace(BARE, not_served=NOT_SERVED)
BLANK = replace(APP, readiness=False, liveness=False, requests={}, limits={}, run_as_non_root=None)
ALONE = replace(WEB, replicas=1, spread=False)
DAEMON = replace(WEB, kind="DaemonSet", name="agent", replicas=1, spread=False)

PASSES: dict[str, tuple[Check[RunningInputs], RunningInputs]] = {
    "something runs": (workloads.workloads_deployed, running()),
    "a job alone": (workloads.workloads_deployed, running(WorkloadsFacts((JOB,)))),
    "more than is looked at runs": (workloads.workloads_deployed, running(WorkloadsFacts(omitted=1))),
    "any registry": (workloads.image_compliant, running(app(image="nginx:1.2"))),
    "a digest": (workloads.image_compliant, running(app(image=f"nginx@{DIGEST}"))),
    "a registry of the policy": (workloads.image_compliant, running(policy=TEAM)),
    "no probes of a job": (workloads.probes_defined, running(WorkloadsFacts((replace(JOB, containers=(BLANK,)),)))),
    "requests and limits": (workloads.resources_defined, running()),
    "no labels asked for": (workloads.labels_present, running(web(labels={}))),
    "the labels asked for": (workloads.labels_present, running(policy=policy_with(labels=["app"]))),
    "not root": (workloads.rootless, running()),
    "a user of its own": (workloads.rootless, running(app(run_as_user=1000))),
    "a user that OpenShift chooses": (workloads.rootless, running(target="openshift")),
    "a target that is gone": (workloads.rootless, running(target="gone")),
    "a high port": (workloads.ports_unprivileged, running(app(ports=(1025,)))),
    "no port": (workloads.ports_unprivileged, running(app(ports=()))),
    "no path of a node": (workloads.no_host_path, running()),
    "two replicas": (workloads.replicas_sufficient, running()),
    "one replica, as the policy says": (
        workloads.replicas_sufficient,
        running(web(replicas=1), policy=policy_with(replicas=1)),
    ),
    "a daemon": (workloads.replicas_sufficient, running(WorkloadsFacts((DAEMON,)))),
    "spread": (workloads.pods_spread, running()),
    "nothing to spread": (workloads.pods_spread, running(WorkloadsFacts((DAEMON, ALONE)))),
    "a budget": (workloads.disruption_budgeted, running()),
    "one replica without a budget": (workloads.disruption_budgeted, running(WorkloadsFacts((DAEMON, ALONE)))),
    "a monitor": (workloads.monitored, running()),
    "a ready certificate": (workloads.certificate_ready, running()),
    "no certificate": (workloads.certificate_ready, running(BARE, domains=("a.example.org",))),
    "no cert-manager, and no domains": (workloads.certificate_ready, running(BARE_CLUSTER)),
    "a schedule": (workloads.backup_scheduled, running()),
}

DOMAIN = ("a.example.org",)
FAILS: dict[str, tuple[Check[RunningInputs], RunningInputs, str]] = {
    "nothing runs": (workloads.workloads_deployed, running(EMPTY), "nothing is deployed in namespace shop-dev"),
    "all scaled to zero": (
        workloads.workloads_deployed,
        running(WorkloadsFacts((replace(WEB, replicas=0),))),
        "nothing is deployed in namespace shop-dev but what is scaled to zero",
    ),
    "no tag": (workloads.image_compliant, running(app(image="a/b")), "Deployment/web (app): no tag: 'a/b'"),
    "latest": (
        workloads.image_compliant,
        running(app(image="a:latest")),
        "Deployment/web (app): tag latest: 'a:latest'",
    ),
    "latest with a digest": (
        workloads.image_compliant,
        running(app(image=f"a:latest@{DIGEST}")),
        f"Deployment/web (app): tag latest: 'a:latest@{DIGEST}"[:79] + "…",
    ),
    "another registry": (
        workloads.image_compliant,
        running(app(image="ghcr.io/teams/x:1"), policy=TEAM),
        "Deployment/web (app): other registry: 'ghcr.io/teams/x:1'",
    ),
    "no image": (workloads.image_compliant, running(app(image="")), "Deployment/web (app): no image reference: ''"),
    "characters that move the cursor": (
        workloads.image_compliant,
        running(app(image="a\x1b[2J\n:1")),
        r"Deployment/web (app): no image reference: 'a\x1b[2J\n:1'",
    ),
    "no readiness probe": (
        workloads.probes_defined,
        running(app(readiness=False)),
        "Deployment/web (app): no readiness probe",
    ),
    "no liveness probe": (
        workloads.probes_defined,
        running(app(liveness=False)),
        "Deployment/web (app): no liveness probe",
    ),
    "no probe of a daemon": (
        workloads.probes_defined,
        running(WorkloadsFacts((replace(DAEMON, containers=(BLANK,)),))),
        "DaemonSet/agent (app): no readiness and no liveness probe",
    ),
    "no requests": (
        workloads.resources_defined,
        running(app(requests={})),
        "Deployment/web (app): no cpu and memory requests",
    ),
    "no limit of memory": (
        workloads.resources_defined,
        running(app(limits={"cpu": "1"})),
        "Deployment/web (app): no memory limits",
    ),
    "no resources of a job": (
        workloads.resources_defined,
        running(WorkloadsFacts((replace(JOB, containers=(replace(APP, limits={}),)),))),
        "CronJob/tidy (app): no cpu and memory limits",
    ),
    "labels that are missing": (
        workloads.labels_present,
        running(WorkloadsFacts((WEB,)), policy=policy_with(labels=["tier", "app", "env"])),
        "Deployment/web: no label env, tier",
    ),
    "root is not refused": (
        workloads.rootless,
        running(app(run_as_non_root=None)),
        "Deployment/web (app): runAsNonRoot is not true",
    ),
    "root": (workloads.rootless, running(app(run_as_user=0)), "Deployment/web (app): runAsUser is 0"),
    "privileged": (
        workloads.rootless,
        running(app(privileged=True)),
        "Deployment/web (app): privileged or may escalate",
    ),
    "a user on OpenShift": (
        workloads.rootless,
        running(app(run_as_user=1000), target="openshift"),
        "Deployment/web (app): runAsUser is fixed",
    ),
    "low ports": (
        workloads.ports_unprivileged,
        running(app(ports=(80, 1024, 8080))),
        "Deployment/web (app): port 80, 1024",
    ),
    "a path of a node": (
        workloads.no_host_path,
        running(web(host_path=True)),
        "Deployment/web: a hostPath volume",
    ),
    "one replica": (
        workloads.replicas_sufficient,
        running(web(replicas=1)),
        "Deployment/web: 1 of 2 replicas",
    ),
    "a database with fewer than the policy says": (
        workloads.replicas_sufficient,
        running(WorkloadsFacts((replace(WEB, kind="StatefulSet", name="db"),)), policy=policy_with(replicas=3)),
        "StatefulSet/db: 2 of 3 replicas",
    ),
    "replicas on one node": (
        workloads.pods_spread,
        running(web(spread=False)),
        "Deployment/web: no topologySpreadConstraints and no podAntiAffinity",
    ),
    "no budget": (
        workloads.disruption_budgeted,
        running(BARE),
        "Deployment/web: no PodDisruptionBudget",
    ),
    "no monitor": (
        workloads.monitored,
        running(BARE),
        "namespace shop-dev has neither a ServiceMonitor nor a PodMonitor",
    ),
    "no monitor where one kind is served": (
        workloads.monitored,
        running(replace(BARE, not_served=("ServiceMonitor",))),
        "namespace shop-dev has neither a ServiceMonitor nor a PodMonitor",
    ),
    "a certificate that is not ready": (
        workloads.certificate_ready,
        running(replace(BARE, certificates={"b": False, "a": False, "c": True})),
        "not ready: Certificate a; b",
    ),
    "no schedule": (
        workloads.backup_scheduled,
        running(BARE),
        "no active Schedule in namespace velero includes namespace shop-dev",
    ),
}
UNKNOWN: dict[str, tuple[Check[RunningInputs], RunningInputs, str]] = {
    "no monitoring": (
        workloads.monitored,
        running(BARE_CLUSTER),
        "PodMonitor and ServiceMonitor: not installed on the cluster of site a, so it cannot be seen",
    ),
    "no cert-manager": (
        workloads.certificate_ready,
        running(BARE_CLUSTER, domains=DOMAIN),
        "Certificate (cert-manager): not installed on the cluster of site a, so it cannot be seen",
    ),
    "no Velero": (
        workloads.backup_scheduled,
        running(BARE_CLUSTER),
        "Schedule (Velero): not installed on the cluster of site a, so it cannot be seen",
    ),
    "no budgets": (
        workloads.disruption_budgeted,
        running(BARE_CLUSTER),
        "PodDisruptionBudget: not installed on the cluster of site a, so it cannot be seen",
    ),
}


@pytest.mark.parametrize(("check", "inputs"), PASSES.values(), ids=PASSES)
def test_a_check_passes(check: Check[RunningInputs], inputs: RunningInputs) -> None:
    assert check.run(inputs) is None


@pytest.mark.parametrize(("check", "inputs", "message"), FAILS.values(), ids=FAILS)
def test_a_check_fails_and_names_what_offends(check: Check[RunningInputs], inputs: RunningInputs, message: str) -> None:
    finding = check.run(inputs)
    assert finding is not None
    assert (finding.message, finding.result) == (message, CheckResult.FAIL)


@pytest.mark.parametrize(("check", "inputs", "message"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_kind_that_is_not_installed_is_unknown_and_the_platforms(
    check: Check[RunningInputs], inputs: RunningInputs, message: str
) -> None:
    finding = check.run(inputs)
    assert finding is not None
    assert (finding.message, finding.result, finding.actor) == (message, CheckResult.UNKNOWN, Actor.PLATFORM)


def test_every_check_of_what_runs_is_tried_both_ways() -> None:
    passing, failing = ({check.id for check, *_ in table.values()} for table in (PASSES, FAILS))
    assert passing == failing == {check.id for check in CHECKS}
