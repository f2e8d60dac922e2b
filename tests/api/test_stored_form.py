"""The builders write what the API server stores, so that what is in place never looks like drift."""

import copy
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from devcluster import ControlPlane
from onboarding.adapters.client import Client
from onboarding.api.common import Quantity
from onboarding.api.quantities import canonical
from onboarding.build.kinds import Wanted
from onboarding.build.quota import build_quota
from onboarding.build.revision import Owner, Revision
from onboarding.build.wanted import build_wanted
from onboarding.reconcile.apply.diff import diff_object
from onboarding.reconcile.observed.cached_object import cached_object_of
from tests.support.account import lists_of_golden_files
from tests.support.operator import ACCOUNT, NAMESPACE

INPUTS = Path(__file__).parents[1] / "golden" / "input"
INPUT = INPUTS / "everything.yaml"
OWNER = Owner("stored-form", "stored", "11111111-1111-4111-8111-111111111111")
STRICT = {"fieldValidation": "Strict", "fieldManager": "project-onboarding-operator"}


def revisions() -> list[Revision]:
    """Return the golden revisions that between them use every field, on the hub in namespaces of our own."""
    found = []
    for name in ("everything", "flows-kubernetes", "flows-openshift", "sources", "windows"):
        for given in yaml.safe_load((INPUTS / f"{name}.yaml").read_text(encoding="utf-8"))["revisions"]:
            environment = f"{name}-{given['environment']}"
            own = {"environment": environment, "namespace": f"stored-{environment}"}
            found.append(Revision.model_validate({**given, **own}))
    return found


def everything() -> list[Wanted]:
    """Build everything from these revisions."""
    return build_wanted(OWNER, revisions())


WANTED = everything()
SAMPLES = (
    *("0", "0.0", "1", "1000m", "1500m", "1.5", "0.25", "0.001", "1.10", "1000", "2000", "1500", "123456"),
    *("1000000", "1.5k", "1000k", "0.5M", "999999999999999", "999999999999999m", "512", "1024", "0Ki"),
    *("0.5Ki", "1Ki", "1023Ki", "1024Ki", "1000Mi", "1024Mi", "1.5Mi", "0.5Gi", "1.5Gi", "0.25Ti", "1023Gi", "1024Gi"),
    *("9999P", "1024Pi"),
)
"""Quantities of every form that the API takes."""
OTHERWISE = ("007", "1.234G", "0.1Gi", "1.001Ki", "0.001Ki", "0.001Mi", "0.001Gi", "0.999Ki")
"""The API server keeps these as they are written; we write another form of them, and fractions of a byte as a whole."""
BEYOND = ("99999P", "8192Pi", "99999999Ti")
"""More than Kubernetes can hold."""


@pytest.fixture(scope="module", autouse=True)
def lists(installed: ControlPlane) -> Iterator[None]:
    """Let the operator's account write what the golden files have."""
    with lists_of_golden_files(installed):
        yield


@pytest.fixture
async def account(installed: ControlPlane) -> AsyncIterator[Client]:
    """A client that acts as the operator's account."""
    kubeconfig = installed.kubeconfig_for_service_account(NAMESPACE, ACCOUNT)
    client = await Client.from_environment(str(kubeconfig), request_timeout=30)
    yield client
    await client.close()


async def create(client: Client, item: Wanted, **query: str) -> dict[str, Any]:
    path = item.key.kind.path(item.key.namespace)
    return await client.request("POST", path, query={**STRICT, **query}, body=item.manifest)


@pytest.fixture
async def admin(installed: ControlPlane) -> AsyncIterator[Client]:
    client = await Client.from_environment(str(installed.kubeconfig), request_timeout=30)
    yield client
    await client.close()


async def stored(client: Client, quantity: str, resource: str = "requests.memory") -> str:
    """Return a quantity as the API server gives it back in a ResourceQuota."""
    body = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "quantities"},
        "spec": {"hard": {resource: quantity}},
    }
    path = "/api/v1/namespaces/default/resourcequotas"
    answer = await client.request("POST", path, query={"dryRun": "All", "fieldValidation": "Strict"}, body=body)
    form: str = answer["spec"]["hard"][resource]
    return form


async def test_what_is_built_is_what_is_stored(account: Client) -> None:
    try:
        for item in WANTED:
            made = await create(account, item)
            difference = diff_object(item, cached_object_of(item.key.kind, made))
            assert difference is None, difference
        for item in WANTED:
            found = await account.request("GET", item.key.kind.path(item.key.namespace, item.key.name))
            difference = diff_object(item, cached_object_of(item.key.kind, found))
            assert difference is None, difference
    finally:
        for item in reversed(WANTED):
            await account.request("DELETE", item.key.kind.path(item.key.namespace, item.key.name))


def test_a_difference_would_be_seen() -> None:
    for item in WANTED:
        changed = copy.deepcopy(item.manifest)
        changed["metadata"] |= {"uid": "u", "resourceVersion": "1"}
        changed["metadata"]["labels"].pop("projectonboarding.io/project-uid")
        changed["metadata"]["labels"]["projectonboarding.io/project-uid"] = "another"
        assert diff_object(item, cached_object_of(item.key.kind, changed)) is not None


async def test_our_quantities_have_the_servers_form(admin: Client) -> None:
    assert {sample: await stored(admin, sample) for sample in SAMPLES} == {
        sample: canonical(sample) for sample in SAMPLES
    }


@pytest.mark.parametrize("samples", [SAMPLES, OTHERWISE], ids=["every form", "kept as written"])
async def test_the_form_that_we_write_is_the_form_that_is_stored(admin: Client, samples: tuple[str, ...]) -> None:
    ours = [canonical(sample) for sample in samples]
    assert [await stored(admin, form) for form in ours] == ours


@pytest.mark.parametrize("sample", BEYOND)
def test_more_than_kubernetes_can_hold_is_refused_by_the_schema(sample: str) -> None:
    """What the server would cut to 2**63-1 would be patched for ever."""
    with pytest.raises(ValidationError):
        TypeAdapter(Quantity).validate_python(sample)


async def test_a_storage_class_is_written_in_whole_bytes(admin: Client) -> None:
    """The API server takes no fraction in the quota of a class, and the API lets a project write one."""
    base = Revision.model_validate(yaml.safe_load(INPUT.read_text(encoding="utf-8"))["revisions"][0])
    for amount in ("0.1Gi", "0.001Ki", "1500m", "0.25"):
        resources = base.resources.model_copy(update={"storage_classes": {"fast": amount}})
        hard = build_quota(OWNER, base.model_copy(update={"resources": resources}))["spec"]["hard"]
        key = "fast.storageclass.storage.k8s.io/requests.storage"
        assert await stored(admin, hard[key], key) == hard[key]
