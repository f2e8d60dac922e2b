"""Every right of the operator is used by this suite, or has a reason: its audit logs are compared with its roles.

It runs behind all others of this folder, see conftest.py.
"""

from typing import Final

import pytest

from tests.e2e.conftest import HERE, Planes
from tests.support.asked import never_asked, rights

SITE: Final = "project-onboarding-operator-site"
MET: Final = "reads what a creation meets and the cache does not hold, which is a matter of moments"
SECOND: Final = "prunes one with the labels of a project that nothing builds; the others go with their namespace"
REASONS: Final[dict[str, str]] = {
    f"{SITE}: bind clusterroles.rbac.authorization.k8s.io": "the API server asks for it where a RoleBinding is made",
    f"{SITE}: get resourcequotas": MET,
    f"{SITE}: get limitranges": MET,
    f"{SITE}: get networkpolicies.networking.k8s.io": MET,
    f"{SITE}: delete resourcequotas": SECOND,
    f"{SITE}: delete limitranges": SECOND,
    f"{SITE}: patch serviceaccounts": "repairs what a holder of bypass has changed, such as the mounting of its token",
}
"""Why there is a right that nothing here may ask for."""


def test_every_right_is_used_or_has_a_reason(planes: Planes, request: pytest.FixtureRequest) -> None:
    here = {item.path.name for item in request.session.items if item.path.parent == HERE}
    if here != {path.name for path in HERE.glob("test_*.py")} or request.config.getoption("keyword"):
        pytest.skip("only a part of tests/e2e runs, which does not use every right")
    unused = {str(right) for right in never_asked(planes.heard(), rights())}
    assert unused - REASONS.keys() == set(), "take these rights away, or say in REASONS what they are for"


def test_every_reason_is_about_a_right() -> None:
    assert REASONS.keys() <= {str(right) for right in rights()}
