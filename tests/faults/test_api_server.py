"""Whatever the API server answers, or does not, the work ends as it should and the probes tell the truth."""

import re

import pytest

from devcluster import ControlPlane
from onboarding.build.kinds import NETWORK_POLICY
from tests.faults.conftest import Start
from tests.support.audit import Audit
from tests.support.faultproxy import Fault, FaultProxy
from tests.support.hub import PROJECTS, Hub
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

POLICIES = "/networkpolicies"


@pytest.fixture
def operator(start_behind: Start) -> OperatorProcess:
    """An operator behind the proxy."""
    operator = start_behind()
    operator.wait_ready()
    return operator


def created_once(audit: Audit, name: str) -> bool:
    """Say whether no object was created twice."""
    made = [write[1:4] for write in audit.done(name) if write.verb == "create"]
    return len(made) == len(set(made))


def test_a_restart_of_the_server_in_the_middle_of_a_pass(
    hub: Hub, installed: ControlPlane, proxy: FaultProxy, operator: OperatorProcess
) -> None:
    """The API server goes away while a project is half made, and comes back: the project is finished."""
    audit = Audit(hub.cluster)
    came, go_on = proxy.hold(5)
    hub.declare("interrupted")
    assert came.wait(30)
    installed.stop_part("kube-apiserver")
    go_on()
    installed.start_part("kube-apiserver")
    wait_until(lambda: hub.api.text("GET", PROJECTS)[0] == 200, what="custom resources are served again")
    hub.wait("interrupted", within=60)
    operator.wait_ready()
    assert hub.faults("interrupted") == []
    assert created_once(audit, "interrupted")


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (1, Fault("POST", POLICIES, 500)),
        (2, Fault("POST", POLICIES, 503, left=3)),
        (3, Fault("POST", POLICIES, 429, {"Retry-After": "1"}, left=2)),
        (4, Fault("PATCH", "/projectonboardings/", 409)),
        (5, Fault("PATCH", "/status", 500)),
    ],
    ids=lambda value: f"{value.method}-{value.status}" if isinstance(value, Fault) else "",
)
def test_a_refusal_that_passes(
    hub: Hub, proxy: FaultProxy, operator: OperatorProcess, number: int, fault: Fault
) -> None:
    """An error answer now and then costs time and nothing else: the project becomes Ready, nothing is made twice."""
    audit = Audit(hub.cluster)
    proxy.answer(fault)
    hub.declare(f"refused-{number}")
    hub.wait(f"refused-{number}", within=60)
    assert fault.left == 0
    assert hub.faults(f"refused-{number}") == []
    assert created_once(audit, f"refused-{number}")


def test_a_conflict_on_a_change(hub: Hub, proxy: FaultProxy, operator: OperatorProcess) -> None:
    """A change that is answered 409 is looked at again and made."""
    hub.declare("contested")
    hub.wait("contested")
    fault = proxy.answer(Fault("PATCH", "/resourcequotas/", 409))
    hub.declare("contested", environments=[{"name": "dev", "stage": "dev", "size": "large"}])
    hub.wait("contested", within=60)
    assert fault.left == 0
    assert hub.faults("contested") == []


def test_a_deletion_in_the_gap_of_a_watch(hub: Hub, proxy: FaultProxy, operator: OperatorProcess) -> None:
    """What is deleted while a watch says nothing is noticed when the watch ends with 410 Gone."""
    hub.declare("gap")
    hub.wait("gap")
    proxy.hush(POLICIES)
    hub.api.delete(NETWORK_POLICY.path("gap-dev", "default-deny"))
    hub.fence("gap-fence")
    assert hub.one(NETWORK_POLICY, "default-deny", "gap-dev") is None, "the operator cannot know yet"
    proxy.expire(POLICIES)
    wait_until(lambda: hub.one(NETWORK_POLICY, "default-deny", "gap-dev"), what="the drift is repaired")


