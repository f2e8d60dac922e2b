"""A tenant with the shipped roles, under the shipped default profile, takes labels, names and domains of others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import NAMESPACE
from onboarding.build.revision import Revision
from tests.api.persons import Person, patch
from tests.support.hub import Hub
from tests.support.installing import project
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

KIND = "projectonboarding"
REQUESTERS, ADMINS = "claims-requesters", "claims-admins"
HOST = "shop.example.org"
EXEMPTIONS = {
    "admission.gatekeeper.sh/ignore": "true",
    "cert-manager.io/disable-validation": "true",
    "config.linkerd.io/admission-webhooks": "disabled",
    "field.cattle.io/projectId": "p-of-others",
    "capsule.clastix.io/tenant": "others",
    "name": "kube-system",
    "istio-injection": "disabled",
    "policy.sigstore.dev/include": "false",
    "control-plane": "controller-manager",
    "kueue.x-k8s.io/queue-name": "gpu",
}
"""The labels of case 07, and one that the rule of the definition lets pass."""


class Stage(NamedTuple):
    """The hub, a tenant who may create projects and administers them, and the log of the operator."""

    hub: Hub
    tenant: Person
    operator: OperatorProcess

    def declare(self, name: str, *environments: dict[str, Any]) -> None:
        """Let the tenant create a project."""
        spec = {"team": {"groups": {"admin": [ADMINS]}}, "environments": list(environments)}
        assert self.tenant.refusal("create", "--filename=-", body=project(name, **spec)) == ""

    def change(self, name: str, *environments: dict[str, Any]) -> None:
        """Let the tenant change the environments of a project."""
        assert self.tenant.refusal(*patch(KIND, name, {"spec": {"environments": list(environments)}})) == ""

    def sentence(self, name: str, check: str) -> str:
        """Return what the status says of a check: severity, message and remedy."""
        checks = (self.hub.project(name) or {})["status"]["checks"]
        return next(
            f"{item['severity']}: {item['message']}: {item['remedy']}" for item in checks if item["id"] == check
        )

    def admitted(self, namespace: str) -> Revision | None:
        """Return the admitted revision of a namespace; None if there is none."""
        found = self.hub.one(NAMESPACE, namespace)
        return Revision.parse(found["metadata"]["annotations"][names.ANNOTATION_ADMITTED]) if found else None


@pytest.fixture(scope="module")
def stage(installed: ControlPlane, operator: OperatorProcess) -> Iterator[Stage]:
    """Bind the shipped role to the tenants."""
    hub = Hub(installed)
    binding = (
        "create",
        "clusterrolebinding",
        REQUESTERS,
        "--clusterrole=onboarding:requester",
        f"--group={REQUESTERS}",
    )
    hub.cluster.kubectl(*binding)
    yield Stage(hub, Person(hub.cluster, hub.cluster.kubeconfig_for("claims-tina", [REQUESTERS, ADMINS])), operator)
    hub.cluster.kubectl("delete", "clusterrolebinding", REQUESTERS)


def dev(name: str = "dev", **fields: Any) -> dict[str, Any]:
    return {"name": name, "stage": "dev", **fields}


@pytest.mark.parametrize(("number", "key"), [*enumerate(EXEMPTIONS)], ids=EXEMPTIONS)
def test_case_07_a_project_labels_its_namespace_with_an_exemption(stage: Stage, number: int, key: str) -> None:
    name = f"f07-{number}"
    stage.declare(name, dev(labels={key: EXEMPTIONS[key]}))
    stage.hub.wait(name, "False", "Refused", key)
    told = stage.sentence(name, "NamespaceLabelNotAllowed")
    assert told.startswith(
        f"Blocking: spec.environments[].labels has {key}, and projects may set labels that begin with"
    )
    assert f"{name}.projects/" in told
    assert "spec.namespaceLabels" in told
    assert stage.admitted(f"{name}-dev") is None


def test_case_07_a_project_adds_an_exemption_to_a_namespace_that_is_there(stage: Stage) -> None:
    own = {"f07-there.projects/tier": "web"}
    stage.declare("f07-there", dev(labels=own))
    stage.hub.wait("f07-there")
    stage.change("f07-there", dev(labels={**own, "istio-injection": "disabled"}))
    stage.hub.wait("f07-there", "False", "Refused", "istio-injection")
    labels = stage.hub.one(NAMESPACE, "f07-there-dev")["metadata"]["labels"]
    assert {key: labels.get(key) for key in (*own, "istio-injection")} == {**own, "istio-injection": None}


def test_a_label_that_was_admitted_before_stays_and_is_told(stage: Stage) -> None:
    label = {"teams.example.org/cost-centre": "4711"}
    stage.hub.change_policy(namespaceLabels=["teams.example.org/"])
    stage.declare("f07-before", dev(labels=label))
    stage.hub.wait("f07-before")
    stage.hub.change_policy(namespaceLabels=None)
    wait_until(lambda: stage.hub.project("f07-before")["status"].get("checks"), what="the status tells of the label")
    stage.hub.wait("f07-before")
    assert stage.sentence("f07-before", "NamespaceLabelNotAllowed").startswith("Warning: ")
    stage.change("f07-before", dev(labels=label, size="medium"))
    stage.hub.wait("f07-before")
    assert stage.admitted("f07-before-dev").resources.cpu == "4"
    stage.change("f07-before", dev(labels={"teams.example.org/cost-centre": "4712"}))
    stage.hub.wait("f07-before", "False", "Refused")


TRUSTED = {
    "ingress": ("nginx", "HostingTarget in-cluster names it in spec.network.ingressNamespaces"),
    "cert": ("manager", "spec.reservedNamespaces of the policy has cert-manager by default"),
    "istio": ("system", "spec.reservedNamespaces of the policy has *-system by default"),
    "external": ("secrets", "spec.reservedNamespaces of the policy has external-secrets by default"),
}


@pytest.mark.parametrize(("name", "trusted"), TRUSTED.items(), ids=TRUSTED)
def test_case_40_a_project_takes_the_name_that_others_trust(stage: Stage, name: str, trusted: tuple[str, str]) -> None:
    environment, clause = trusted
    stage.declare(name, dev(environment))
    stage.hub.wait(name, "False", "Refused", f"namespace '{name}-{environment}' is reserved for the platform")
    assert clause in stage.sentence(name, "NamespaceReserved")
    assert stage.hub.one(NAMESPACE, f"{name}-{environment}") is None


def test_case_35_two_projects_declare_one_host(stage: Stage) -> None:
    stage.declare("f35a", dev(domains=[HOST]))
    stage.hub.wait("f35a")
    assert stage.admitted("f35a-dev").domains == (HOST,)
    stage.declare("f35b", dev(domains=[HOST]))
    stage.hub.wait("f35b", "False", "Held", HOST)
    assert stage.hub.condition("f35a")["status"] == "True"
    assert stage.admitted("f35b-dev") is None
    assert "f35a" not in str(stage.hub.project("f35b")["status"])
    assert stage.sentence("f35b", "DomainTaken").startswith(f"Blocking: another project has {HOST}")

    # The platform is told by whom, and the tenant does not read it.
    events = stage.hub.api.items("/apis/events.k8s.io/v1/namespaces/default/events")
    (event,) = [item for item in events if item["reason"] == "DomainTaken"]
    assert (event["type"], event["regarding"]["kind"], event["regarding"]["name"]) == (
        "Warning",
        "OnboardingPolicy",
        "default",
    )
    assert "project f35b" in event["note"]
    assert "project f35a" in event["note"]
    assert "forbidden" in stage.tenant.refusal("get", "events.events.k8s.io", "--namespace=default")
    assert "domain taken" in stage.operator.log.read_text(encoding="utf-8")

    # Who waits is admitted once the first no longer declares it.
    stage.change("f35a", dev())
    stage.hub.wait("f35b")
    assert stage.admitted("f35b-dev").domains == (HOST,)
    stage.change("f35a", dev(domains=[HOST]))
    stage.hub.wait("f35a", "True", "EnvironmentsHeld", HOST)


def test_a_project_that_is_deleted_frees_its_domain(stage: Stage) -> None:
    host = "moves.example.org"
    stage.declare("f35-old", dev(domains=[host]))
    stage.hub.wait("f35-old")
    stage.declare("f35-new", dev(domains=[host]))
    stage.hub.wait("f35-new", "False", "Held")
    assert stage.tenant.refusal("delete", KIND, "f35-old", "--wait=false") == ""
    stage.hub.wait_gone("f35-old")
    stage.hub.wait("f35-new")


def test_an_environment_that_is_there_takes_no_domain_of_another_over_a_restart(stage: Stage, tmp_path: Path) -> None:
    """Held with it before the restart, and after it: that it is there proves nothing of what it declares since."""
    host = "restart.example.org"
    stage.declare("f35-holder", dev(domains=[host]))
    stage.declare("f35-taker", dev())
    stage.hub.wait("f35-holder")
    stage.hub.wait("f35-taker")
    stage.change("f35-taker", dev(domains=[host]))
    stage.hub.wait("f35-taker", "True", "EnvironmentsHeld", host)
    stage.operator.stop()
    again = OperatorProcess.on(stage.hub.cluster, tmp_path)
    stage.hub.fence("f35-fence")
    stage.hub.wait("f35-taker", "True", "EnvironmentsHeld", host)
    again.stop()
    assert stage.admitted("f35-taker-dev").domains == ()
