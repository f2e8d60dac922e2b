"""Every right of the operator is used by this suite, or has a reason: its audit logs are compared with its roles.

It runs behind all others of this folder, see conftest.py.
"""

from typing import Final

import pytest

from tests.e2e.conftest import HERE, Planes
from tests.support.asked import never_asked, rights

SITE: Final = "project-onboarding-operator-site"
REASONS: Final[dict[str, str]] = {
    f"{SITE}: bind clusterroles.rbac.authorization.k8s.io": "the API server asks for it where a RoleBinding is made",
}
"""Why there is a right that nothing here asks for."""


def test_every_right_is_used_or_has_a_reason(planes: Planes, request: pytest.FixtureRequest) -> None:
    here = {item.path.name for item in request.session.items if item.path.parent == HERE}
    if here != {path.name for path in HERE.glob("test_*.py")} or request.config.getoption("keyword"):
        pytest.skip("only a part of tests/e2e runs, which does not use every right")
    unused = {str(right) for right in never_asked(planes.heard(), rights())}
    assert unused - REASONS.keys() == set(), "take these rights away, or say in REASONS what they are for"
    assert REASONS.keys() - unused == set(), "these are used after all: take them out of REASONS"


def test_every_reason_is_about_a_right() -> None:
    assert REASONS.keys() <= {str(right) for right in rights()}
