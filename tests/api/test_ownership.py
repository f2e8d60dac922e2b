"""What we make stays as we make it: whatever is added to it, edited or deleted is put right, on every kind and field.

The fields come from the schemas that the API server publishes, so that a field of a new version is tried too.
"""

import asyncio
import json
import urllib.parse
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from devcluster import ControlPlane
from onboarding import names
from onboarding.adapters.client import MERGE_PATCH, Client
from onboarding.build.kinds import CHILD_KINDS, NAMESPACE, SERVICE_ACCOUNT, ChildKind
from onboarding.errors import ApiError
from onboarding.reconcile.apply.repeated import MOST_REPAIRS
from tests.support.installing import apply, project, wait_ready
from tests.support.operator import OperatorProcess

NAME = "owned"
MINE = f"{names.LABEL_PROJECT}={NAME}"
IDENTITY = {"apiVersion", "kind", "metadata", "status", "operation"}
GIT = "https://git.example.org/owned.git"
SPEC: dict[str, Any] = {
    "team": {"groups": {"admin": ["owned-admins"]}},
    "repositories": [{"name": "app", "url": GIT}],
    "environments": [{"name": "dev", "stage": "dev", "labels": {"owned.projects/tier": "web"}}],
}
ROUND = "owned.projects/round"
"""A label of the project's own."""
SPECIAL: dict[tuple[str, str], Any] = {
    ("LimitRange", "spec.limits"): [{"type": "Pod", "max": {"cpu": "9"}}],
    ("NetworkPolicy", "spec.ingress"): [{}],
    ("NetworkPolicy", "spec.egress"): [{}],
    ("NetworkPolicy", "spec.policyTypes"): ["Ingress"],
    ("NetworkPolicy", "spec.podSelector"): {"matchLabels": {"a": "b"}},
    ("ResourceQuota", "spec.hard"): {"count/roles.rbac.authorization.k8s.io": "9", "pods": "999"},
    ("ResourceQuota", "spec.scopes"): None,
    ("ResourceQuota", "spec.scopeSelector"): None,
    ("RoleBinding", "roleRef"): None,
    ("RoleBinding", "subjects"): [{"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"}],
    ("Application", "spec.sources"): [{"repoURL": "https://evil.example.org/x.git"}],
}
"""Foreign values for fields whose schema says too little; None where the API server lets nobody change the field."""


def schema_value(schema: dict[str, Any], document: dict[str, Any], depth: int = 0) -> Any:
    """Return some value that a schema allows."""
    schema = resolved(schema, document)
    if "enum" in schema:
        return schema["enum"][-1]
    match schema.get("type", "object"):
        case "string":
            return "2026-01-02T03:04:05Z" if schema.get("format") == "date-time" else "foreign"
        case "integer" | "number":
            return max(int(schema.get("minimum", 0)), 7)
        case "boolean":
            return True
        case "array":
            return [schema_value(schema.get("items", {}), document, depth + 1)]
    required = schema.get("required", ())
    found = {key: schema_value(schema["properties"][key], document, depth + 1) for key in required}
    if not found and "properties" in schema and depth < 6:
        key = next(iter(schema["properties"]))
        found = {key: schema_value(schema["properties"][key], document, depth + 1)}
    if not found and "additionalProperties" in schema:
        found = {"foreign": schema_value(schema["additionalProperties"], document, depth + 1)}
    return found


def resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """Follow the references of a schema."""
    for part in schema.get("allOf", ()):
        schema = {**resolved(part, document), **{key: value for key, value in schema.items() if key != "allOf"}}
    if "$ref" in schema:
        found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        return resolved(found, document)
    return schema


