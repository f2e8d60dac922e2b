"""Attacks by names: projects whose environments and repositories join alike, or that want one namespace twice."""

import pytest

from devcluster import ControlPlane
from onboarding.build.kinds import APPLICATION, NAMESPACE
from tests.support.audit import Audit
from tests.support.hub import ARGOCD, REPOSITORY, Hub

pytestmark = pytest.mark.usefixtures("operator")
A, A_B = ({"name": name, "stage": "dev"} for name in ("a", "a-b"))
REPOSITORIES = [{**REPOSITORY, "name": name} for name in ("b-c", "c")]


@pytest.fixture(scope="module")
def hub(installed: ControlPlane) -> Hub:
    return Hub(installed)


def applications(hub: Hub, project: str) -> dict[str, str]:
    """Return the namespace that each Application of a project deploys to."""
    found = hub.api.items(APPLICATION.path(ARGOCD), f"projectonboarding.io/project={project}")
    return {item["metadata"]["name"]: item["spec"]["destination"]["namespace"] for item in found}


def test_names_that_join_alike_are_two_applications_and_nobody_writes_again(hub: Hub) -> None:
    """Finding F4: the operator wrote one Application over and over, for both, and said that all was in place."""
    audit = Audit(hub.cluster)
    hub.declare("flap", environments=[A, A_B], repositories=REPOSITORIES)
    hub.wait("flap")
    found = applications(hub, "flap")
    assert found.pop("flap-a-b-c") == "flap-a"
    assert found.pop("flap-a-c") == "flap-a"
    assert found.pop("flap-a-b-b-c") == "flap-a-b"
    ((hashed, namespace),) = found.items()
    assert (hashed.rpartition("-")[0], namespace) == ("flap-a-b-c", "flap-a-b")
    written = [write for write in audit.of_objects("flap") if write.resource == APPLICATION.plural]
    assert [(write.verb, write.code) for write in written] == [("create", 201)] * 4
    hub.fence("after-flap")
    assert hub.faults("flap") == []
    quiet = Audit(hub.cluster)
    hub.declare("flap", environments=[A_B, A], repositories=REPOSITORIES)
    hub.wait("flap")
    hub.fence("after-the-order")
    assert list(quiet.of_objects("flap")) == []
    # The first goes, and the second keeps its name.
    hub.declare("flap", environments=[A_B], repositories=REPOSITORIES)
    hub.wait("flap")
    hub.fence("after-the-first")
    assert set(applications(hub, "flap")) == {hashed, "flap-a-b-b-c"}


def test_the_later_of_two_environments_with_one_namespace_is_held(hub: Hub) -> None:
    hub.change_policy(allowNamespaceNames=True)
    hub.declare("twice", environments=[A, {**A_B, "namespace": "twice-a"}])
    hub.wait("twice", "False", words="environments 'a' and 'a-b' have one namespace, 'twice-a', and 'a' comes first")
    namespace = hub.one(NAMESPACE, "twice-a")
    assert namespace is not None
    assert namespace["metadata"]["labels"]["projectonboarding.io/environment"] == "a"
    hub.fence("after-twice")
    assert Audit(hub.cluster).of_objects("twice") == []
    hub.change_policy(allowNamespaceNames=False)
