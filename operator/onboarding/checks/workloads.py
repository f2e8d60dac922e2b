"""Checks on what runs in an environment, and on what keeps it alive there."""

from collections.abc import Callable, Iterator
from functools import wraps

from onboarding.api.gates import Actor, Track
from onboarding.api.status import CheckResult, Evidence
from onboarding.api.target import Flavour
from onboarding.checks.finding import Check, Finding, check, undecided
from onboarding.checks.images import parse_image
from onboarding.checks.inputs import RunningInputs
from onboarding.checks.probe import Workload, WorkloadsFacts, WorkloadsRequest
from onboarding.checks.several import platform_acts, some

Judge = Callable[[RunningInputs, WorkloadsFacts], Finding | None]
Offences = Callable[[RunningInputs, Workload], Iterator[str]]

_LONG_RUNNING = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_REPLICATED = frozenset({"Deployment", "StatefulSet"})
_MONITORS = frozenset({"PodMonitor", "ServiceMonitor"})
_LIMITED = ("cpu", "memory")
_UNPRIVILEGED = 1024


def facts_of(inputs: RunningInputs) -> WorkloadsFacts | None:
    """Return what runs in an environment; None where it is not known."""
    return inputs.workloads.facts if inputs.workloads else None


def unseen(inputs: RunningInputs) -> Finding | None:
    """Return the finding that it is not known what runs; None where it is."""
    finding = undecided(inputs.workloads, f"what runs in namespace {inputs.namespace}")
    return platform_acts(finding, f"see that the cluster of site {inputs.site} answers the operator")


def _asks(inputs: RunningInputs) -> tuple[WorkloadsRequest]:
    return (inputs.what_runs,)


def of_running(
    check_id: str, *, remedy: str, actor: Actor = Actor.PROJECT, reads: tuple[str, ...] = ()
) -> Callable[[Judge], Check[RunningInputs]]:
    """Make a check of a function of an environment and what runs in it; undecided until that is known."""

    def make(run: Judge) -> Check[RunningInputs]:
        @wraps(run)
        def judge_answer(inputs: RunningInputs) -> Finding | None:
            facts = facts_of(inputs)
            return unseen(inputs) if facts is None else run(inputs, facts)

        made = check(
            check_id,
            Track.TECHNICAL,
            Evidence.OBSERVED,
            remedy=remedy,
            reads=reads,
            actor=actor,
            requests_of=_asks,
        )
        return made(judge_answer)

    return make


def of_each(check_id: str, *, remedy: str) -> Callable[[Offences], Check[RunningInputs]]:
    """Make a check of a function that yields what is wrong with one workload."""

    def make(offences: Offences) -> Check[RunningInputs]:
        @wraps(offences)
        def run(inputs: RunningInputs, facts: WorkloadsFacts) -> Finding | None:
            found = [
                f"{workload.kind}/{workload.name}{offence}"
                for workload in facts.workloads
                for offence in offences(inputs, workload)
            ]
            return offending(found, facts)

        return of_running(check_id, remedy=remedy)(run)

    return make


def offending(found: list[str], facts: WorkloadsFacts) -> Finding | None:
    """Return what was found; where some workloads were not looked at, an offender may be among those."""
    left_out = f"{facts.omitted} workloads were not looked at" if facts.omitted else ""
    if found:
        return Finding("; ".join(filter(None, (some(found), left_out))))
    limits = "at most 200 workloads are looked at, each of at most 50 containers: divide the environment"
    return Finding(left_out, limits, result=CheckResult.UNKNOWN) if left_out else None


@of_each(
    "ImageCompliant",
    remedy="give every image an explicit tag or digest other than latest, from a registry that the policy allows",
)
def image_compliant(inputs: RunningInputs, workload: Workload) -> Iterator[str]:
    """Every image comes from a registry that the policy allows and has an explicit tag or digest, never latest."""
    registries = inputs.project.policy.workloads.registries
    for container in workload.containers:
        if problem := _image_problem(container.image, registries):
            # Written out, because nobody checks which characters an image is made of.
            yield f" ({container.name}): {problem}: {container.image!r}"