def fields(kind: ChildKind, document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield every field at the top and within spec, with a foreign value that its schema allows."""
    (schema,) = [
        item
        for item in document["components"]["schemas"].values()
        for gvk in item.get("x-kubernetes-group-version-kind", ())
        if (gvk["group"], gvk["version"], gvk["kind"]) == (kind.group, kind.version, kind.kind)
    ]
    for name, child in schema["properties"].items():
        if name == "spec":
            for inner, field in resolved(child, document)["properties"].items():
                yield f"spec.{inner}", schema_value(field, document)
        elif name not in IDENTITY:
            yield name, schema_value(child, document)


class Cluster:
    """Reads and writes as the administrator, who may go around the guard rails."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def managed(self, kind: ChildKind) -> list[dict[str, Any]]:
        """Return the project's objects of a kind."""
        page = await self.client.request("GET", kind.path(), query={"labelSelector": MINE})
        return [{"apiVersion": kind.api_version, "kind": kind.kind, **item} for item in page["items"]]

    async def everything(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {
            (kind.kind, item["metadata"]["name"]): item for kind in CHILD_KINDS for item in await self.managed(kind)
        }

    async def declare_anew(self) -> None:
        """Change the declaration, so that what was repaired before counts as no fight over an object."""
        (environment,) = SPEC["environments"]
        labels = {**environment["labels"], ROUND: uuid.uuid4().hex[:8]}
        path = f"/apis/{names.API_VERSION}/projectonboardings/{NAME}"
        body = {"spec": {"environments": [{**environment, "labels": labels}]}}
        await self.client.request("PATCH", path, body=body, content_type=MERGE_PATCH)
        async with asyncio.timeout(20):
            while (await self.managed(NAMESPACE))[0]["metadata"]["labels"].get(ROUND) != labels[ROUND]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def patch(self, kind: ChildKind, item: dict[str, Any], patch: Any) -> dict[str, Any]:
        return await self.client.request("PATCH", self.path(kind, item), body=patch, content_type=MERGE_PATCH)

    async def get(self, kind: ChildKind, item: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return await self.client.request("GET", self.path(kind, item))
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    def made_anew(self, found: dict[str, Any], item: dict[str, Any]) -> bool:
        return found["metadata"]["uid"] != item["metadata"]["uid"]

    def path(self, kind: ChildKind, item: dict[str, Any]) -> str:
        return kind.path(item["metadata"].get("namespace", ""), item["metadata"]["name"])

    async def until_as(self, kind: ChildKind, item: dict[str, Any], what: str, *, anew: bool = False) -> dict[str, Any]:
        """Wait until an object is what it was, be it the same one or, where asked for, one that was made anew."""
        found: dict[str, Any] | None = None
        try:
            async with asyncio.timeout(20):
                while True:
                    found = await self.get(kind, item)
                    if found and content(found) == content(item) and self.made_anew(found, item) >= anew:
                        return found
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"{what} of {self.path(kind, item)} stays: {json.dumps(found)}") from None


def content(item: dict[str, Any]) -> dict[str, Any]:
    """Return what of an object must stay the same."""
    metadata = item["metadata"]
    ours = {
        field: {key: value for key, value in (metadata.get(field) or {}).items() if not key.startswith("foreign.org/")}
        for field in ("labels", "annotations")
    }
    return {key: value for key, value in item.items() if key not in IDENTITY} | ours


@pytest.fixture(scope="module")
def ready(installed: ControlPlane, operator: OperatorProcess) -> Iterator[ControlPlane]:
    """A project that is in place."""
    apply(installed, project(NAME, **SPEC))
    wait_ready(installed, NAME)
    yield installed
    installed.kubectl("delete", "projectonboarding", NAME, "--timeout=60s")


@pytest.fixture
async def cluster(ready: ControlPlane) -> AsyncIterator[Cluster]:
    client = await Client.from_environment(str(ready.kubeconfig), request_timeout=30)
    cluster = Cluster(client)
    await cluster.declare_anew()
    yield cluster
    await client.close()


async def document_of(cluster: Cluster, kind: ChildKind) -> dict[str, Any]:
    group = f"apis/{kind.group}/{kind.version}" if kind.group else f"api/{kind.version}"
    return await cluster.client.request("GET", f"/openapi/v3/{urllib.parse.quote(group)}")


@pytest.mark.parametrize("kind", [kind for kind in CHILD_KINDS if kind is not NAMESPACE], ids=lambda kind: kind.kind)
async def test_a_foreign_value_at_any_field_is_removed(cluster: Cluster, kind: ChildKind) -> None:
    tried, refused = [], []
    items = await cluster.managed(kind)
    for item in items[:1] + items[1:][-1:]:
        for path, generic in fields(kind, await document_of(cluster, kind)):
            value = SPECIAL.get((kind.kind, path), generic)
            if value is None:
                continue
            patch: Any = value
            for step in reversed(path.split(".")):
                patch = {step: patch}
            try:
                changed = await cluster.patch(kind, item, patch)
            except ApiError as error:
                refused.append(f"{path}: {error}")
                continue
            assert content(changed) != content(item), f"{path}: nothing was changed by {value!r}"
            tried.append(path)
            await cluster.until_as(kind, item, path)
            if len(tried) % MOST_REPAIRS == 0:
                await cluster.declare_anew()
    assert tried
    assert refused == []


@pytest.mark.parametrize("kind", CHILD_KINDS, ids=lambda kind: kind.kind)
async def test_our_labels_are_restored_and_those_of_others_kept(cluster: Cluster, kind: ChildKind) -> None:
    for item in await cluster.managed(kind):
        label = {names.LABEL_ENVIRONMENT: "other", names.LABEL_MANAGED_BY: None, "foreign.org/team": "blue"}
        note = {"foreign.org/note": "x"}
        await cluster.patch(kind, item, {"metadata": {"labels": label, "annotations": note}})
        found = await cluster.until_as(kind, item, "a label")
        assert found["metadata"]["labels"]["foreign.org/team"] == "blue"
        assert found["metadata"]["annotations"]["foreign.org/note"] == "x"


@pytest.mark.parametrize(
    ("labels", "annotations"),
    [
        ({f"{names.POD_SECURITY_PREFIX}enforce": "privileged"}, {}),
        ({f"{names.POD_SECURITY_PREFIX}audit": None}, {}),
        ({names.LABEL_STAGE: "prod"}, {}),
        ({"owned.projects/tier": "other"}, {}),
        ({f"{names.GROUP}/extra": "x"}, {}),
        ({}, {names.ANNOTATION_ADMITTED: "{}"}),
        ({}, {names.ANNOTATION_ADMITTED: None}),
        ({}, {f"{names.GROUP}/extra": "x"}),
    ],
)
async def test_a_namespace_keeps_its_identity_and_its_pod_security(
    cluster: Cluster, labels: Any, annotations: Any
) -> None:
    (namespace,) = await cluster.managed(NAMESPACE)
    await cluster.patch(NAMESPACE, namespace, {"metadata": {"labels": labels, "annotations": annotations}})
    await cluster.until_as(NAMESPACE, namespace, "a change")


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        (names.LABEL_INSTALLATION, "Conflict"),
        (names.LABEL_PROJECT, "Conflict"),
        (names.LABEL_PROJECT_UID, "FormerIncarnation"),
    ],
)
async def test_an_object_that_another_claims_is_a_conflict_until_it_is_given_back(
    cluster: Cluster, ready: ControlPlane, label: str, reason: str
) -> None:
    """Without our labels nothing proves that it is ours: it is left alone and named."""
    (account,) = await cluster.managed(SERVICE_ACCOUNT)
    before = account["metadata"]["labels"][label]
    await cluster.patch(SERVICE_ACCOUNT, account, {"metadata": {"labels": {label: "other"}}})
    condition = await asyncio.to_thread(wait_ready, ready, NAME, status="False", reason=reason)
    assert "ServiceAccount project-onboarding-sync/owned-dev" in condition["message"]
    await cluster.patch(SERVICE_ACCOUNT, account, {"metadata": {"labels": {label: before}}})
    await cluster.until_as(SERVICE_ACCOUNT, account, label)
    await asyncio.to_thread(wait_ready, ready, NAME)


