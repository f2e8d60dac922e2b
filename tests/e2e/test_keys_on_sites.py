"""Names of Applications that join alike because of a site."""

import pytest

from onboarding.build.kinds import APPLICATION
from tests.support.api import Api
from tests.support.audit import Audit
from tests.support.hub import ARGOCD, REPOSITORY, Hub

pytestmark = pytest.mark.usefixtures("operator")


def test_an_environment_named_like_a_site_has_an_application_of_its_own(hub: Hub, far: Api, both: None) -> None:
    """Environment x on site near, and environment x-near on a target with one site, joined to one name."""
    environments = [{"name": "x", "stage": "dev", "target": "both-sites"}, {"name": "x-near", "stage": "dev"}]
    hub.declare("sited", environments=environments, repositories=[{**REPOSITORY, "name": "b"}])
    hub.wait("sited")
    found = {
        item["metadata"]["name"]: item["spec"]["destination"]["namespace"]
        for item in hub.api.items(APPLICATION.path(ARGOCD), "projectonboarding.io/project=sited")
    }
    assert found.pop("sited-x-near-b") == "sited-x"
    assert found.pop("sited-x-far-b") == "sited-x"
    ((hashed, namespace),) = found.items()
    assert (hashed.rpartition("-")[0], namespace) == ("sited-x-near-b", "sited-x-near")
    quiet = Audit(hub.cluster)
    hub.fence("after-sited")
    assert list(quiet.of_objects("sited")) == []
