"""What the rules and patterns of the API take and refuse, value by value."""

from pathlib import Path
from typing import Any, NamedTuple

import yaml

PROJECTS, POLICIES, TARGETS, DECISIONS = (
    "projectonboardings",
    "onboardingpolicies",
    "hostingtargets",
    "onboardingdecisions",
)
FULL: dict[str, list[dict[str, Any]]] = yaml.safe_load((Path(__file__).parent / "cel" / "objects.yaml").read_text())
RESOURCES = FULL[PROJECTS][0]["environments"][1]["resources"]
PATTERNS = {
    (TARGETS, "spec.network.dns.addresses[]"): (
        "10.0.0.256",
        "10.0.0",
        "dns.example.org",
        "10.0.0.1/33",
        "fd00::1/129",
    ),
    (POLICIES, "spec.foreignGuards.expected[].name"): ("a b", "a/b", "a\n"),
    (PROJECTS, "spec.owner.name"): ("Ada\n", "Ada\u202e", "\u200bAda"),
    (PROJECTS, "spec.owner.email"): (
        "ada.example.org",
        "a b@example.org",
        "a\u00a0b@example.org",
        "a\u202eb@example.org",
        "ada@example",
        "a@b@example.org",
    ),
    (POLICIES, "spec.namespaceLabels[]"): (
        "a.projects",
        "/",
        "A.org/",
        "a_b/",
        "a.<project>/",
        "<project>",
        "<project>/",
        "<project>.io/",
        "<project>io.example.org/",
        "*/",
        "a.org/b",
        "a.org/\n",
    ),
    (POLICIES, "spec.reservedNamespaces[]"): ("*", "a*", "*a", "a-*-b", "*-a-*", "A", "a.b", "-a", "a\n"),
    (PROJECTS, "spec.repositories[].name"): ("App", "1a", "a-", "a_b", "a.b", "a\n"),
    (PROJECTS, "spec.repositories[].url"): (
        "https://me:pw@git.example.org/a",
        "file:///etc/passwd",
        "https://git.example.org/*",
        "https://git.example.org/a b",
        "https://git.example.org",
        "ext::sh -c id",
    ),
    (PROJECTS, "spec.repositories[].revision"): ("a b", "a;b", "a\n", "-a"),
    (PROJECTS, "spec.repositories[].path"): ("/a", "a b", "a*"),
    (PROJECTS, "spec.repositories[].chart"): ("A", "a b", "/a", "a/"),
    (PROJECTS, "spec.repositories[].helm.valueFiles[]"): ("/a", "a*", "<a>", "a<env", "$values/a"),
    (PROJECTS, "spec.environments[].releaseWindows[].schedule"): ("TZ=UTC 0 * * *", "@every 1h  ", "0 0 ? * *  "),
    (PROJECTS, "spec.environments[].releaseWindows[].duration"): ("1d", "-1h", "1.5h", "1m1h", "99999h"),
    (PROJECTS, "spec.environments[].releaseWindows[].timeZone"): ("Europe/Paris ", "../UTC", "a\n"),
    (POLICIES, "spec.delivery.allowedKinds[].group"): ("Apps", "*", "a/b"),
    (POLICIES, "spec.delivery.allowedKinds[].kind"): ("deployment", "*", "A-b"),
    (PROJECTS, "spec.environments[].labels.*"): ("-a", "a b", "a/b"),
    (PROJECTS, "spec.environments[].resources.cpu"): ("-1", "1e3", "1.2345", "1K", "", "1 ", "1.5m"),
    (PROJECTS, "spec.environments[].domains[]"): ("example", "*.example.org", "Example.org", "a..org"),
    (PROJECTS, "spec.team.groups.*[]"): ("a,b", "a b", "a*"),
    (PROJECTS, "spec.owner.username"): ("a b", "\u0430da", "a\n", "a\u200b", "<a>"),
    (POLICIES, "spec.actors[].contact"): (" a", "a ", "\u00e9", "a\n"),
    (POLICIES, "spec.identity.usernamePrefix"): ("a b", "a?", "o\u0456dc:", "oidc:\n"),
    (POLICIES, "spec.identity.groupPrefix"): ("oidc#", "a b", "a*", "oidc:\n"),
    (POLICIES, "spec.personas[].clusterRole"): ("Admin", "a b", "-a"),
    (POLICIES, "spec.territories[].name"): ("fr", "F1", "F R", "FR\n"),
    (POLICIES, "spec.podSecurity.version"): ("1.36", "v1", "newest"),
    (TARGETS, "spec.sites[].argocd.destinationServer"): ("http://a.org", "https://a.org/x", "https://*", "https://"),
    (TARGETS, "spec.sites[].kubeconfigSecret.key"): ("a/b", "a b"),
    (TARGETS, "spec.network.apiServer.cidrs[]"): ("10.0.0.0", "10.0.0.0/8 ", "any"),
    (TARGETS, "spec.gpuResource"): ("gpu", "Nvidia.com/gpu"),
    (PROJECTS, "spec.classification.residency"): ("fr", "F R"),
    (PROJECTS, "spec.classification.zone"): ("1a", "a-", "a_b", "a.b"),
    (PROJECTS, "spec.environments[].healthPath"): ("health", "/a b", "/a?b", "//a\n"),
    (POLICIES, "spec.journeyRules[].liftedApprovals[]"): ("awareness", "ab:", ":a-b", "a:b:c", "A:b", "*:*", "a:b\n"),
    (POLICIES, "spec.checks[].id"): ("sponsorNamed", "Sponsor-Named", "1A"),
    (POLICIES, "spec.probes.credentials[].host"): ("Git.example.org", "https://a", "a/b", "a:b"),
    (POLICIES, "spec.probes.credentials[].username"): ("a b", "a:b", "a\n"),
    (POLICIES, "spec.probes.identityProvider.url"): ("ftp://a.org", "https://me:pw@a.org/", "https://a.org/ b"),
    (POLICIES, "spec.workloads.registries[]"): ("GHCR.io/a", "a b", "a@b"),
    (TARGETS, "spec.domains[].suffix"): (".a", "a.", "Example.org", "*.a"),
    (DECISIONS, "spec.project.uid"): ("g" * 36,),
    (DECISIONS, "spec.digest"): (f"v3:{'a' * 64}", f"v2:{'a' * 63}", f"v2:{'A' * 64}"),
    (DECISIONS, "spec.expires"): ("2030-12-31T23:59:59+01:00", "2030-12-31T23:59:59.5Z"),
}
"""Values that a pattern refuses; they are tried at every path that has the pattern of this one."""


