"""One project on two clusters; one of them fails, and nobody else notices."""

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
from tests.e2e.two_sites import (
    BOTH,
    GUARDS,
    SITE,
    SITES,
    TARGET,
    connect,
    declare_lost,
    offer,
    site_finalizers,
    stopped,
    verdict,
)
from tests.support.api import Api, RefusedError
from tests.support.audit import OPERATOR, SITE_ACCOUNT, Audit
from tests.support.hub import ARGOCD, POLICY, ROOT, Hub
from tests.support.installing import ROOT as FILES
from tests.support.operator import NAMESPACE as HOME
from tests.support.operator import OperatorProcess
from tests.support.people import may_bind
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("operator")


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


def test_a_site_without_the_role_of_a_persona_is_named(hub: Hub, far: Api, both: None) -> None:
    """The hub has it, so that the policy is in force; the target says which site lacks it, until it is there."""
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "team:roamer"}}
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/team:roamer"
    personas = hub.api.get(POLICY)["spec"]["personas"]
    hub.api.apply(path, {**role, "rules": []})
    made = may_bind(hub.api, OPERATOR, "team:roamer")
    hub.change_policy(personas=[*personas, {"name": "roamer", "clusterRole": "team:roamer"}])
    lacks = "site far: ClusterRole team:roamer, which a persona of the policy names, does not exist there"
    wait_until(lambda: lacks in verdict(hub, "both-sites"), what="the target names the role")
    hub.wait("twofold")
    far.apply(path, {**role, "rules": []})
    may_bind(far, SITE_ACCOUNT, "team:roamer")
    wait_until(lambda: verdict(hub, "both-sites") == "it can be used", what="the role was found")
    hub.change_policy(personas=personas)
    for each in (path, *made):
        hub.api.delete(each)


def test_a_site_without_guard_rails_receives_no_write(
    hub: Hub, site: ControlPlane, far: Api, operator: OperatorProcess, both: None
) -> None:
    """While an admission policy is missing there, a site is GuardMissing and nothing is written to it."""
    far.delete(f"{GUARDS}/{names.GUARD_POLICIES[2]}")
    missing = f"{names.GUARD_POLICIES[2]} is not in force: its binding is missing"
    wait_until(lambda: missing in verdict(hub, "both-sites"), what="the target says so")
    audit = Audit(site, SITE_ACCOUNT)
    hub.declare("guarded-late", **BOTH)
    condition = hub.wait("guarded-late", "False", "GuardMissing")
    assert f"cluster far/kubeconfig: admission policy {missing}" in condition["message"]
    wait_until(
        lambda: hub.environment("guarded-late", "dev")["sites"][0]["state"] == "Ready", what="the other site opens"
    )
    assert far.get(NAMESPACE.path(name="guarded-late-dev")) is None
    assert audit.writes() == []
    site.kubectl("apply", "--server-side", "-k", str(FILES / "manifests/site"))
    hub.wait("guarded-late")
    assert far.get(NAMESPACE.path(name="guarded-late-dev"))


def test_a_site_that_is_down_stops_nobody_else_and_recovers(
    hub: Hub, site: ControlPlane, far: Api, operator: OperatorProcess, both: None
) -> None:
    """While a cluster is stopped the hub goes on and prunes nothing; back again, all is repaired by itself."""
    audit = Audit(hub.cluster)
    quota = RESOURCE_QUOTA.path("twofold-dev", "onboarding")
    with stopped(site):
        hub.fence("meanwhile")
        hub.declare("twofold", **{**BOTH, "environments": [{**BOTH["environments"][0], "size": "large"}]})
        hub.wait("twofold", "False", "TargetUnreachable", "far/kubeconfig")
        states = {item["name"]: item["state"] for item in hub.environment("twofold", "dev")["sites"]}
        assert states == {"near": "Ready", "far": "Unreachable"}
        assert hub.api.get(quota)["spec"]["hard"]["pods"] == "100", "the site that is there follows the change"
        assert not [write for write in audit.of_objects() if write.verb == "delete"]
    far.delete(NETWORK_POLICY.path("twofold-dev", "default-deny"))
    hub.wait("twofold", within=60)
    wait_until(lambda: far.get(NETWORK_POLICY.path("twofold-dev", "default-deny")), what="the drift is repaired")
    assert far.get(quota)["spec"]["hard"]["pods"] == "100"


