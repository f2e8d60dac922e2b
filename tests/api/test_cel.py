"""Every rule and every pattern of the API is enforced by the real API server: one value passes, another is refused.

The rules and patterns are collected from the generated definitions, so that a new one without a case here fails. A
refusal breaks one thing and says so. Nothing is stored but what a rule over a change needs.
"""

import copy
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from devcluster import ControlPlane
from onboarding.adapters.client import Client
from onboarding.errors import ApiError
from onboarding.names import API_VERSION

CRDS = Path(__file__).parents[2] / "crds"
PROJECTS, POLICIES, TARGETS, DECISIONS = (
    "projectonboardings",
    "onboardingpolicies",
    "hostingtargets",
    "onboardingdecisions",
)
KINDS = {
    PROJECTS: "ProjectOnboarding",
    POLICIES: "OnboardingPolicy",
    TARGETS: "HostingTarget",
    DECISIONS: "OnboardingDecision",
}
FULL: dict[str, dict[str, Any]] = yaml.safe_load("""
projectonboardings:
  owner: {name: Ada, email: ada@example.org}
  team: {people: [{name: Ada, email: ada@example.org}], groups: {admin: ["oidc:a/b@c.d_e-f"]}}
  organisation: {name: Acme}
  repositories: [{name: app, url: "https://git.example.org:8443/a/b.git", revision: v1, path: a/b}]
  environments:
    - {name: dev, stage: dev, target: main, sites: [a], size: small, namespace: own}
    - {name: test, stage: dev, labels: {a: b}, domains: [a.example.org], resources: &resources {
        cpu: "1", memory: 1Gi, ephemeralStorage: 1Gi, storage: 1.5Gi, storageClasses: {fast: 1Gi}, pods: 5}}
onboardingpolicies:
  stages: [{name: dev, defaultSize: small, defaultTarget: main}]
  sizes: [{name: small, <<: *resources}]
  personas: [{name: admin, clusterRole: "acme:admin"}]
  container:
    request: {cpu: "1", memory: 1Gi, ephemeralStorage: 1Gi}
    limit: {cpu: "1", memory: 1Gi, ephemeralStorage: 1Gi}
  objectCounts: {secrets: 5}
  podSecurity: {version: v1.36}
hostingtargets:
  stages: [dev]
  sites:
    - name: a
      kubeconfigSecret: {name: site-a, key: kubeconfig}
      argocd: {namespace: argocd, destinationServer: "https://a.example.org:6443"}
  network:
    dns: {namespace: kube-system, podLabels: {k8s-app: kube-dns}}
    apiServer: {cidrs: [10.0.0.0/8, "fd00::/8"]}
    ingressNamespaces: [a]
    monitoringNamespaces: [b]
    loggingNamespaces: [c]
  gpuResource: nvidia.com/gpu
onboardingdecisions:
  decision: ConfirmDelete
  project: {name: shop, uid: 11111111-1111-4111-8111-111111111111}
  environment: dev
  by: {username: set by the fixture}
  reason: It has ended.
""")
"""An object with everything, by kind."""
RESOURCES = FULL[PROJECTS]["environments"][1]["resources"]
PATTERNS = {
    (PROJECTS, "spec.owner.email"): ("ada.example.org", "a b@example.org", "ada@example", "a@b@example.org"),
    (PROJECTS, "spec.repositories[].name"): ("App", "1a", "a-", "a_b", "a.b", "a\n"),
    (PROJECTS, "spec.repositories[].url"): (
        "https://me:pw@git.example.org/a",
        "file:///etc/passwd",
        "https://git.example.org/*",
        "https://git.example.org/a b",
        "https://git.example.org",
        "ext::sh -c id",
    ),
    (PROJECTS, "spec.repositories[].revision"): ("a b", "a;b", "a\n"),
    (PROJECTS, "spec.repositories[].path"): ("/a", "a b", "a*"),
    (PROJECTS, "spec.environments[].labels.*"): ("-a", "a b", "a/b"),
    (PROJECTS, "spec.environments[].resources.cpu"): ("-1", "1e3", "1.2345", "1K", "", "1 ", "1.5m"),
    (PROJECTS, "spec.environments[].domains[]"): ("example", "*.example.org", "Example.org", "a..org"),
    (PROJECTS, "spec.team.groups.*[]"): ("a,b", "a b", "a*"),
    (POLICIES, "spec.personas[].clusterRole"): ("Admin", "a b", "-a"),
    (POLICIES, "spec.podSecurity.version"): ("1.36", "v1", "newest"),
    (TARGETS, "spec.sites[].argocd.destinationServer"): ("http://a.org", "https://a.org/x", "https://*", "https://"),
    (TARGETS, "spec.sites[].kubeconfigSecret.key"): ("a/b", "a b"),
    (TARGETS, "spec.network.apiServer.cidrs[]"): ("10.0.0.0", "10.0.0.0/8 ", "any"),
    (TARGETS, "spec.gpuResource"): ("gpu", "Nvidia.com/gpu"),
    (DECISIONS, "spec.project.uid"): ("g" * 36,),
}
"""Values that a pattern refuses; they are tried at every path that has the pattern of this one."""


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


