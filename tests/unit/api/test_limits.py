"""A container that names nothing can always start: its limit fits the quota and its request fits its limit."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.api.common import Amounts, Resources
from onboarding.api.policy import ContainerDefaults
from onboarding.api.quantities import canonical, milli
from onboarding.build.limits import build_limits
from onboarding.build.quota import build_quota
from tests.unit.snapshots import OWNER, environment, revisions, spec_of

BASE = revisions(spec_of(environment()))[0]
SUFFIXES = ("", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti")


@st.composite
def quantities(draw: st.DrawFn) -> str:
    """Draw a quantity that the API takes."""
    suffix = draw(st.sampled_from(SUFFIXES))
    fraction = "" if suffix == "m" else draw(st.just("") | st.integers(0, 999).map(".{}".format))
    return f"{draw(st.integers(0, 4000))}{fraction}{suffix}"


AMOUNTS = st.fixed_dictionaries(dict.fromkeys(("cpu", "memory", "ephemeral_storage"), quantities()))
BOUNDS = AMOUNTS.map(lambda given: Amounts(**given))
CONTAINERS = st.builds(
    ContainerDefaults, request=BOUNDS, limit=BOUNDS, minimum=st.none() | BOUNDS, maximum=st.none() | BOUNDS
)


def built(resources: Resources, container: ContainerDefaults) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Return the amounts of a container and the quota."""
    revision = BASE.model_copy(update={"resources": resources, "container": container})
    (item,) = build_limits(OWNER, revision)["spec"]["limits"]
    return item, build_quota(OWNER, revision)["spec"]["hard"]


@given(AMOUNTS, quantities(), CONTAINERS)
def test_the_limit_fits_quota_and_maximum_and_the_request_fits_the_limit(
    amounts: dict[str, str], storage: str, container: ContainerDefaults
) -> None:
    item, quota = built(Resources(**amounts, storage=storage, pods=3), container)
    request, limit = item["defaultRequest"], item["default"]
    for resource in ("cpu", "memory", "ephemeral-storage"):
        most = item.get("max", {}).get(resource, limit[resource])
        assert milli(request[resource]) <= milli(limit[resource]) <= milli(quota[f"limits.{resource}"])
        assert milli(limit[resource]) <= milli(most)
        for amount in (limit[resource], request[resource], most):
            assert canonical(amount) == amount


@pytest.mark.parametrize(
    ("quota", "limit", "request_", "expected"),
    [
        ("4", "1", "100m", ("1", "100m")),
        ("500m", "1", "100m", ("500m", "100m")),
        ("50m", "1", "100m", ("50m", "50m")),
        ("4", "1", "2", ("1", "1")),
        ("0", "1", "100m", ("0", "0")),
    ],
    ids=["nothing is cut", "limit cut", "both cut", "request above limit", "nothing allowed"],
)
def test_defaults_are_cut_only_where_they_do_not_fit(
    quota: str, limit: str, request_: str, expected: tuple[str, str]
) -> None:
    container = ContainerDefaults(
        request=Amounts(cpu=request_, memory="1", ephemeral_storage="1"),
        limit=Amounts(cpu=limit, memory="1", ephemeral_storage="1"),
    )
    item, _ = built(Resources(cpu=quota, memory="1", ephemeral_storage="1", storage="1", pods=1), container)
    assert (item["default"]["cpu"], item["defaultRequest"]["cpu"]) == expected
    assert item.keys() == {"type", "default", "defaultRequest"}


def test_bounds_of_the_policy_are_written_as_they_are() -> None:
    """Only defaults are cut: a bound beyond the quota says nothing that the quota does not say."""
    ones = Amounts(cpu="1", memory="1", ephemeral_storage="1")
    bounds = {"minimum": Amounts(cpu="0.1", memory="1Ki", ephemeral_storage="0"), "maximum": ones}
    container = ContainerDefaults(request=ones, limit=Amounts(cpu="4", memory="1", ephemeral_storage="1"), **bounds)
    item, _ = built(Resources(cpu="500m", memory="1", ephemeral_storage="1", storage="1", pods=1), container)
    assert item["min"] == {"cpu": "100m", "memory": "1Ki", "ephemeral-storage": "0"}
    assert item["max"] == {"cpu": "1", "memory": "1", "ephemeral-storage": "1"}
    assert item["default"]["cpu"] == "500m"


def test_a_quota_counts_gpus_and_storage_by_class() -> None:
    classes = {"fast": "1.5Gi", "archive": "1500m"}
    resources = BASE.resources.model_copy(update={"gpu": 2, "storage_classes": classes})
    _, quota = built(resources, BASE.container)
    assert quota["requests.nvidia.com/gpu"] == "2"
    assert quota["fast.storageclass.storage.k8s.io/requests.storage"] == "1536Mi"
    assert quota["archive.storageclass.storage.k8s.io/requests.storage"] == "2"


@pytest.mark.parametrize(
    ("kind", "resource"), list(product(("requests", "limits"), ("cpu", "memory", "ephemeral-storage")))
)
def test_the_quota_promises_nothing_twice(kind: str, resource: str) -> None:
    hard = build_quota(OWNER, BASE)["spec"]["hard"]
    assert hard[f"{kind}.{resource}"] == hard[f"requests.{resource}"]
    assert hard["services.nodeports"] == "0"
