"""Case 20, old-crd-new-operator: under definitions older than the operator nothing is written, until they are mended.

The project of the case has a freeze window and a pinned revision; an older definition knows neither.
"""

from collections.abc import Iterator

import pytest

from devcluster import ControlPlane
from onboarding.build.kinds import APP_PROJECT, APPLICATION, Manifest
from tests.faults.conftest import Start
from tests.support.definitions import PROJECTS_CRD, Definitions, cut
from tests.support.faultproxy import FaultProxy
from tests.support.hub import ARGOCD, PROJECTS, REPOSITORY, Hub
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

OLDER = cut("spec.environments[].releaseWindows", "spec.environments[].deployments")
FREEZE = {
    "kind": "Deny",
    "schedule": "0 0 * * *",
    "duration": "24h",
    "timeZone": "Europe/Paris",
    "description": "freeze",
}
WITH_WINDOWS = {
    "repositories": [REPOSITORY],
    "environments": [
        {
            "name": "dev",
            "stage": "dev",
            "releaseWindows": [FREEZE],
            "deployments": [{"repository": "app", "revision": "v1.0.0"}],
        }
    ],
}
WORDS = (
    "apply crds/ of version 0.1.0, nothing is written until then: CustomResourceDefinition "
    "projectonboardings.projectonboarding.io lacks spec.environments[].deployments, "
)


@pytest.fixture
def definitions(hub: Hub) -> Definitions:
    return Definitions(hub.api)


@pytest.fixture
def mend(definitions: Definitions) -> Iterator[object]:
    """What puts the definition of projects back."""
    with definitions.kept(PROJECTS_CRD) as mend:
        yield mend


def wait_readiness(operator: OperatorProcess, words: str, *, within: float = 30) -> None:
    wait_until(lambda: words in operator.page("/readyz"), what=f"/readyz says {words}", within=within)


def argo(hub: Hub, name: str) -> tuple[Manifest, Manifest]:
    """Return what Argo CD is told of a project: its AppProject and its Application."""
    return (
        hub.api.request("GET", APP_PROJECT.path(ARGOCD, name)),
        hub.api.request("GET", APPLICATION.path(ARGOCD, f"{name}-dev-app")),
    )


def held_fast(hub: Hub, name: str) -> bool:
    """Say whether Argo CD is told of the freeze and of the pinned revision."""
    project, application = argo(hub, name)
    (window,) = project["spec"]["syncWindows"]
    return window["kind"] == "deny" and application["spec"]["source"]["targetRevision"] == "v1.0.0"


def touch(hub: Hub, name: str, value: str) -> None:
    hub.api.patch(f"{PROJECTS}/{name}", {"metadata": {"labels": {"touch": value}}})


def test_case_20_old_crd_new_operator(hub: Hub, start: Start, definitions: Definitions, mend: object) -> None:
    """Nothing is written under the older definition, and everything is right again once it is mended."""
    operator = start()
    for name in ("f20b", "f20c"):
        hub.declare(name, **WITH_WINDOWS)
        hub.wait(name)
    before = argo(hub, "f20b"), argo(hub, "f20c")
    statuses = [hub.project(name)["status"] for name in ("f20b", "f20c")]

    definitions.change(PROJECTS_CRD, OLDER)
    wait_readiness(operator, WORDS)
    touch(hub, "f20b", "1")
    hub.api.patch(f"{PROJECTS}/f20b", {"spec": {"description": "changed under the older definition"}})
    hub.declare("f20-new")
    wait_until(lambda: outcomes(operator, "OldDefinitions") >= 2, what="the operator has seen the changes")
    assert (argo(hub, "f20b"), argo(hub, "f20c")) == before
    assert [hub.project(name)["status"] for name in ("f20b", "f20c")] == statuses
    assert hub.live("f20-new") == {}
    assert operator.page("/readyz").startswith(WORDS)

    mend()
    hub.wait("f20-new", within=60)
    wait_readiness(operator, "ok")
    hub.declare("f20b", **WITH_WINDOWS)
    hub.wait("f20b")
    assert held_fast(hub, "f20b")
    assert argo(hub, "f20c") == before[1]
    assert operator.process.poll() is None


def outcomes(operator: OperatorProcess, outcome: str) -> float:
    """Return how many passes ended like this."""
    line = next(
        (
            line
            for line in operator.get("/metrics").splitlines()
            if line.startswith(f'onboarding_reconcile_total{{result="{outcome}"}}')
        ),
        " 0",
    )
    return float(line.rsplit(" ", 1)[1])


def test_case_20_from_the_start_and_without_a_restart(
    hub: Hub, installed: ControlPlane, definitions: Definitions, mend: object, start: Start, tmp_path: object
) -> None:
    """An operator that finds the older definition at its start takes nothing it lists for the whole."""
    first = start()
    hub.declare("f20d", **WITH_WINDOWS)
    hub.wait("f20d")
    first.kill()
    before = argo(hub, "f20d")
    definitions.change(PROJECTS_CRD, OLDER)
    operator = OperatorProcess(installed, tmp_path / "late.log")
    try:
        wait_readiness(operator, WORDS)
        mend()
        operator.wait_ready()
        hub.fence("f20-fence")
        assert argo(hub, "f20d") == before
    finally:
        operator.kill()


def test_case_20_before_the_definition_is_heard_of(
    hub: Hub, definitions: Definitions, mend: object, start_behind: Start, proxy: FaultProxy
) -> None:
    """The cut object may come before the news of the definition that cut it: it is asked for first."""
    operator = start_behind()
    operator.wait_ready()
    hub.declare("f20e", **WITH_WINDOWS)
    hub.wait("f20e")
    before = argo(hub, "f20e")
    proxy.hush("customresourcedefinitions")
    definitions.change(PROJECTS_CRD, OLDER)
    hub.api.patch(f"{PROJECTS}/f20e", {"spec": {"description": "changed"}})
    wait_readiness(operator, WORDS)
    assert argo(hub, "f20e") == before
