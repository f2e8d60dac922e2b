"""Whatever the API server answers, or does not, the work ends as it should and the probes tell the truth."""

import http.client

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


def liveness(operator: OperatorProcess) -> str:
    """Return what /healthz says, well or not."""
    connection = http.client.HTTPConnection("127.0.0.1", operator._port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


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
    operator = start_behind(silence_limit="3")
    operator.wait_ready()
    hub.declare("silent")
    hub.wait("silent")
    proxy.hush(POLICIES)
    hub.api.delete(NETWORK_POLICY.path("silent-dev", "default-deny"))
    wait_until(lambda: hub.one(NETWORK_POLICY, "default-deny", "silent-dev"), what="the drift is repaired")


def test_a_server_that_stays_silent_fails_the_liveness_probe(hub: Hub, proxy: FaultProxy, start_behind: Start) -> None:
    """While one kind cannot be heard of at all, /healthz says so; with the answers it is well again."""
    operator = start_behind(silence_limit="3", request_timeout="2")
    operator.wait_ready()

    def says(word: str) -> bool:
        proxy.bookmark()
        return word in liveness(operator)

    wait_until(lambda: says("ok"), what="/healthz is well")
    proxy.mute(POLICIES)
    wait_until(lambda: says("silent"), what="/healthz tells of the silence")
    proxy.mute("")
    wait_until(lambda: says("ok"), what="/healthz is well again", within=60)
