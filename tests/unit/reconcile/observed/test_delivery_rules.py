"""Rules for the delivery of a policy, and for its logins: what Argo CD or a probe would misread is refused."""

from typing import Any

import pytest

from onboarding.reconcile.observed.policy_rules import policy_problems
from tests.unit.snapshots import policy_of

LOGIN = {"name": "a", "secret": "a", "prefixes": ["https://git.example.org/"]}
WINDOW = {"name": "nights", "schedule": "0 22 * * *", "duration": "8h"}


@pytest.mark.parametrize(
    ("delivery", "field", "words"),
    [
        ({"repositoryPrefixes": ["https://"]}, "repositoryPrefixes[0]", "a full host"),
        ({"repositoryPrefixes": ["https://git.example.org/*"]}, "repositoryPrefixes[0]", "a full host"),
        ({"repositoryPrefixes": ["https://me@git.example.org/"]}, "repositoryPrefixes[0]", "a full host"),
        ({"repositoryPrefixes": ["https://git.example.org/../a"]}, "repositoryPrefixes[0]", "a full host"),
        (
            {"repositoryPrefixes": ["https://xn--a.example.org/"]},
            "repositoryPrefixes[0]",
            "none of IDNA 2008; use a full",
        ),
        ({"repositoryPrefixes": ["https://0x7f.1/"]}, "repositoryPrefixes[0]", "a full host"),
        ({"repositoryPrefixes": ["https://git.example.org/a%2fb/"]}, "repositoryPrefixes[0]", "%2f, which servers"),
        ({"repositoryPrefixes": ["ssh://deploy@git.example.org/"]}, "repositoryPrefixes[0]", "projects log in as git"),
        ({"allowedKinds": [{"kind": "ResourceQuota"}]}, "allowedKinds[0]", "guard rails"),
        (
            {"additionalKinds": [{"group": "cilium.io", "kind": "CiliumNetworkPolicy"}]},
            "additionalKinds[0]",
            "guard rails",
        ),
        ({"additionalKinds": [{"group": "v1", "kind": "Endpoints"}]}, "additionalKinds[0]", "written '', not 'v1'"),
        ({"additionalKinds": [{"kind": "Namespace"}]}, "additionalKinds[0]", "has no namespace"),
        (
            {"impersonation": False, "allowedKinds": [{"group": "rbac.authorization.k8s.io", "kind": "Role"}]},
            "allowedKinds[0]",
            "without impersonation",
        ),
        ({"windows": [WINDOW, WINDOW]}, "windows[1].name", "listed twice"),
        ({"windows": [{**WINDOW, "schedule": "0 0 30 2 *"}]}, "windows[0]", "schedule '0 0 30 2 *'"),
        ({"windows": [{**WINDOW, "stages": ["moon"]}]}, "windows[0].stages", "choose one of: dev, prod"),
        ({"credentials": [LOGIN, LOGIN]}, "credentials[1].name", "listed twice"),
        ({"credentials": [{**LOGIN, "prefixes": ["git.example.org"]}]}, "credentials[0].prefixes[0]", "a full host"),
        ({"credentials": [{**LOGIN, "kind": "SSH"}]}, "credentials[0].prefixes[0]", "cannot be reached"),
    ],
)
def test_a_policy_that_argo_cd_would_misread_is_refused(delivery: dict[str, Any], field: str, words: str) -> None:
    found = policy_problems(policy_of(delivery=delivery))
    assert {problem.field for problem in found} == {f"spec.delivery.{field}"}
    assert words in str(found[0])


def test_a_sound_policy_passes() -> None:
    delivery = {
        "repositoryPrefixes": [
            "https://GIT.example.org.",
            "git@git.example.org:",
            "ssh://git@git.example.org:22/~/team",
        ],
        "allowedKinds": [{"group": "rbac.authorization.k8s.io", "kind": "Role"}],
        "additionalKinds": [{"group": "keda.sh", "kind": "ScaledObject"}],
        "windows": [WINDOW],
        "credentials": [LOGIN, {**LOGIN, "name": "b", "kind": "SSH", "prefixes": ["git@git.example.org:team/"]}],
    }
    assert policy_problems(policy_of(delivery=delivery)) == ()


@pytest.mark.parametrize(
    ("hosts", "field", "words"),
    [
        (("a.org", "a.org.:443"), "spec.probes.credentials[1].host", "a.org is listed twice"),
        (("a.org", "a..org"), "spec.probes.credentials[1].host", "its host is no DNS name"),
        (("a.org:0",), "spec.probes.credentials[0].host", "its port is none"),
    ],
)
def test_a_login_is_for_one_host_in_one_form(hosts: tuple[str, ...], field: str, words: str) -> None:
    logins = [{"host": host, "tokenSecret": {"name": "a"}} for host in hosts]
    (found,) = policy_problems(policy_of(probes={"credentials": logins}))
    assert (found.field, words in str(found)) == (field, True), found
