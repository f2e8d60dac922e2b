"""Labels by allow list, and names of namespaces that are the platform's; what was admitted before is only told."""

from dataclasses import replace
from typing import Any

import pytest

from onboarding.api.gates import Actor, Severity
from onboarding.api.namespaces import OWN_LABELS, PLATFORM_NAMES, label_prefixes, reserving
from onboarding.checks import namespaces
from onboarding.checks.inputs import EnvironmentDeclaration, Former
from tests.unit.snapshots import POLICY, environment, inputs_of, spec_of

OPEN = POLICY.model_copy(update={"namespace_labels": ("teams.example.org/", "<project>.apps.example.org/")})
CLOSED = POLICY.model_copy(update={"namespace_labels": ()})
LISTED = POLICY.model_copy(update={"reserved_namespaces": ("shop-dev",)})
FREE = POLICY.model_copy(update={"reserved_namespaces": ()})
IGNORE = {"admission.gatekeeper.sh/ignore": "true"}


def inputs(*former: Former, policy: Any = POLICY, reserved: Any = None, **fields: Any) -> EnvironmentDeclaration:
    given = inputs_of(spec_of(environment(**fields)), policy=policy)
    project = replace(given.project, reserved=reserved or {})
    return replace(given, project=project, namespace=fields.get("namespace") or "shop-dev", former=former)


def was(site: str = "a", target: str = "main", namespace: str = "shop-dev", **labels: str) -> Former:
    return Former(target, namespace, "dev", site, labels)


ALLOWED = {
    "none": inputs(),
    "the project's own": inputs(labels={"shop.projects/tier": "web"}),
    "a prefix of the policy": inputs(policy=OPEN, labels={"teams.example.org/cost-centre": "4711"}),
    "the project's own in a prefix of the policy": inputs(policy=OPEN, labels={"shop.apps.example.org/a": "b"}),
    "one that goes": inputs(was(**IGNORE)),
}
REFUSED = {
    # Case 07.
    "an exemption": inputs(labels=IGNORE),
    "an injection": inputs(labels={"istio-injection": "disabled"}),
    "a tenant of others": inputs(labels={"capsule.clastix.io/tenant": "others"}),
    "a queue": inputs(labels={"kueue.x-k8s.io/queue-name": "gpu"}),
    "a name": inputs(labels={"name": "monitoring"}),
    # What looks like one's own prefix and is none.
    "another project": inputs(labels={"bank.projects/tier": "web"}),
    "another project that ends alike": inputs(labels={"a.shop.projects/tier": "web"}),
    "another project that begins alike": inputs(labels={"shop2.projects/tier": "web"}),
    "without the slash": inputs(labels={"shop.projects": "web"}),
    "a longer domain": inputs(labels={"shop.projects.example.org/tier": "web"}),
    "the default under a policy with others": inputs(policy=OPEN, labels={"shop.projects/tier": "web"}),
    "any under a policy with none": inputs(policy=CLOSED, labels={"shop.projects/tier": "web"}),
    # What was admitted is that key with that value, on every site.
    "a changed value": inputs(was(**IGNORE), labels={"admission.gatekeeper.sh/ignore": "false"}),
    "one more": inputs(was(**IGNORE), labels={**IGNORE, "name": "monitoring"}),
    "another site": inputs(was(target="twin", **IGNORE), target="twin", labels=IGNORE),
    "another target": inputs(was(target="twin", **IGNORE), labels=IGNORE),
}
KEPT = {
    "as it was": inputs(was(**IGNORE), labels=IGNORE),
    "as it was on every site": inputs(
        was("a", "twin", **IGNORE), was("b", "twin", **IGNORE), target="twin", labels=IGNORE
    ),
    "beside one's own": inputs(was(**IGNORE), labels={**IGNORE, "shop.projects/tier": "web"}),
    "allowed when it was admitted": inputs(
        was(**{"shop.projects/tier": "web"}), policy=CLOSED, labels={"shop.projects/tier": "web"}
    ),
}


@pytest.mark.parametrize("given", ALLOWED.values(), ids=ALLOWED)
def test_a_label_is_allowed(given: EnvironmentDeclaration) -> None:
    assert namespaces.labels_are_allowed.run(given) is None


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
def test_case_07_a_label_that_no_prefix_allows_is_refused_and_named(given: EnvironmentDeclaration) -> None:
    finding = namespaces.labels_are_allowed.run(given)
    assert finding is not None
    assert finding.severity is Severity.BLOCKING
    named = [key for key in given.environment.labels if key in finding.message]
    new = [key for key, value in given.environment.labels.items() if key != "name" or value == "monitoring"]
    assert set(named) <= set(new)
    assert named
    prefixes = label_prefixes(given.policy.own_labels, "shop")
    assert all(prefix in finding.message for prefix in prefixes)
    assert "spec.namespaceLabels" in (finding.remedy or namespaces.labels_are_allowed.remedy)


