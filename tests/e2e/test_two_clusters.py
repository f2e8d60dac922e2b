"""One project on two clusters; one of them fails, and nobody else notices."""

import contextlib
from collections.abc import Iterator

import pytest

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import (
    APP_PROJECT,
    APPLICATION,
    NAMESPACE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
)
from tests.support.api import Api, RefusedError
from tests.support.audit import SITE_ACCOUNT, Audit
from tests.support.hub import ARGOCD, REPOSITORY, ROOT, Hub
from tests.support.installing import ROOT as FILES
from tests.support.operator import NAMESPACE as HOME
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("operator")
TARGET = f"{ROOT}/hostingtargets/both-sites"
SECRET = f"/api/v1/namespaces/{HOME}/secrets/far"
GUARDS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
BOTH = {"repositories": [REPOSITORY], "environments": [{"name": "dev", "stage": "dev", "target": "both-sites"}]}


@pytest.fixture(scope="module")
def site() -> Iterator[ControlPlane]:
    """A second cluster with what ``manifests/site`` holds."""
    with ControlPlane.start("site") as cluster:
        cluster.kubectl("apply", "--server-side", "-k", str(FILES / "manifests/site"))
        yield cluster


@pytest.fixture(scope="module")
def far(site: ControlPlane) -> Api:
    """The second cluster, as its administrator."""
    return Api(site)


@pytest.fixture(scope="module")
def both(hub: Hub, site: ControlPlane, operator: OperatorProcess) -> Iterator[None]:
    """A target of two sites, the second by a kubeconfig of the site's own account; one project Ready on both."""
    kubeconfig = site.kubeconfig_for_service_account(HOME, "project-onboarding-site").read_text()
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "far"},
        "stringData": {"kubeconfig": kubeconfig},
    }
    hub.api.create(SECRET.removesuffix("/far"), secret)
    sites = [
        {"name": "near"},
        {
            "name": "far",
            "kubeconfigSecret": {"name": "far"},
            "argocd": {"destinationServer": "https://far.example.org"},
        },
    ]
    target = {"apiVersion": names.API_VERSION, "kind": "HostingTarget", "metadata": {"name": "both-sites"}}
    hub.api.create(TARGET.removesuffix("/both-sites"), {**target, "spec": {"sites": sites}})
    hub.declare("twofold", **BOTH)
    hub.wait("twofold")
    yield
    # A cluster that is not there holds teardowns: the suite's other projects shall not wait for this one.
    hub.api.delete(TARGET)
    hub.api.delete(SECRET)


def test_one_object_opens_both_sites(hub: Hub, far: Api, both: None) -> None:
    """One ProjectOnboarding becomes Ready on both clusters, with the same namespace on each."""
    sites = hub.environment("twofold", "dev")["sites"]
    assert [(item["name"], item["namespace"], item["state"]) for item in sites] == [
        ("near", "twofold-dev", "Ready"),
        ("far", "twofold-dev", "Ready"),
    ]
    for api in (hub.api, far):
        for kind in (RESOURCE_QUOTA, NETWORK_POLICY, ROLE_BINDING):
            assert api.items(kind.path("twofold-dev"), f"{names.LABEL_PROJECT}=twofold"), kind.kind
        assert api.get(SERVICE_ACCOUNT.path(names.SYNC_NAMESPACE, "twofold-dev"))


def test_argo_cd_of_the_hub_serves_both(hub: Hub, far: Api, both: None) -> None:
    """The AppProject and one Application per site stand on the hub, and each leads to its own cluster."""
    applications = hub.api.items(APPLICATION.path(ARGOCD), f"{names.LABEL_PROJECT}=twofold")
    assert {item["metadata"]["name"]: item["spec"]["destination"]["server"] for item in applications} == {
        "twofold-dev-far-app": "https://far.example.org",
        "twofold-dev-near-app": "https://kubernetes.default.svc",
    }
    servers = {item["server"] for item in hub.one(APP_PROJECT, "twofold", ARGOCD)["spec"]["destinations"]}
    assert servers == {"https://far.example.org", "https://kubernetes.default.svc"}
    with pytest.raises(RefusedError, match="404"):
        far.items(APPLICATION.path(ARGOCD))