@of_each("ProbesDefined", remedy="give every container that keeps running a readinessProbe and a livenessProbe")
def probes_defined(_inputs: RunningInputs, workload: Workload) -> Iterator[str]:
    """Every container of a Deployment, StatefulSet or DaemonSet has a readiness and a liveness probe."""
    if workload.kind not in _LONG_RUNNING:
        return
    for container in workload.containers:
        probes = {"readiness": container.readiness, "liveness": container.liveness}
        if missing := [name for name, there in probes.items() if not there]:
            yield f" ({container.name}): no {' and no '.join(missing)} probe"


@of_each("ResourcesDefined", remedy="give every container requests and limits of cpu and memory")
def resources_defined(_inputs: RunningInputs, workload: Workload) -> Iterator[str]:
    """Every container has requests and limits of CPU and memory."""
    for container in workload.containers:
        words = [
            f"no {' and '.join(missing)} {field}"
            for field, amounts in (("requests", container.requests), ("limits", container.limits))
            if (missing := [name for name in _LIMITED if name not in amounts])
        ]
        if words:
            yield f" ({container.name}): {', '.join(words)}"


@of_each("LabelsPresent", remedy="give the pod template of every workload the labels that the policy asks for")
def labels_present(inputs: RunningInputs, workload: Workload) -> Iterator[str]:
    """The pods of every workload carry the labels that the policy asks for."""
    if missing := sorted(set(inputs.project.policy.workloads.labels) - workload.labels.keys()):
        yield f": no label {', '.join(missing)}"


@of_each(
    "Rootless",
    remedy="set runAsNonRoot: true and allowPrivilegeEscalation: false in every securityContext, with neither "
    "privileged nor the user 0, and on OpenShift no runAsUser",
)
def rootless(inputs: RunningInputs, workload: Workload) -> Iterator[str]:
    """No container runs as root, is privileged or may become so; on OpenShift none fixes its user."""
    target = inputs.project.declared.targets.get(inputs.target)
    openshift = target is not None and target.flavour is Flavour.OPENSHIFT
    for container in workload.containers:
        problems = {
            "runAsNonRoot is not true": container.run_as_non_root is not True,
            "runAsUser is 0": container.run_as_user == 0,
            "privileged or may escalate": container.privileged,
            "runAsUser is fixed": openshift and bool(container.run_as_user),
        }
        if found := [problem for problem, there in problems.items() if there]:
            yield f" ({container.name}): {', '.join(found)}"


@of_each("PortsUnprivileged", remedy="let every container listen on ports above 1024, and map them in its Service")
def ports_unprivileged(_inputs: RunningInputs, workload: Workload) -> Iterator[str]:
    """Every port of a container is above 1024."""
    for container in workload.containers:
        if low := [str(port) for port in container.ports if port <= _UNPRIVILEGED]:
            yield f" ({container.name}): port {', '.join(low)}"


@of_each("NoHostPath", remedy="use a PersistentVolumeClaim, an emptyDir or a ConfigMap instead of hostPath")
def no_host_path(_inputs: RunningInputs, workload: Workload) -> Iterator[str]:
    """No workload mounts a path of its node."""
    if workload.host_path:
        yield ": a hostPath volume"


@of_running("WorkloadsDeployed", remedy="deploy the project, and scale at least one workload above zero")
def workloads_deployed(inputs: RunningInputs, facts: WorkloadsFacts) -> Finding | None:
    """At least one Deployment, StatefulSet, DaemonSet or CronJob exists and is not scaled to zero."""
    if facts.omitted or any(workload.replicas for workload in facts.workloads):
        return None
    scaled = " but what is scaled to zero" if facts.workloads else ""
    return Finding(f"nothing is deployed in namespace {inputs.namespace}{scaled}")


@of_each(
    "ReplicasSufficient",
    remedy="raise spec.replicas, or minReplicas of the HorizontalPodAutoscaler, to what the policy asks for",
)
def replicas_sufficient(inputs: RunningInputs, workload: Workload) -> Iterator[str]:
    """Every Deployment and StatefulSet has the replicas that the policy asks for, or an autoscaler that keeps them."""
    least = inputs.project.policy.workloads.replicas
    if workload.kind in _REPLICATED and workload.replicas < least:
        yield f": {workload.replicas} of {least} replicas"