@pytest.mark.parametrize(
    "kind", [*(kind for kind in CHILD_KINDS if kind is not NAMESPACE), NAMESPACE], ids=lambda k: k.kind
)
async def test_what_is_deleted_comes_back(cluster: Cluster, kind: ChildKind) -> None:
    everything = await cluster.everything()
    for item in await cluster.managed(kind):
        await cluster.client.request("DELETE", cluster.path(kind, item))
        await cluster.until_as(kind, item, "the deletion", anew=True)
    for (name, _), item in everything.items():
        await cluster.until_as(next(kind for kind in CHILD_KINDS if kind.kind == name), item, "a loss")


async def test_declaring_the_same_again_writes_nothing(cluster: Cluster, ready: ControlPlane) -> None:
    wait_ready(ready, NAME)
    before = await cluster.everything()
    assert {kind for kind, _ in before} == {kind.kind for kind in CHILD_KINDS}
    declared = await cluster.client.request("GET", f"/apis/{names.API_VERSION}/projectonboardings/{NAME}")
    apply(ready, project(NAME, **{**SPEC, "environments": declared["spec"]["environments"]}))
    touched = {"metadata": {"annotations": {"foreign.org/touched": "yes"}}}
    path = f"/apis/{names.API_VERSION}/projectonboardings/{NAME}"
    await cluster.client.request("PATCH", path, body=touched, content_type=MERGE_PATCH)
    apply(ready, project(f"{NAME}-two"))
    wait_ready(ready, f"{NAME}-two")
    after = await cluster.everything()
    ready.kubectl("delete", "projectonboarding", f"{NAME}-two", "--timeout=60s")
    assert {key: item["metadata"]["resourceVersion"] for key, item in after.items()} == {
        key: item["metadata"]["resourceVersion"] for key, item in before.items()
    }
