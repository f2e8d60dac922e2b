"""A change of the spec changes exactly what it says, and a red check never touches what is there."""

from collections import Counter

import pytest

from onboarding import names
from onboarding.build.kinds import APP_PROJECT, APPLICATION, LIMIT_RANGE, NAMESPACE, RESOURCE_QUOTA, ROLE_BINDING
from tests.support.audit import ARGO_PLURALS, Audit
from tests.support.conditions import kstatus
from tests.support.hub import ARGOCD, POLICY, REPOSITORY, ROOT, Hub
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("operator")
DEV = {"name": "dev", "stage": "dev"}
TEST = {"name": "test", "stage": "dev"}
OTHER = {"name": "batch", "url": "https://git.example.org/team/batch.git"}
TINY = {"cpu": "250m", "memory": "256Mi", "ephemeralStorage": "512Mi", "storage": "1Gi", "pods": 2}


def changed(hub: Hub, name: str, before: dict, after: dict) -> Audit:
    """Onboard a project, change its spec, and return what was written because of the change."""
    hub.declare(name, **before)
    hub.wait(name)
    audit = Audit(hub.cluster)
    hub.declare(name, **after)
    hub.wait(name)
    hub.fence(f"after-{name}")
    assert hub.faults(name) == []
    return audit


def counted(audit: Audit, name: str) -> Counter:
    return Counter((write.verb, write.resource) for write in audit.of_objects(name))


def test_a_larger_size_patches_one_quota(hub: Hub) -> None:
    """A change of size is two patches: the quota, and the admitted revision on the namespace."""
    before, after = ({"environments": [{**DEV, "size": size}, TEST]} for size in ("small", "large"))
    audit = changed(hub, "sized", before, after)
    assert counted(audit, "sized") == {("patch", "namespaces"): 1, ("patch", "resourcequotas"): 1}
    assert {write.namespace or write.name for write in audit.of_objects("sized")} == {"sized-dev"}
    hard = hub.one(RESOURCE_QUOTA, "onboarding", "sized-dev")["spec"]["hard"]
    assert (hard["limits.cpu"], hard["requests.memory"], hard["pods"]) == ("8", "16Gi", "100")


def test_a_size_below_the_defaults_cuts_the_limit_range(hub: Hub) -> None:
    """A quota smaller than the default container takes the LimitRange with it, so that a pod still fits."""
    audit = changed(hub, "tiny", {}, {"environments": [{**DEV, "resources": TINY}]})
    patched = ("namespaces", "resourcequotas", "limitranges")
    assert counted(audit, "tiny") == {("patch", resource): 1 for resource in patched}
    limits = hub.one(LIMIT_RANGE, "onboarding", "tiny-dev")["spec"]["limits"][0]
    assert limits["default"] == {"cpu": "250m", "memory": "256Mi", "ephemeral-storage": "512Mi"}


def test_a_group_that_is_removed_loses_its_binding(hub: Hub) -> None:
    """A persona without groups has no RoleBinding any more, in any environment."""
    before = {"team": {"groups": {"admin": ["a"], "viewer": ["v"]}}, "environments": [DEV, TEST]}
    after = {"team": {"groups": {"admin": ["a"]}}, "environments": [DEV, TEST]}
    audit = changed(hub, "fewer", before, after)
    assert counted(audit, "fewer") == {("patch", "namespaces"): 2, ("delete", "rolebindings"): 2}
    bindings = {item["metadata"]["name"] for item in hub.api.items(ROLE_BINDING.path("fewer-dev"))}
    assert bindings == {"admin:onboarding:admin", "sync:onboarding:sync"}


def test_a_member_group_of_two_leaves_its_binding(hub: Hub) -> None:
    """One of two groups removed is one patch of the binding, which keeps the other."""
    before, after = ({"team": {"groups": {"admin": groups}}} for groups in (["a", "b"], ["b"]))
    audit = changed(hub, "leaver", before, after)
    assert counted(audit, "leaver") == {("patch", "namespaces"): 1, ("patch", "rolebindings"): 1}
    binding = hub.one(ROLE_BINDING, "admin:onboarding:admin", "leaver-dev")
    assert [subject["name"] for subject in binding["subjects"]] == ["b"]


def test_a_repository_goes_before_its_project_is_narrowed(hub: Hub) -> None:
    """The Application of a removed repository is gone before its AppProject forbids the repository."""
    before, after = ({"repositories": repositories} for repositories in ([REPOSITORY, OTHER], [REPOSITORY]))
    audit = changed(hub, "narrowed", before, after)
    argo = [(write.verb, write.resource) for write in audit.of_objects("narrowed") if write.resource in ARGO_PLURALS]
    assert argo == [("delete", "applications"), ("patch", "appprojects")]
    assert hub.one(APPLICATION, "narrowed-dev-batch", ARGOCD) is None
    assert hub.one(APP_PROJECT, "narrowed", ARGOCD)["spec"]["sourceRepos"] == [REPOSITORY["url"]]


def test_the_last_repository_takes_the_project_of_argo_cd_along(hub: Hub) -> None:
    """Without repositories there is neither Application nor AppProject, and they go in that order."""
    audit = changed(hub, "without", {"repositories": [REPOSITORY]}, {})
    argo = [(write.verb, write.resource) for write in audit.of_objects("without") if write.verb == "delete"]
    assert argo == [("delete", "applications"), ("delete", "appprojects")]