def test_connections_that_break(hub: Hub, proxy: FaultProxy, operator: OperatorProcess) -> None:
    """All watches broken at once: each comes back, and the next project is onboarded and kept."""
    proxy.cut()
    hub.declare("reconnected")
    hub.wait("reconnected")
    hub.api.delete(NETWORK_POLICY.path("reconnected-dev", "default-deny"))
    wait_until(lambda: hub.one(NETWORK_POLICY, "default-deny", "reconnected-dev"), what="the drift is repaired")


def test_a_silent_watch_is_noticed(hub: Hub, proxy: FaultProxy, start_behind: Start) -> None:
    """A watch that hears nothing is taken for dead after the limit, and what it missed is repaired."""
    operator = start_behind(idle_timeout="3")
    operator.wait_ready()
    hub.declare("silent")
    hub.wait("silent")
    proxy.hush(POLICIES)
    hub.api.delete(NETWORK_POLICY.path("silent-dev", "default-deny"))
    wait_until(lambda: hub.one(NETWORK_POLICY, "default-deny", "silent-dev"), what="the drift is repaired")


@pytest.mark.parametrize("kind", [POLICIES, "/projectonboardings"])
def test_a_server_that_stays_silent_fails_the_readiness_probe(
    proxy: FaultProxy, start_behind: Start, kind: str
) -> None:
    """While one kind cannot be heard of, /readyz and the metric say so: Kopf's watch on projects is one like others."""
    operator = start_behind(idle_timeout="3", request_timeout="2")
    operator.wait_ready()

    def says(word: str) -> bool:
        proxy.bookmark()
        return word in operator.page("/readyz")

    wait_until(lambda: says("ok"), what="/readyz is well")

    def age() -> float:
        gauge = r'onboarding_watch_idle_seconds\{cluster="hub"\} ([0-9.]+)'
        return max(map(float, re.findall(gauge, operator.page("/metrics"))), default=0)

    proxy.mute(kind)
    # A watch that is taken up asks first, and that has no answer either.
    wait_until(lambda: says("silent") or says("no answer within"), what="/readyz tells of the silence")
    wait_until(lambda: age() > 6, what="the metric tells of it")
    assert operator.page("/healthz") == "ok\n", "a new process would not hear more"
    proxy.mute("")
    proxy.cut()
    wait_until(lambda: says("ok"), what="/readyz is well again", within=60)


@pytest.mark.parametrize("part", ["kube-apiserver", "etcd"])
def test_an_outage_of_the_hub_is_a_matter_of_readiness(
    hub: Hub, installed: ControlPlane, start: Start, part: str
) -> None:
    """However long the hub is away, the operator lives, tells of it, and goes on by itself.

    The limit is shorter than the outage, so that every watch is taken for silent: that alone ended the pod once. It is
    no shorter than that: a busy server that has just started answers no list within a second.
    """
    operator = start(idle_timeout="5", request_timeout="5")
    operator.wait_ready()
    installed.stop_part(part)
    try:
        wait_until(lambda: operator.page("/readyz") != "ok\n", what="/readyz tells of the outage")
        errors = "Request attempt #9 " if part == "kube-apiserver" else "watch interrupted"
        wait_until(lambda: errors in operator.log.read_text(), what="it has tried for long", within=60)
        assert operator.page("/healthz") == "ok\n"
    finally:
        installed.start_part(part)
    wait_until(lambda: hub.api.text("GET", PROJECTS)[0] == 200, what="custom resources are served again")
    hub.declare(f"after-{part}")
    hub.wait(f"after-{part}", within=120)


def test_the_start_waits_for_a_hub_that_is_away(hub: Hub, proxy: FaultProxy, start_behind: Start) -> None:
    """A pod that starts during an outage is alive and unready, ends on request, and works when the hub is back."""
    proxy.mute("/projectonboardings")
    operator, other = start_behind(request_timeout="1"), start_behind(request_timeout="1")
    wait_until(lambda: "no answer within" in operator.page("/readyz"), what="/readyz says what it waits for")
    assert operator.page("/healthz") == "ok\n"
    wait_until(lambda: other.page("/healthz") == "ok\n", what="the other one lives")
    other.stop()
    assert other.process.returncode == 0
    proxy.mute("")
    operator.wait_ready()
    hub.declare("late")
    hub.wait("late")