def test_a_project_leaves_both_sites(hub: Hub, far: Api, operator: OperatorProcess, both: None) -> None:
    """Under Retain a project's namespaces are detached on every cluster."""
    hub.declare("retained", **BOTH)
    hub.wait("retained")
    hub.delete("retained")
    hub.wait_gone("retained")
    for api in (hub.api, far):
        found = api.get(NAMESPACE.path(name="retained-dev"))["metadata"]
        assert names.ANNOTATION_DETACHED in found["annotations"]
        assert names.LABEL_INSTALLATION not in found["labels"]


def test_a_site_that_is_down_is_named(hub: Hub, site: ControlPlane, operator: OperatorProcess, both: None) -> None:
    """A project whose spec does not change says by itself that one of its clusters is gone, and that it is back.

    A project that never was there does not wait for it with its deletion, one that was there does.
    """
    for name, spec in (("never-there", {}), ("was-there", BOTH)):
        hub.declare(name, **spec)
        hub.wait(name)
    assert site_finalizers(hub, "was-there") == {"teardown.both-sites.near", "teardown.both-sites.far"}
    with stopped(site):
        hub.wait("twofold", "False", "TargetUnreachable", "far/kubeconfig")
        assert hub.condition("twofold", "Reconciling")["status"] == "True"
        for name in ("never-there", "was-there"):
            hub.delete(name)
        hub.wait_gone("never-there")
        hub.wait("was-there", "False", "TargetUnreachable", "far/kubeconfig")
        assert "teardown.both-sites.far" in site_finalizers(hub, "was-there")
    hub.wait("twofold", within=60)
    hub.wait_gone("was-there", within=60)


def test_a_deleted_target_is_named_and_its_sites_are_still_repaired(
    hub: Hub, far: Api, operator: OperatorProcess, both: None
) -> None:
    """Finding M2 of the field: the projects stayed green, and nothing was repaired until the target came back."""
    policy = NETWORK_POLICY.path("twofold-dev", "default-deny")
    hub.api.delete(TARGET)
    hub.wait("twofold", "False", "TargetMissing", "HostingTarget both-sites does not exist: the platform restores it")
    for api in (hub.api, far):
        before = api.get(policy)["metadata"]["uid"]
        api.delete(policy)
        wait_until(
            lambda api=api, before=before: (
                (api.get(policy) or {"metadata": {"uid": before}})["metadata"]["uid"] != before
            ),
            what="it is repaired",
        )
    hub.wait("twofold", "False", "TargetMissing")
    offer(hub)
    hub.wait("twofold")


def test_a_lost_site_is_not_waited_for_and_may_come_back(
    hub: Hub, site: ControlPlane, far: Api, operator: OperatorProcess, both: None
) -> None:
    """The status lists what was left there, an Event tells it of a project that ends, and the site gets no write."""
    hub.declare("left-far", **BOTH)
    hub.wait("left-far", within=90)
    with stopped(site):
        declare_lost(hub)

        def shown() -> dict[str, str]:
            return next(item for item in hub.environment("twofold", "dev")["sites"] if item["name"] == "far")

        lost = wait_until(lambda: (item := shown())["state"] == "Lost" and item, what="the environment says so")
        assert hub.condition("twofold")["status"] == "True"
        left = "site far of HostingTarget both-sites is declared lost; left there: Namespace "
        assert (lost["state"], lost["message"]) == ("Lost", f"{left}twofold-dev")
        hub.delete("left-far")
        hub.wait_gone("left-far")
    events = hub.api.items("/apis/events.k8s.io/v1/namespaces/default/events")
    told = {item["note"] for item in events if item["reason"] == "SiteLost"}
    assert {f"{left}twofold-dev", f"{left}left-far-dev"} <= told
    audit = Audit(site, SITE_ACCOUNT)
    hub.fence("after-the-loss")
    assert audit.writes() == []
    hub.api.patch(TARGET, {"spec": {"sites": SITES}})
    wait_until(lambda: "teardown.both-sites.far" in site_finalizers(hub, "twofold"), what="it is back", within=60)
    hub.wait("twofold", within=60)
    found = far.get(NAMESPACE.path(name="left-far-dev"))["metadata"]
    assert found["labels"][names.LABEL_PROJECT] == "left-far"


