"""A policy or target that is wrong says so in its own status, and what is in place stays in place."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from onboarding import names
from onboarding.build.kinds import HUB, RESOURCE_QUOTA, Manifest, ObjectKey
from tests.support.audit import OPERATOR
from tests.support.hub import ROOT, Hub
from tests.support.people import may_bind
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("operator")
POLICIES, TARGETS = f"{ROOT}/onboardingpolicies", f"{ROOT}/hostingtargets"
KINDS = {POLICIES: "OnboardingPolicy", TARGETS: "HostingTarget"}
RBAC = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
FAR = {"destinationServer": "https://far.example.org"}


class Offers:
    """Policies and targets that a test declares; they are gone, or as they were, when it is over."""

    def __init__(self, hub: Hub) -> None:
        self._api = hub.api
        self._before: dict[str, Manifest | None] = {}

    def declare(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        """Create an object, or make its spec exactly this."""
        path = f"{kind}/{name}"
        found = self._api.get(path)
        self._before.setdefault(path, found)
        if found is None:
            manifest = {"apiVersion": names.API_VERSION, "kind": KINDS[kind], "metadata": {"name": name}}
            self._api.create(kind, {**manifest, "spec": spec})
        else:
            self._api.patch(path, [{"op": "replace", "path": "/spec", "value": spec}])

    def spec(self, kind: str, name: str) -> dict[str, Any]:
        """Return the spec of an object, to change it."""
        found = self._api.get(f"{kind}/{name}")
        assert found is not None
        return deepcopy(found["spec"])

    def ready(self, kind: str, name: str) -> Manifest | None:
        """Return the condition Ready of an object if it is of its present generation."""
        found = self._api.get(f"{kind}/{name}")
        if found is None or found["status"]["observedGeneration"] != found["metadata"]["generation"]:
            return None
        return next(item for item in found["status"]["conditions"] if item["type"] == "Ready")

    def wait(self, kind: str, name: str, reason: str, words: str = "") -> None:
        """Wait until the condition Ready of an object has this reason, and these words in its message."""

        def there() -> bool:
            found = self.ready(kind, name)
            return bool(found) and found["reason"] == reason and words in found["message"]

        wait_until(there, what=f"{name} is {reason}: {words}; it is {self.ready(kind, name)}")

    def restore(self) -> None:
        """Make everything as it was."""
        for path, before in self._before.items():
            if before is None:
                self._api.delete(path)
            else:
                self._api.patch(path, [{"op": "replace", "path": "/spec", "value": before["spec"]}])


@pytest.fixture
def offers(hub: Hub) -> Iterator[Offers]:
    """What the platform offers, put right after the test."""
    offers = Offers(hub)
    yield offers
    offers.restore()
    offers.wait(POLICIES, "default", "Accepted")
    offers.wait(TARGETS, "in-cluster", "Accepted")


def held_by(hub: Hub, project: str, words: str) -> None:
    """Wait until a project says these words."""
    wait_until(lambda: words in str(hub.project(project)["status"]), what=f"{project} tells of {words}")


def test_the_profile_can_be_used(offers: Offers) -> None:
    """The default policy and target are Accepted, in the columns that kubectl shows."""
    offers.wait(POLICIES, "default", "Accepted", "it can be used")
    offers.wait(TARGETS, "in-cluster", "Accepted", "it can be used")


def test_a_policy_that_is_wrong_names_the_field_and_what_is_in_place_stays(hub: Hub, offers: Offers) -> None:
    """Projects keep their last good state: repair goes on, nothing new opens, and they say why."""
    hub.declare("steady")
    hub.wait("steady")
    wrong = offers.spec(POLICIES, "default")
    wrong["stages"][0]["defaultSize"] = "huge"
    offers.declare(POLICIES, "default", wrong)
    offers.wait(POLICIES, "default", "Invalid", "spec.stages[0].defaultSize: there is no size huge; choose one of: ")
    held_by(hub, "steady", "spec.stages[0].defaultSize")
    quota = ObjectKey(HUB, RESOURCE_QUOTA, "steady-dev", "onboarding")
    hub.api.delete(RESOURCE_QUOTA.path(quota.namespace, quota.name))
    wait_until(lambda: quota in hub.live("steady"), what="the quota is back")
    assert hub.faults("steady") == []
    hub.declare("newcomer")
    held_by(hub, "newcomer", "spec.stages[0].defaultSize")
    assert hub.live("newcomer") == {}
    offers.restore()
    hub.wait("newcomer")


def test_a_role_that_does_not_exist_or_may_not_be_bound_holds_before_anything_is_admitted(
    hub: Hub, offers: Offers
) -> None:
    """The admitted revision of a project never names a ClusterRole that nobody can bind."""
    groups = {"admin": ["bound-admins"]}
    hub.declare("bound", team={"groups": groups})
    hub.wait("bound")
    before = hub.live("bound")
    wrong = offers.spec(POLICIES, "default")
    wrong["personas"][0]["rights"][0]["clusterRole"] = "team:unbindable"
    offers.declare(POLICIES, "default", wrong)
    field = "spec.personas[0].rights[0].clusterRole"
    offers.wait(POLICIES, "default", "Invalid", f"{field}: ClusterRole team:unbindable does not exist")
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "team:unbindable"},
    }
    hub.api.create(RBAC, {**role, "rules": []})
    offers.wait(POLICIES, "default", "Invalid", "bindableClusterRoles")
    held_by(hub, "bound", "team:unbindable")
    assert hub.live("bound").keys() == before.keys()
    path = may_bind(hub.api, OPERATOR, "team:unbindable")
    offers.wait(POLICIES, "default", "Accepted")
    offers.restore()
    for made in (f"{RBAC}/team:unbindable", *path):
        hub.api.delete(made)


def test_a_draft_that_is_wrong_has_a_status_and_holds_nobody(hub: Hub, offers: Offers) -> None:
    """A policy that is not active is judged all the same: that is what a draft is for."""
    draft = offers.spec(POLICIES, "default")
    draft["checks"] = [{"id": "ImagesCompliant", "gate": "nowhere"}]
    offers.declare(POLICIES, "draft", draft)
    offers.wait(POLICIES, "draft", "Invalid", "spec.checks[0].id: there is no check ImagesCompliant")
    hub.fence("draft-holds-nobody")


def test_a_target_that_is_wrong_tells_so_itself_and_to_the_projects_that_name_it(hub: Hub, offers: Offers) -> None:
    """Overlapping zones are refused on the target, and a project that names it learns which field is wrong."""
    zones = [{"name": "rie", "cidrs": ["10.0.0.0/8"]}, {"name": "db", "cidrs": ["10.1.0.0/16"]}]
    offers.declare(TARGETS, "overlapping", {"sites": [{"name": "a"}], "network": {"zones": zones}})
    offers.wait(
        TARGETS, "overlapping", "Invalid", "spec.network.zones[1].cidrs[0]: 10.1.0.0/16 overlaps with 10.0.0.0/8"
    )
    hub.declare("overlapped", environments=[{"name": "dev", "stage": "dev", "target": "overlapping"}])
    held_by(hub, "overlapped", "spec.network.zones[1].cidrs[0]")
    offers.declare(TARGETS, "overlapping", {"sites": [{"name": "a"}], "network": {"zones": zones[:1]}})
    offers.wait(TARGETS, "overlapping", "Accepted")
    hub.wait("overlapped")
    hub.delete("overlapped")
    hub.wait_gone("overlapped")


def test_a_cluster_without_a_connection_shows_on_its_target(offers: Offers) -> None:
    """The target of a Secret that does not exist cannot be used, and says which site and why."""
    site = {"name": "far", "kubeconfigSecret": {"name": "nothing-there"}, "argocd": FAR}
    offers.declare(TARGETS, "unconnected", {"sites": [{"name": "near"}, site]})
    offers.wait(TARGETS, "unconnected", "TargetUnreachable", "site far: Secret project-onboarding/nothing-there")


def test_of_two_targets_with_one_destination_the_later_is_refused(offers: Offers) -> None:
    """Argo CD would deploy to one of two clusters what is meant for the other; the one that was there first stays."""
    sites = [{"name": "far", "kubeconfigSecret": {"name": f"cluster-{number}"}, "argocd": FAR} for number in range(2)]
    offers.declare(TARGETS, "first", {"sites": sites[:1]})
    offers.wait(TARGETS, "first", "TargetUnreachable")
    offers.declare(TARGETS, "second", {"sites": sites[1:]})
    offers.wait(TARGETS, "second", "Invalid", "spec.sites[0].argocd.destinationServer: https://far.example.org is the")
    offers.wait(TARGETS, "first", "TargetUnreachable")


def test_a_status_is_written_once_and_a_foreign_hand_on_it_is_put_right(hub: Hub, offers: Offers) -> None:
    """What does not change is not written again, and what somebody else writes there does not stay."""
    path = f"{TARGETS}/in-cluster"
    offers.wait(TARGETS, "in-cluster", "Accepted")
    before = hub.api.get(path)
    hub.fence("nothing-to-write")
    assert hub.api.get(path) == before
    assert before is not None
    forged = [{**item, "status": "False"} for item in before["status"]["conditions"]]
    hub.api.patch(f"{path}/status", {"status": {**before["status"], "conditions": forged}})

    def restored() -> bool:
        found = hub.api.get(path)
        return found is not None and {item["status"] for item in found["status"]["conditions"]} == {"True"}

    wait_until(restored, what="all conditions are true again")


def test_a_policy_counts_what_its_last_change_does_and_warns_if_it_holds_every_project(
    hub: Hub, offers: Offers
) -> None:
    """The platform team learns from its own object that a change goes too far, and that taking it back ends it."""
    # First by its name: ten are named, and other tests have projects on this cluster, too.
    hub.declare("a-counted")
    hub.wait("a-counted")

    def change(**expected: Any) -> dict[str, Any]:
        """Wait until the last generation is counted to its end; return the count, which has these figures."""

        def final() -> dict[str, Any] | None:
            found = hub.api.get(f"{POLICIES}/default")
            assert found is not None
            count: dict[str, Any] = found["status"].get("lastChange", {})
            done = count.get("generation") == found["metadata"]["generation"] and count["pending"] == 0
            return count if done else None

        wait_until(lambda: final() is not None, what="the last change is counted")
        found = final()
        assert found is not None
        assert found | expected == found
        return found

    smaller = offers.spec(POLICIES, "default")
    size = next(item for item in smaller["sizes"] if item["name"] == smaller["stages"][0]["defaultSize"])
    size["pods"] -= 1
    offers.declare(POLICIES, "default", smaller)
    shrunk = change(environmentsHeld=0, holdsEveryProject=False)
    assert shrunk["quotasChanged"] >= 1
    assert "a-counted" in shrunk["named"]
    hub.wait("a-counted")
    wrong = offers.spec(POLICIES, "default")
    wrong["stages"][0]["defaultSize"] = "huge"
    offers.declare(POLICIES, "default", wrong)
    held = change(quotasChanged=0, holdsEveryProject=True)
    assert held["environmentsHeld"] >= held["projects"] >= 1

    def warnings(count: dict[str, Any]) -> int:
        """Return how many Warning Events on the policy say that this change holds every project."""
        events = hub.api.items("/apis/events.k8s.io/v1/namespaces/default/events")
        found = [item for item in events if (item["reason"], item["type"]) == ("EveryProjectHeld", "Warning")]
        words = f"generation {count['generation']} holds every project: "
        return sum(item["regarding"]["name"] == "default" and item["note"].startswith(words) for item in found)

    wait_until(lambda: warnings(held) > 0, what="the policy warns")
    before = hub.api.get(f"{POLICIES}/default")
    hub.declare("a-counted-late")
    held_by(hub, "a-counted-late", "spec.stages[0].defaultSize")
    assert hub.api.get(f"{POLICIES}/default") == before
    offers.restore()
    corrected = change(environmentsHeld=0, holdsEveryProject=False)
    assert (warnings(held), warnings(corrected)) == (1, 0)
