"""Argo CD may come later than the operator: what does not need it opens, and the rest follows by itself."""

from collections.abc import Iterator

import pytest

from devcluster import ControlPlane
from onboarding.build.kinds import NAMESPACE
from tests.faults.conftest import Start
from tests.support.hub import REPOSITORY, Hub
from tests.support.installing import install, install_argocd


@pytest.fixture(scope="module")
def bare() -> Iterator[Hub]:
    """A control plane with our manifests and without Argo CD's kinds."""
    with ControlPlane.start("bare") as cluster:
        install(cluster, argocd=False)
        yield Hub(cluster)


def test_argo_cd_that_comes_later(bare: Hub, start: Start) -> None:
    """Without repositories Ready; with them ArgoCDMissing, the namespace there, and Ready when Argo CD comes."""
    start(bare.cluster)
    bare.declare("plain")
    bare.wait("plain")
    bare.declare("deployed", repositories=[REPOSITORY])
    condition = bare.wait("deployed", "False", "ArgoCDMissing")
    assert "install Argo CD" in condition["message"]
    assert bare.condition("deployed", "Stalled")["status"] == "True"
    assert bare.project("deployed")["status"]["summary"]["next"].startswith("platform: ")
    assert bare.one(NAMESPACE, "deployed-dev")
    install_argocd(bare.cluster)
    bare.wait("deployed", within=60)
    assert bare.faults("deployed") == []