def test_a_site_without_guard_rails_receives_no_write(
    hub: Hub, site: ControlPlane, far: Api, operator: OperatorProcess, both: None
) -> None:
    """While an admission policy is missing there, a site is GuardMissing and nothing is written to it."""
    far.delete(f"{GUARDS}/{names.GUARD_POLICIES[2]}")
    audit = Audit(site, SITE_ACCOUNT)
    hub.declare("guarded-late", **BOTH)
    condition = hub.wait("guarded-late", "False", "GuardMissing")
    assert "far/kubeconfig" in condition["message"]
    assert hub.environment("guarded-late", "dev")["sites"][0]["state"] == "Ready", "the other site opens"
    assert far.get(NAMESPACE.path(name="guarded-late-dev")) is None
    assert audit.writes() == []
    site.kubectl("apply", "--server-side", "-k", str(FILES / "manifests/site"))
    hub.wait("guarded-late")
    assert far.get(NAMESPACE.path(name="guarded-late-dev"))


@contextlib.contextmanager
def stopped(site: ControlPlane) -> Iterator[None]:
    """Stop the API server of a cluster for a while."""
    site.stop_part("kube-apiserver")
    try:
        yield
    finally:
        site.start_part("kube-apiserver")


def test_a_site_that_is_down_stops_nobody_else_and_recovers(
    hub: Hub, site: ControlPlane, far: Api, operator: OperatorProcess, both: None
) -> None:
    """While a cluster is stopped the hub goes on and prunes nothing; back again, all is repaired by itself."""
    audit = Audit(hub.cluster)
    quota = RESOURCE_QUOTA.path("twofold-dev", "onboarding")
    with stopped(site):
        hub.fence("meanwhile")
        hub.declare("twofold", **{**BOTH, "environments": [{**BOTH["environments"][0], "size": "large"}]})
        assert "far/kubeconfig" in hub.wait("twofold", "False", "TargetUnreachable")["message"]
        states = {item["name"]: item["state"] for item in hub.environment("twofold", "dev")["sites"]}
        assert states == {"near": "Ready", "far": "Unreachable"}
        assert hub.api.get(quota)["spec"]["hard"]["pods"] == "100", "the site that is there follows the change"
        assert not [write for write in audit.of_objects() if write.verb == "delete"]
    far.delete(NETWORK_POLICY.path("twofold-dev", "default-deny"))
    hub.wait("twofold", within=60)
    wait_until(lambda: far.get(NETWORK_POLICY.path("twofold-dev", "default-deny")), what="the drift is repaired")
    assert far.get(quota)["spec"]["hard"]["pods"] == "100"


def test_a_project_leaves_both_sites(hub: Hub, far: Api, operator: OperatorProcess, both: None) -> None:
    """Under Retain a project's namespaces are released on every cluster."""
    hub.delete("guarded-late")
    hub.wait_gone("guarded-late")
    for api in (hub.api, far):
        found = api.get(NAMESPACE.path(name="guarded-late-dev"))["metadata"]
        assert names.ANNOTATION_RELEASED in found["annotations"]
        assert names.LABEL_INSTALLATION not in found["labels"]


def test_a_site_that_is_down_is_named(hub: Hub, site: ControlPlane, operator: OperatorProcess, both: None) -> None:
    """A project whose spec does not change says by itself that one of its clusters is gone, and that it is back."""
    with stopped(site):
        assert "far/kubeconfig" in hub.wait("twofold", "False", "TargetUnreachable")["message"]
        assert hub.condition("twofold", "Reconciling")["status"] == "True"
    hub.wait("twofold", within=60)
