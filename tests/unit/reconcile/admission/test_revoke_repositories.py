"""A repository that changes its URL keeps the former one until then, if the policy still lets the project name it."""

from typing import Any

import pytest

from onboarding.reconcile.admission.revocation import revoke
from tests.unit.snapshots import GIT, environment, policy_of, revisions, spec_of

SETTINGS = "https://git.example.org/settings.git"
APP = {"name": "app", "url": GIT}
(ADMITTED,) = revisions(spec_of(environment(), repositories=[APP]))
RESERVED = {"name": "theirs", "secret": "theirs", "prefixes": ["https://git.example.org/"], "projects": ["bank"]}
POLICIES: dict[str, tuple[dict[str, Any], bool]] = {
    "takes every URL": ({}, True),
    "takes the former URL": ({"repositoryPrefixes": ["https://git.example.org/"]}, True),
    "takes the former URL no longer": ({"repositoryPrefixes": [SETTINGS]}, False),
    "reserves the former URL for others": ({"credentials": [RESERVED]}, False),
    "reserves the former URL for the project": ({"credentials": [{**RESERVED, "projects": ["shop"]}]}, True),
}


@pytest.mark.parametrize(("delivery", "stays"), POLICIES.values(), ids=POLICIES)
def test_a_url_that_changes_stays_until_then_if_the_policy_still_takes_it(delivery: Any, *, stays: bool) -> None:
    policy = policy_of(delivery=delivery)
    moved = spec_of(environment(), repositories=[{**APP, "url": SETTINGS}])
    kept = revoke(ADMITTED, moved, policy, "shop").repositories
    assert [item.url for item in kept] == ([GIT] if stays else [])
    same = revoke(ADMITTED, spec_of(environment(), repositories=[APP]), policy, "shop").repositories
    assert [item.url for item in same] == [GIT]