def test_an_environment_that_is_added_leaves_the_others_alone(hub: Hub) -> None:
    """A second environment is created whole; of the first nothing is written."""
    audit = changed(hub, "grown", {}, {"environments": [DEV, TEST]})
    verbs = {write.verb for write in audit.of_objects("grown")}
    assert verbs == {"create"}
    assert not [write for write in audit.of_objects("grown") if "grown-dev" in (write.namespace, write.name)]


def test_an_environment_that_is_removed_is_detached(hub: Hub) -> None:
    """Under Retain the namespace of a removed environment stays and is nobody's; the others are not written to."""
    audit = changed(hub, "shrunk", {"environments": [DEV, TEST]}, {"environments": [DEV]})
    wait_until(
        lambda: names.ANNOTATION_DETACHED in hub.one(NAMESPACE, "shrunk-test")["metadata"]["annotations"],
        what="the namespace is detached",
    )
    assert not [write for write in audit.of_objects("shrunk") if "shrunk-dev" in (write.namespace, write.name)]
    assert [item["name"] for item in hub.project("shrunk")["status"]["environments"]] == ["dev"]


def test_a_label_that_is_dropped_goes(hub: Hub) -> None:
    """A label leaves the namespace with the spec; one that somebody else put there stays."""
    label, foreign = "labelled.projects/tier", "backup.example.org/plan"
    hub.declare("labelled", environments=[{**DEV, "labels": {label: "backend"}}])
    hub.wait("labelled")
    path = NAMESPACE.path(name="labelled-dev")
    assert hub.api.get(path)["metadata"]["labels"][label] == "backend"
    hub.api.patch(path, {"metadata": {"labels": {foreign: "daily"}}})
    hub.declare("labelled")
    hub.wait("labelled")
    labels = hub.api.get(path)["metadata"]["labels"]
    assert label not in labels
    assert labels[foreign] == "daily"


@pytest.mark.parametrize(
    ("number", "wrong", "known"),
    [
        (1, {"size": "huge"}, "large, medium, small"),
        (2, {"target": "the-moon"}, "in-cluster"),
        (3, {"sites": ["nowhere"]}, "local"),
    ],
)
def test_what_is_not_known_is_refused_and_touches_nothing(hub: Hub, number: int, wrong: dict, known: str) -> None:
    """An unknown size, target or site is answered with those there are; what is provisioned stays as it is."""
    name = f"mistaken-{number}"
    hub.declare(name)
    hub.wait(name)
    audit = Audit(hub.cluster)
    hub.declare(name, environments=[{**DEV, **wrong}])
    hub.wait(name, "False", "Refused")
    assert kstatus(hub.project(name)) == "Failed"
    assert hub.condition(name, "Provisioned")["status"] == "True"
    assert audit.of_objects(name) == []
    status = hub.project(name)["status"]
    assert f"{known}" in status["checks"][0]["remedy"]
    assert known in status["summary"]["next"]
    assert status["environments"][0]["held"]
    assert hub.faults(name) == []


def test_an_unknown_stage_holds_a_new_environment_alone(hub: Hub) -> None:
    """An environment of an unknown stage gets nothing and is told the stages; its neighbour opens all the same."""
    hub.declare("staged", environments=[DEV, {"name": "odd", "stage": "integration"}])
    hub.wait("staged", "False", "Refused")
    assert "dev, prod" in hub.project("staged")["status"]["checks"][0]["remedy"]
    assert hub.one(NAMESPACE, "staged-dev") is not None
    assert hub.one(NAMESPACE, "staged-odd") is None


def test_nothing_admitted_is_refused(hub: Hub) -> None:
    """A new project whose only environment is refused is Ready=False, Refused, and nothing at all is made for it."""
    audit = Audit(hub.cluster)
    hub.declare("nothing", environments=[{"name": "odd", "stage": "integration"}])
    hub.wait("nothing", "False", "Refused")
    assert hub.condition("nothing", "Provisioned")["reason"] == "NothingAdmitted"
    assert {(write.verb, write.resource) for write in audit.writes("nothing")} == {
        ("patch", "projectonboardings/status")
    }


def test_another_default_target_moves_nothing(hub: Hub) -> None:
    """A default target that changes under an environment holds it as EnvironmentMoved; nothing is written."""
    spec = hub.api.get(POLICY)["spec"]
    stages, gates = spec["stages"], spec["gates"]
    gate = {"name": "moving", "opens": [{"stages": ["moving"]}]}
    target = hub.api.get(f"{ROOT}/hostingtargets/in-cluster")
    elsewhere = {**target, "metadata": {"name": "elsewhere"}}
    hub.api.create(f"{ROOT}/hostingtargets", elsewhere)
    moving = {"name": "moving", "defaultSize": "small", "defaultTarget": "in-cluster"}
    try:
        hub.change_policy(stages=[*stages, moving], gates=[*gates, gate])
        hub.declare("moved", environments=[{"name": "dev", "stage": "moving"}])
        hub.wait("moved")
        audit = Audit(hub.cluster)
        hub.change_policy(stages=[*stages, {**moving, "defaultTarget": "elsewhere"}])
        hub.wait("moved", "True", "EnvironmentsHeld")
        check = hub.project("moved")["status"]["checks"][0]
        assert check["id"] == "EnvironmentMoved"
        assert "'in-cluster'" in check["remedy"]
        assert audit.of_objects() == []
    finally:
        hub.delete("moved")
        hub.wait_gone("moved")
        hub.change_policy(stages=stages, gates=gates)
        hub.api.delete(f"{ROOT}/hostingtargets/elsewhere")
