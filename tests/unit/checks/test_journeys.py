"""The maximum size of a journey is above every way to write a size, and never takes away what is there."""

from typing import Any

import pytest

from onboarding.checks.inputs import CapacityInputs, Headroom
from onboarding.checks.journeys import size_fits_the_journey
from tests.unit.snapshots import environment, inputs_of, policy_of, spec_of

SMALL = {"cpu": "2", "memory": "4Gi", "ephemeralStorage": "8Gi", "storage": "10Gi", "pods": 20}
FAST = {**SMALL, "name": "fast", "storageClasses": {"ssd": "5Gi"}}
LARGE = {**SMALL, "name": "large", "cpu": "8", "gpu": 2}
KEY = "ssd.storageclass.storage.k8s.io/requests.storage"


def given(maximum: str | None = "fast", current: Any = None, journey: str | None = "trial", **fields: Any) -> Any:
    policy = policy_of(
        {"name": "build", "opens": [{"stages": ["dev", "prod"]}]},
        sizes=[FAST, {**SMALL, "name": "small"}, LARGE],
        journeyRules=[
            {"name": "trial", "lastGate": "build", "maximumSize": maximum},
            {"name": "long", "lastGate": "build"},
        ],
    )
    spec = spec_of(environment(**fields), journey=journey)
    return CapacityInputs(inputs_of(spec, policy=policy), Headroom(current=current or {}))


PASSES: dict[str, Any] = {
    "the maximum itself": given(size="fast"),
    "the same amounts, written in another way": given(
        resources={**SMALL, "cpu": "2000m", "memory": "4096Mi", "storageClasses": {"ssd": "5120Mi"}}
    ),
    "less of everything": given(resources={**SMALL, "cpu": "1", "storage": "5Gi", "pods": 1}),
    "a class that the maximum does not bound": given(
        resources={**SMALL, "storageClasses": {"ssd": "1Gi", "slow": "9Gi"}}
    ),
    "a journey without a maximum": given(size="large", journey="long"),
    "no journey": given(size="large", journey=None),
    "an environment that has as much": given(
        size="large", current={"a": {"requests.cpu": "8", "requests.nvidia.com/gpu": "2", "requests.storage": "10Gi"}}
    ),
    "an environment that shrinks towards it": given(
        resources={**SMALL, "cpu": "3", "storageClasses": {"ssd": "5Gi"}}, current={"a": {"requests.cpu": "8"}}
    ),
}
FAILS: dict[str, tuple[Any, str]] = {
    "another size": (given(size="large"), "cpu 8, at most 2, gpu"),
    "a GPU in explicit resources": (given("small", resources={**SMALL, "gpu": 1}), "nvidia.com/gpu 1, at most 0"),
    "one amount": (given("small", resources={**SMALL, "cpu": "2001m"}), "cpu 2001m, at most 2"),
    "storage": (given("small", resources={**SMALL, "storage": "11Gi"}), "storage 11Gi, at most 10Gi"),
    "pods": (given("small", resources={**SMALL, "pods": 21}), "pods 21, at most 20"),
    "a class without an amount may take all of the storage": (given(size="small"), f"{KEY} 10Gi, at most 5Gi"),
    "a class with a larger amount": (
        given(resources={**SMALL, "storageClasses": {"ssd": "6Gi"}}),
        f"{KEY} 6Gi, at most 5Gi",
    ),
    "growth of what is above it already": (given("small", size="large", current={"a": {"requests.cpu": "4"}}), "cpu 8"),
    "a site more": (
        given("small", size="large", target="twin", current={"a": {"requests.cpu": "8"}}),
        "cpu 8, at most 2",
    ),
}


@pytest.mark.parametrize("inputs", PASSES.values(), ids=PASSES)
def test_what_is_not_above_the_maximum_or_is_there_already_passes(inputs: Any) -> None:
    assert size_fits_the_journey.run(inputs) is None


@pytest.mark.parametrize(("inputs", "words"), FAILS.values(), ids=FAILS)
def test_what_grows_above_the_maximum_is_found_with_both_amounts(inputs: Any, words: str) -> None:
    found = size_fits_the_journey.run(inputs)
    assert found is not None
    assert words.split(", gpu", maxsplit=1)[0] in found.message
    assert "the maximum of journey 'trial'" in found.message
    assert "set spec.environments[].size to one of: " in found.remedy