OWN_PREFIXES = ("kubernetes.io", "pod-security.kubernetes.io", "k8s.io", "projectonboarding.io", "argoproj.io")
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
    "a repository URL holds no '..'": Case("https://git.example.org/a.b", ("https://git.example.org/../b",)),
    "a path stays inside": Case("a.b", ("a/../b", "..")),
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
    "a storage class is named": Case({"fast-ssd.1": "1"}, ({"Fast": "1"}, {"a" * 64: "1"}, {"a/b": "1"})),
    "cluster-admin and system:*": Case("cluster-administrator", ("cluster-admin", "system:node")),
    "an object count is keyed": Case({"count/jobs.batch": 1}, ({"Secrets": 1}, {"a" * 101: 1}, {"a b": 1})),
    "node ports are always refused": Case({"services.loadbalancers": 1}, ({"services.nodeports": 1},)),
    "a decision is never changed": Case({}, ({"reason": "Another."}, {"environment": None}), {}),
}
"""Cases by a part of the rule's message; they are tried at every path that has the rule."""


def schema_of(plural: str) -> dict[str, Any]:
    crd = yaml.safe_load((CRDS / f"projectonboarding.io_{plural}.yaml").read_text(encoding="utf-8"))
    schema: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema with its path, without the status."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        if (path, name) != ("", "status"):
            yield from nodes(child, f"{path}.{name}".lstrip("."))
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from nodes(schema["additionalProperties"], f"{path}.*")


ALL = [(plural, path, node) for plural in KINDS for path, node in nodes(schema_of(plural))]
PATTERN_AT = {(plural, path): node["pattern"] for plural, path, node in ALL if "pattern" in node}
RULE_AT = [
    (plural, path, rule["message"]) for plural, path, node in ALL for rule in node.get("x-kubernetes-validations", [])
]
REFUSED_BY = {PATTERN_AT[place]: values for place, values in PATTERNS.items()}


def case_of(message: str) -> Case | None:
    return next((case for part, case in RULES.items() if part in message), None)


def changed(value: Any, steps: list[str], new: Any) -> Any:
    """Return a copy with a new value at a path; of a list the last item that has the field is taken."""
    if not steps:
        if isinstance(value, dict) and isinstance(new, dict):
            both = {**value, **{key: changed(value.get(key), [], item) for key, item in new.items()}}
            return {key: item for key, item in both.items() if item is not None}
        return new
    step, rest = steps[0], steps[1:]
    if step == "[]":
        fitting = [at for at, item in enumerate(value) if not rest or not isinstance(item, dict) or rest[0] in item]
        index = (fitting or [0])[-1]
        return [changed(item, rest, new) if at == index else item for at, item in enumerate(value)]
    key = next(iter(value)) if step == "*" else step
    return {**value, key: changed(value.get(key), rest, new)}