@of_each("PodsSpread", remedy="give the pod template topologySpreadConstraints, or a podAntiAffinity")
def pods_spread(_inputs: RunningInputs, workload: Workload) -> Iterator[str]:
    """The pods of every Deployment and StatefulSet with several replicas are kept apart."""
    if _is_replicated(workload) and not workload.spread:
        yield ": no topologySpreadConstraints and no podAntiAffinity"


@of_running(
    "DisruptionBudgeted", remedy="add a PodDisruptionBudget whose selector matches the labels of the workload's pods"
)
def disruption_budgeted(inputs: RunningInputs, facts: WorkloadsFacts) -> Finding | None:
    """A PodDisruptionBudget selects the pods of every Deployment and StatefulSet with several replicas."""
    places = [f"{workload.kind}/{workload.name}" for workload in facts.workloads if _is_replicated(workload)]
    bare = [place for place in places if place not in facts.protected]
    if bare and "PodDisruptionBudget" in facts.not_served:
        return _not_installed(inputs, "PodDisruptionBudget")
    return offending([f"{place}: no PodDisruptionBudget" for place in bare], facts)


@of_running("Monitored", remedy="add a ServiceMonitor or a PodMonitor to the environment's namespace")
def monitored(inputs: RunningInputs, facts: WorkloadsFacts) -> Finding | None:
    """If workloads run, at least one ServiceMonitor or PodMonitor collects metrics."""
    if facts.monitors or not _anything(facts):
        return None
    if _MONITORS.issubset(facts.not_served):
        return _not_installed(inputs, "PodMonitor and ServiceMonitor")
    return Finding(f"namespace {inputs.namespace} has neither a ServiceMonitor nor a PodMonitor")


@of_running(
    "CertificateReady",
    remedy="look at the Certificate's events (kubectl describe certificate) and fix the trouble that it reports; an "
    "HTTP01 challenge needs serviceType: ClusterIP in the issuer",
    reads=("environments.domains",),
)
def certificate_ready(inputs: RunningInputs, facts: WorkloadsFacts) -> Finding | None:
    """Every Certificate of cert-manager in the namespace is ready."""
    waiting = sorted(name for name, ready in facts.certificates.items() if not ready)
    if waiting:
        return Finding(f"not ready: Certificate {some(waiting)}")
    environments = (item for item in inputs.project.spec.environments if item.name == inputs.environment)
    if "Certificate" in facts.not_served and any(environment.domains for environment in environments):
        return _not_installed(inputs, "Certificate (cert-manager)")
    return None


@of_running(
    "BackupScheduled",
    remedy="add a Schedule of Velero whose template includes the environment's namespace, in the namespace velero",
    actor=Actor.PLATFORM,
)
def backup_scheduled(inputs: RunningInputs, facts: WorkloadsFacts) -> Finding | None:
    """If workloads run, a Velero Schedule that is not paused includes the namespace."""
    if facts.schedules or not _anything(facts):
        return None
    if "Schedule" in facts.not_served:
        return _not_installed(inputs, "Schedule (Velero)")
    return Finding(f"no active Schedule in namespace velero includes namespace {inputs.namespace}")


def _image_problem(image: str, registries: tuple[str, ...]) -> str:
    parsed = parse_image(image)
    if parsed is None:
        return "no image reference"
    if not parsed.tag and not parsed.digest:
        return "no tag"
    if parsed.tag == "latest":
        return "tag latest"
    if registries and not any(parsed.comes_from(prefix) for prefix in registries):
        return "other registry"
    return ""


def _is_replicated(workload: Workload) -> bool:
    return workload.kind in _REPLICATED and workload.replicas > 1


def _anything(facts: WorkloadsFacts) -> bool:
    return bool(facts.workloads or facts.omitted)


def _not_installed(inputs: RunningInputs, kinds: str) -> Finding:
    return Finding(
        f"{kinds}: not installed on the cluster of site {inputs.site}, so it cannot be seen",
        "install it on that cluster, or waive this check",
        Actor.PLATFORM,
        CheckResult.UNKNOWN,
    )