def end_logins(hub: Hub, site: ControlPlane, far: Api) -> None:
    """Make the site's account anew, so that no former token of it counts, and wait until the operator has noticed."""
    far.delete(SERVICE_ACCOUNT.path(HOME, SITE))
    site.kubectl("apply", "--server-side", "-k", str(FILES / "manifests/site"))
    policy = NETWORK_POLICY.path("twofold-dev", "default-deny")

    def noticed() -> bool:
        # An API server may take a former token for some seconds more, and a quiet cluster is asked for nothing.
        if far.get(policy):
            far.delete(policy)
        return (hub.condition("twofold") or {}).get("reason") == "TargetUnreachable"

    wait_until(noticed, what="the operator has noticed that its login is refused", within=60, every=1)


def test_a_login_is_renewed_without_a_restart(
    hub: Hub, site: ControlPlane, far: Api, operator: OperatorProcess, both: None
) -> None:
    """An old token ends, which is told; once the Secret holds a new one the operator goes on by itself."""
    end_logins(hub, site, far)
    wait_until(lambda: "login is refused: renew" in verdict(hub, "both-sites"), what="the target says what to renew")
    connect(hub, "far", site)
    hub.wait("twofold", within=60)
    assert far.get(NETWORK_POLICY.path("twofold-dev", "default-deny")), "what was missing meanwhile is repaired"


def test_a_second_secret_for_the_same_cluster_is_refused(
    hub: Hub, site: ControlPlane, operator: OperatorProcess, both: None
) -> None:
    """Under two names a cluster would have two owners; the later one says so, and the first one goes on."""
    connect(hub, "far-too", site)
    spec = {
        "sites": [
            {
                "name": "far",
                "kubeconfigSecret": {"name": "far-too"},
                "argocd": {"destinationServer": "https://far-too.example.org"},
            }
        ]
    }
    target = {"apiVersion": names.API_VERSION, "kind": "HostingTarget", "metadata": {"name": "again"}, "spec": spec}
    hub.api.create(f"{ROOT}/hostingtargets", target)
    told = "it leads to the same cluster as far/kubeconfig"
    wait_until(lambda: told in verdict(hub, "again"), what="the target says that it is the same cluster")
    assert hub.condition("twofold")["status"] == "True"
    hub.api.delete(f"{ROOT}/hostingtargets/again")


def test_another_cluster_behind_a_secret_receives_no_write(
    hub: Hub, site: ControlPlane, far: Api, installed: ControlPlane, operator: OperatorProcess, both: None
) -> None:
    """A cluster is known by its kube-system; another is left alone, also after a restart, until somebody says so."""
    with ControlPlane.start("other") as other:
        other.kubectl("apply", "--server-side", "-k", str(FILES / "manifests/site"))
        api, audit = Api(other), Audit(other, SITE_ACCOUNT)
        hub.declare("leaving-both", **BOTH)
        # The controllers of the site were without their API server in a test before, and take their time.
        hub.wait("leaving-both", within=90)
        connect(hub, "far", other)
        end_logins(hub, site, far)
        told = "another cluster than before is behind it"
        wait_until(lambda: told in verdict(hub, "both-sites"), what="the target says that it is another cluster")
        hub.wait("twofold", "False", "TargetUnreachable", told)
        hub.delete("leaving-both")
        operator.stop()
        again = OperatorProcess.on(installed, operator.log.parent)
        try:
            hub.fence("after-the-restart")
            hub.wait("twofold", "False", "TargetUnreachable", told)
            # No teardown ends meanwhile.
            hub.wait("leaving-both", "False", "TargetUnreachable", told)
            assert audit.writes() == []
            remove = [{"op": "remove", "path": "/data/far_kubeconfig"}]
            hub.api.patch(f"/api/v1/namespaces/{HOME}/configmaps/{names.CLUSTERS_CONFIGMAP}", remove)
            hub.wait("twofold", within=60)
            assert api.get(NAMESPACE.path(name="twofold-dev"))
            hub.wait_gone("leaving-both", within=60)
        finally:
            again.stop()
