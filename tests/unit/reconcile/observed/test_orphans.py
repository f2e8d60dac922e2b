"""Objects of projects that do not exist are counted by cluster and project, and nothing else is."""

import pytest

from onboarding.build.revision import Owner
from onboarding.reconcile.observed.orphans import by_project, find_orphans

LIVING = {("shop", "u1"), ("mail", "u2")}
SHOP, MAIL = Owner("one", "shop", "u1"), Owner("one", "mail", "u2")
GONE, FORMER, THEIRS = Owner("one", "ghost", "u3"), Owner("one", "shop", "u0"), Owner("two", "ghost", "u3")


def exists(name: str, uid: str) -> bool:
    return (name, uid) in LIVING


CASES: dict[str, tuple[dict[str, dict[Owner, int]], dict[str, dict[str, int]]]] = {
    "nothing": ({}, {}),
    "only what is governed": ({"hub": {SHOP: 9, MAIL: 3}, "far": {SHOP: 9}}, {}),
    "a project that is gone": ({"hub": {SHOP: 9, GONE: 7}, "far": {GONE: 5}}, {"ghost": {"far": 5, "hub": 7}}),
    "a former one of the same name": ({"hub": {SHOP: 9, FORMER: 2}}, {"shop": {"hub": 2}}),
    "both UIDs of a name": ({"hub": {FORMER: 2, Owner("one", "shop", "u9"): 4}}, {"shop": {"hub": 6}}),
    "another installation's": ({"hub": {THEIRS: 7}}, {}),
}


@pytest.mark.parametrize(("clusters", "orphans"), CASES.values(), ids=CASES)
def test_what_has_no_project_is_counted(
    clusters: dict[str, dict[Owner, int]], orphans: dict[str, dict[str, int]]
) -> None:
    found = find_orphans("one", clusters, exists)
    assert found.keys() == clusters.keys(), "a cluster without any is told as well"
    assert by_project(found) == orphans
