"""A container that names nothing can always start: its limit fits the quota and its request fits its limit."""

import random
from itertools import product

import pytest

from onboarding.api.common import Amounts, Resources
from onboarding.api.policy import Container
from onboarding.build.limits import build_limits
from onboarding.build.quantities import canonical, milli
from onboarding.build.quota import build_quota
from tests.unit.worlds import OWNER, environment, revisions, spec_of

BASE = revisions(spec_of(environment()))[0]
SUFFIXES = ("", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti")


def drawn(dice: random.Random) -> str:
    """Draw a quantity that the API takes."""
    suffix = dice.choice(SUFFIXES)
    fraction = "" if suffix == "m" else dice.choice(("", f".{dice.randint(0, 999)}"))
    return f"{dice.randint(0, 4000)}{fraction}{suffix}"


def amounts(dice: random.Random) -> dict[str, str]:
    return {field: drawn(dice) for field in ("cpu", "memory", "ephemeral_storage")}


def built(resources: Resources, container: Container) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Return default limit, default request and quota."""
    revision = BASE.model_copy(update={"resources": resources, "container": container})
    (item,) = build_limits(OWNER, revision)["spec"]["limits"]
    return item["default"], item["defaultRequest"], build_quota(OWNER, revision)["spec"]["hard"]


@pytest.mark.parametrize("seed", range(200))
def test_the_limit_fits_the_quota_and_the_request_fits_the_limit(seed: int) -> None:
    dice = random.Random(seed)
    container = Container(request=Amounts(**amounts(dice)), limit=Amounts(**amounts(dice)))
    limit, request, quota = built(Resources(**amounts(dice), storage=drawn(dice), pods=3), container)
    for resource in ("cpu", "memory", "ephemeral-storage"):
        assert milli(request[resource]) <= milli(limit[resource]) <= milli(quota[f"limits.{resource}"])
        assert canonical(limit[resource]) == limit[resource]
        assert canonical(request[resource]) == request[resource]


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
    container = Container(
        request=Amounts(cpu=request_, memory="1", ephemeral_storage="1"),
        limit=Amounts(cpu=limit, memory="1", ephemeral_storage="1"),
    )
    limits, requests, _ = built(Resources(cpu=quota, memory="1", ephemeral_storage="1", storage="1", pods=1), container)
    assert (limits["cpu"], requests["cpu"]) == expected


@pytest.mark.parametrize(
    ("kind", "resource"), list(product(("requests", "limits"), ("cpu", "memory", "ephemeral-storage")))
)
def test_the_quota_promises_nothing_twice(kind: str, resource: str) -> None:
    hard = build_quota(OWNER, BASE)["spec"]["hard"]
    assert hard[f"{kind}.{resource}"] == hard[f"requests.{resource}"]
    assert hard["services.nodeports"] == "0"