FORMATS = {
    "date": ("2026-02-30", "2026-1-1", "tomorrow"),
    "date-time": ("2030-02-30T23:59:59Z", "2030-12-31T24:59:59Z"),
}
"""Values that match the pattern, if there is one, and that a format refuses."""


class Case(NamedTuple):
    """A value that a rule takes and values that it refuses; an object's fields are merged, None takes one away."""

    good: Any
    bad: tuple[Any, ...]
    old: Any = None
    """Where the rule is over a change: what was stored before."""


def named(*names: str, **spec: Any) -> tuple[dict[str, Any], ...]:
    return tuple({"metadata": {"name": name}, **({"spec": spec} if spec else {})} for name in names)


def long(repository: str) -> dict[str, Any]:
    environments = [{"name": "b" * 20, "stage": "dev"}]
    return named("a" * 20, environments=environments, repositories=[{"name": repository, "url": "git@a:b"}])[0]


def decided(kind: str, **given: Any) -> dict[str, Any]:
    """Return a decision with these of the fields that not every kind has."""
    return {"decision": kind, **dict.fromkeys(("check", "digest", "expires")), **given}


OWN_PREFIXES = ("kubernetes.io", "pod-security.kubernetes.io", "k8s.io", "projectonboarding.io", "argoproj.io")
GATE, DIGEST, LATER = {"gate": "prod", "approval": "poa"}, FULL[DECISIONS][0]["digest"], FULL[DECISIONS][0]["expires"]
CHART = {"chart": "a", "path": None, "revision": "1.0.0"}
RULES = {
    "a project is named in at most 30": Case(named("a" * 30)[0], named("a" * 31, "1a", "a.b")),
    "this project name is reserved": Case(
        named("kubernetes")[0], named("default", "kube", "kube-a", "openshift-a", "argocd", "project-onboarding")
    ),
    "the namespace project-onboarding* is reserved": Case(
        named("project")[0], named("project", environments=[{"name": "onboarding-x", "stage": "dev"}])
    ),
    "together have at most 50 characters": Case(long("c" * 10), (long("c" * 11),)),
    "give either size or resources": Case(
        {"size": "small", "resources": None}, ({"size": "small", "resources": RESOURCES},)
    ),
    "an environment keeps its namespace": Case(
        {"namespace": "own"}, ({"namespace": "other"}, {"namespace": None}), {"namespace": "own"}
    ),
    "an environment keeps its stage": Case({"stage": "dev"}, ({"stage": "prod"},), {"stage": "dev"}),
    "an environment keeps its target": Case({"target": "main"}, ({"target": "other"},), {"target": "main"}),
    "groups named system:* belong": Case("systems", ("system:masters", "system:authenticated")),
    "names that begin with system: belong": Case("systems:", ("system:", "system:serviceaccount:")),
    "a repository URL holds no '..'": Case("https://git.example.org/a.b", ("https://git.example.org/../b",)),
    "a repository URL names each folder once": Case(
        "git@git.example.org:.a/b.",
        (
            "https://git.example.org//a",
            "https://git.example.org/a//b",
            "ssh://git@git.example.org//a",
            "git@git.example.org://a",
            "git@git.example.org:a//b",
            "https://git.example.org/./a",
            "https://git.example.org/a/.",
            "git@git.example.org:./a",
        ),
    ),
    "a path stays inside": Case("a.b", ("a/../b", "..")),
    "a value file lies inside": Case("<env>/a.b-<env>.yaml", ("a/../b", "..")),
    "a chart comes from a Helm repository": Case(CHART, ({**CHART, "path": "a"},)),
    "a Helm repository is reached over": Case(CHART, ({**CHART, "url": "git@a.org:b"},)),
    "a chart has no HEAD": Case(CHART, ({**CHART, "revision": "HEAD"}, {**CHART, "revision": None})),
    "recurse is for plain directories, not for charts": Case(CHART, ({**CHART, "recurse": True},)),
    "recurse is for plain directories, not for Helm": Case(
        {"recurse": True}, ({"recurse": True, "helm": {"releaseName": "a"}},)
    ),
    "this namespace is reserved": Case(
        "kubernetes", ("default", "kube-system", "openshift-x", "argocd", "project-onboarding-sync")
    ),
    "a persona is named in": Case({"qa-2": ["g"]}, ({"QA": ["g"]}, {"a" * 21: ["g"]}, {"": ["g"]})),
    "a label key is an optional": Case(
        {"app.example.org/Tier_1": "a"}, ({"a b": "a"}, {"A.org/a": "a"}, {"a" * 101: "a"}, {"/a": "a"})
    ),
    "are not for projects": Case(
        {"kubernetes.io.example.org/a": "a"}, tuple({f"{prefix}/a": "a"} for prefix in OWN_PREFIXES)
    ),
    "no project sets labels of Kubernetes": Case(
        "k8s.example.org/",
        (*(f"{prefix}/" for prefix in (*OWN_PREFIXES, "kueue.x-k8s.io", "x-k8s.io")), "<project>.openshift.io/"),
    ),
    "a storage class is named": Case({"fast-ssd.1": "1"}, ({"Fast": "1"}, {"a" * 64: "1"}, {"a/b": "1"})),
    "cluster-admin and system:*": Case("cluster-administrator", ("cluster-admin", "system:node")),
    "a persona has either rights by stage": Case(
        {"rights": None, "clusterRole": "acme:dev", "argocd": ["get"]},
        ({"clusterRole": "acme:dev"}, {"argocd": ["get"]}, {"rights": None}, {"rights": None, "argocd": ["get"]}),
    ),
    "an object count is keyed": Case({"count/jobs.batch": 1}, ({"Secrets": 1}, {"a" * 101: 1}, {"a b": 1})),
    "node ports are always refused": Case({"services.loadbalancers": 1}, ({"services.nodeports": 1},)),
    "a URL holds no '..'": Case("https://a.org/a.b", ("https://a.org/../b",)),
    "a flow has one other end": Case(
        {"zone": "rie"}, ({"zone": "rie", "environment": "dev"}, {"zone": None, "cidrs": None})
    ),
    "cidrs narrow a zone": Case({"cidrs": ["10.0.0.0/8"]}, ({"zone": None, "environment": "dev"},)),
    "an override names a journey": Case(
        {"journey": None, "track": None, "target": None}, (dict.fromkeys(("journey", "track", "target", "checks")),)
    ),
    "a decision is never changed": Case({}, ({"reason": "Another."}, {"expires": "2031-01-01T00:00:00Z"}), {}),
    "gate is given with": Case(
        decided("Reject", **GATE), (decided("Reject", approval="poa"), decided("Suspend", gate="a"))
    ),
    "approval is given with": Case(
        decided("Reject", **GATE), (decided("Reject", gate="prod"), decided("Suspend", approval="poa"))
    ),
    "check is given with": Case(
        decided("Waive", check="A", expires=LATER), (decided("Waive", expires=LATER), decided("Suspend", check="A"))
    ),
    "digest is given with": Case(
        decided("Approve", **GATE, digest=DIGEST),
        (decided("Approve", **GATE), decided("Reject", **GATE, digest=DIGEST)),
    ),
    "expires is given with": Case(
        decided("Grant", grant={}, expires=LATER), (decided("Grant", grant={}), decided("Suspend", expires=LATER))
    ),
    "grant is given with": Case(
        decided("Grant", grant={}, expires=LATER), (decided("Grant", expires=LATER), decided("Suspend", grant={}))
    ),
    "a Grant is about the whole project": Case(
        decided("Reject", **GATE, environment="dev"),
        (decided("Grant", grant={}, expires=LATER, environment="dev"),),
    ),
}
"""Cases by a part of the rule's message; they are tried at every path that has the rule."""