@pytest.mark.parametrize("given", KEPT.values(), ids=KEPT)
def test_a_label_that_was_admitted_stays_and_is_told(given: EnvironmentDeclaration) -> None:
    finding = namespaces.labels_are_allowed.run(given)
    assert finding is not None
    assert (finding.severity, "stays as it is" in finding.message) == (Severity.WARNING, True)


def test_only_what_is_new_is_named() -> None:
    finding = namespaces.labels_are_allowed.run(REFUSED["one more"])
    assert finding is not None
    assert "name" in finding.message
    assert "gatekeeper" not in finding.message


INGRESS = {"shop-dev": "HostingTarget main names it in spec.network.ingressNamespaces"}
RESERVED = {
    "named by a target": (inputs(reserved=INGRESS), "HostingTarget main names it in spec.network.ingressNamespaces"),
    "named by the policy": (inputs(policy=LISTED), "spec.reservedNamespaces of the policy has shop-dev"),
    "by default": (inputs(namespace="cert-manager"), "has cert-manager by default"),
    "by what comes after the hyphen": (inputs(namespace="gatekeeper-system"), "has *-system by default"),
    "by what comes before it": (inputs(namespace="ingress-nginx"), "has ingress-* by default"),
    "on another site": (inputs(was(target="twin"), reserved=INGRESS, target="twin"), "HostingTarget main"),
    "another namespace was admitted": (inputs(was(namespace="old"), reserved=INGRESS), "HostingTarget main"),
}


@pytest.mark.parametrize(("given", "words"), RESERVED.values(), ids=RESERVED)
def test_case_40_a_reserved_namespace_is_refused_with_whose_it_is(given: EnvironmentDeclaration, words: str) -> None:
    finding = namespaces.namespace_is_the_projects.run(given)
    assert finding is not None
    assert (finding.severity, finding.actor) == (Severity.BLOCKING, None)
    assert repr(given.namespace) in finding.message
    assert words in finding.message


@pytest.mark.parametrize(
    "given",
    [inputs(), inputs(namespace="cert-manager", policy=FREE), inputs(policy=FREE, reserved={"other": "x"})],
    ids=["its own", "a policy that reserves nothing", "another name is reserved"],
)
def test_a_namespace_is_free(given: EnvironmentDeclaration) -> None:
    assert namespaces.namespace_is_the_projects.run(given) is None


def test_a_namespace_that_was_admitted_before_stays_and_the_platform_is_told() -> None:
    finding = namespaces.namespace_is_the_projects.run(inputs(was(), reserved=INGRESS))
    assert finding is not None
    assert (finding.severity, finding.actor) == (Severity.WARNING, Actor.PLATFORM)
    assert "'shop-dev'" in finding.message
    assert INGRESS["shop-dev"] in finding.message


@pytest.mark.parametrize(
    ("entry", "taken", "free"),
    [
        ("vault", ("vault",), ("vault-a", "a-vault", "vaults")),
        ("istio-*", ("istio-system", "istio-a"), ("istio", "istios-a", "a-istio-b")),
        ("*-system", ("a-system", "kyverno-system"), ("system", "a-systems", "asystem")),
    ],
)
def test_an_entry_reserves_a_name_or_what_is_before_or_after_a_hyphen(
    entry: str, taken: tuple[str, ...], free: tuple[str, ...]
) -> None:
    assert [reserving((entry,), name) for name in taken] == [entry] * len(taken)
    assert [reserving((entry,), name) for name in free] == [None] * len(free)


# Where these run, or the name that a hole of every tenant's network policy trusts.
WELL_KNOWN = """
    cert-manager istio-system istio-ingress gatekeeper-system external-secrets ingress-nginx nginx-ingress traefik
    kyverno cosign-system linkerd linkerd-viz vault monitoring logging velero argocd argo-cd argo-rollouts flux-system
    metallb-system capsule-system cattle-system cattle-fleet-system rook-ceph longhorn-system calico-system
    tigera-operator kube-system kube-public openshift-ingress openshift-monitoring gke-system crossplane-system
    tekton-pipelines gitlab-runner knative-serving kueue-system keda external-dns default project-onboarding
    project-onboarding-sync cilium-secrets prometheus elastic-system opentelemetry-operator-system haproxy-controller
"""


@pytest.mark.parametrize("name", WELL_KNOWN.split())
def test_what_platforms_run_is_reserved_by_default(name: str) -> None:
    assert reserving(PLATFORM_NAMES, name)


def test_the_defaults_leave_projects_their_names() -> None:
    usual = [f"{project}-{name}" for project in ("shop", "dossier-usagers", "f40") for name in ("dev", "test", "prod")]
    assert [name for name in usual if reserving(PLATFORM_NAMES, name)] == []
    assert label_prefixes(OWN_LABELS, "shop") == ("shop.projects/",)
