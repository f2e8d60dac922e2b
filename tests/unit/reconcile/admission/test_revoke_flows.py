"""What is taken back of flows at once, whatever holds the environment."""

from typing import Any

import pytest

from onboarding.build.revision import ResolvedFlow
from onboarding.reconcile.admission.revocation import revoke
from tests.unit.flows import built, flow, project

DECLARED = (
    flow("db"),
    flow("web", zone="internet", cidrs=["192.0.2.0/24", "198.51.100.0/24"]),
    flow("search", environment="tools"),
)


def revoked(*flows: dict[str, Any], name: str = "dev", **targets: str) -> tuple[ResolvedFlow, ...]:
    """Return what is left of the flows of an environment that has all of ``DECLARED`` where only these are declared."""
    (revision,) = built(project(*DECLARED, dev="main", tools="main"), name)
    return revoke(revision, project(*flows, **(targets or {"dev": "main", "tools": "main"})), None).flows


def test_what_is_still_declared_stays_as_it_is() -> None:
    (revision,) = built(project(*DECLARED, dev="main", tools="main"))
    assert revoke(revision, project(*DECLARED, dev="main", tools="main"), None).canonical == revision.canonical


def test_a_flow_that_is_removed_goes() -> None:
    assert [found.name for found in revoked(*DECLARED[1:])] == ["search", "web"]
    assert revoked() == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"port": 5433},
        {"protocol": "UDP"},
        {"direction": "Ingress"},
        {"zone": "internal"},
        {"name": "other"},
        {"environments": ["tools"]},
        {"cidrs": ["10.10.9.0/24"]},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_flow_that_becomes_another_one_goes(changed: dict[str, Any]) -> None:
    """The new one comes with the next candidate that is accepted."""
    assert revoked(flow("db", **changed)) == ()


def test_networks_that_a_flow_names_in_its_former_and_its_new_zone_stay() -> None:
    """The platform has drawn a zone of its own around them, and the flow has to name it."""
    (found,) = revoked(flow("web", zone="partner", cidrs=["192.0.2.0/24"]))
    assert (found.zone, found.networks) == ("internet", {"192.0.2.0/24": ()})


def test_a_flow_that_is_narrowed_is_narrowed_at_once() -> None:
    (found,) = revoked(flow("web", zone="internet", cidrs=["192.0.2.128/25", "203.0.113.0/24"]))
    assert found.networks == {"192.0.2.128/25": ()}


def test_a_flow_that_is_widened_stays_as_it_is_until_then() -> None:
    (found,) = revoked(flow("web", zone="internet"))
    assert set(found.networks) == {"192.0.2.0/24", "198.51.100.0/24"}


def test_a_narrowed_flow_never_gets_what_was_excepted() -> None:
    (revision,) = built(project(flow("web", zone="internet")))
    narrowed = project(flow("web", zone="internet", cidrs=["100.64.1.0/24", "10.0.0.0/7"]))
    (found,) = revoke(revision, narrowed, None).flows
    assert found.networks == {"10.0.0.0/7": ("10.0.0.0/8",)}


def test_an_end_goes_with_the_other_environment() -> None:
    assert revoked(DECLARED[2], dev="main") == ()
    assert revoked(DECLARED[2], name="tools", tools="main") == ()


def test_an_environment_that_waits_to_leave_keeps_its_flows() -> None:
    """Its removal waits for a decision, and until then it runs."""
    assert [found.name for found in revoked(*DECLARED, tools="main")] == ["db", "search", "web"]
    assert [found.name for found in revoked(flow("db", environments=["tools"]), tools="main")] == ["db"]