def put(plural: str, base: dict[str, Any], path: str, new: Any) -> dict[str, Any]:
    steps = [step for step in path.replace("[]", ".[]").split(".") if step]
    is_map = any("additionalProperties" in node for kind, place, node in ALL if (kind, place) == (plural, path))
    cleared = changed(copy.deepcopy(base), steps, "") if is_map else base
    return changed(cleared, steps, new)


class Server:
    """Asks the API server as the administrator; ``full`` has one valid object per kind."""

    def __init__(self, client: Client, full: dict[str, dict[str, Any]]) -> None:
        self._client = client
        self.full = full

    async def write(self, plural: str, body: dict[str, Any], *, stored: bool = False) -> dict[str, Any]:
        """Create an object, or change the one that is stored; in a dry run."""
        name, path = body["metadata"]["name"], f"/apis/{API_VERSION}/{plural}"
        query = {"dryRun": "All", "fieldValidation": "Strict"}
        if not stored:
            return await self._client.request("POST", path, query=query, body=body)
        return await self._client.request("PUT", f"{path}/{name}", query=query, body=body)

    async def refusal(self, plural: str, body: dict[str, Any], *, stored: bool = False) -> ApiError:
        with pytest.raises(ApiError) as refusal:
            await self.write(plural, body, stored=stored)
        assert refusal.value.status == 422
        assert len(refusal.value.causes) == 1, refusal.value.message
        return refusal.value

    async def store(self, plural: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self._client.request("POST", f"/apis/{API_VERSION}/{plural}", body=body)

    async def remove(self, plural: str, name: str) -> None:
        await self._client.request("DELETE", f"/apis/{API_VERSION}/{plural}/{name}")


@pytest.fixture
async def server(installed: ControlPlane) -> AsyncIterator[Server]:
    client = await Client.from_environment(str(installed.kubeconfig), patience=30)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    me = (await client.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=review))["status"]
    by = {"username": me["userInfo"]["username"], "groups": me["userInfo"].get("groups", [])}
    full = {
        plural: {"apiVersion": API_VERSION, "kind": KINDS[plural], "metadata": {"name": "cel"}, "spec": spec}
        for plural, spec in FULL.items()
    }
    full[DECISIONS] = put(DECISIONS, full[DECISIONS], "spec.by", by)
    yield Server(client, full)
    await client.close()


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    messages = {message for _, _, message in RULE_AT}
    assert [message for message in messages if case_of(message) is None] == []
    assert [part for part in RULES if not any(part in message for message in messages)] == []


def test_every_pattern_has_values_that_it_refuses() -> None:
    assert {place: pattern for place, pattern in PATTERN_AT.items() if pattern not in REFUSED_BY} == {}


@pytest.mark.parametrize("plural", KINDS)
async def test_an_object_with_everything_is_taken(server: Server, plural: str) -> None:
    taken = await server.write(plural, server.full[plural])
    assert taken["metadata"]["name"] == "cel"


@pytest.mark.parametrize(("plural", "path"), list(PATTERN_AT))
async def test_a_pattern_refuses_what_it_does_not_match(server: Server, plural: str, path: str) -> None:
    for value in REFUSED_BY[PATTERN_AT[plural, path]]:
        error = await server.refusal(plural, put(plural, server.full[plural], path, value))
        assert "should match" in error.message, (value, error.message)


@pytest.mark.parametrize(("plural", "path", "message"), RULE_AT)
async def test_a_rule_takes_one_value_and_refuses_another(server: Server, plural: str, path: str, message: str) -> None:
    case = case_of(message)
    assert case is not None
    base, stored = server.full[plural], case.old is not None
    if stored:
        base = await server.store(plural, put(plural, base, path, case.old))
    try:
        await server.write(plural, put(plural, base, path, case.good), stored=stored)
        for value in case.bad:
            error = await server.refusal(plural, put(plural, base, path, value), stored=stored)
            assert message in error.message, (value, error.message)
    finally:
        if stored:
            await server.remove(plural, "cel")
