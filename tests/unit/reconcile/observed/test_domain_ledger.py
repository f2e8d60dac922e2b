"""Who has which domain, after each event of a namespace and each reservation, and who is told that one is free."""

from collections.abc import Callable
from typing import Any

import pytest

from onboarding import names
from onboarding.build.kinds import NAMESPACE, ObjectKey
from onboarding.build.namespace import build_namespace
from onboarding.build.revision import Owner
from onboarding.checks.domains import Claim, Since
from onboarding.reconcile.observed.cached_object import CachedObject, cached_object_of
from onboarding.reconcile.observed.domain_ledger import DomainLedger, claims_of
from tests.unit.snapshots import CREATED, environment, revisions, spec_of, stored

HOST, OTHER = "shop.example.org", "other.example.org"
(BASE,) = revisions(spec_of(environment()))


def key_of(project: str, cluster: str = "hub") -> ObjectKey:
    return ObjectKey(cluster, NAMESPACE, "", f"{project}-dev")


def live(
    project: str, domains: tuple[str, ...] | None, *, installation: str = "inst-1", **metadata: Any
) -> CachedObject:
    """Return the namespace of a project as the cache knows it."""
    revision = BASE.with_values(domains=domains, namespace=f"{project}-dev")
    manifest = stored(build_namespace(Owner(installation, project, "u"), revision))
    manifest["metadata"] |= metadata
    return cached_object_of(NAMESPACE, manifest)


class Watched(DomainLedger):
    """A ledger that keeps what it tells."""

    def __init__(self) -> None:
        self.told: list[str] = []
        super().__init__("inst-1", self.told.append)

    def write(self, project: str, *domains: str, cluster: str = "hub", **metadata: Any) -> None:
        self.on_update(key_of(project, cluster), live(project, domains, **metadata))

    def plan(self, project: str, *domains: str, waiting: str = "") -> None:
        """Reserve what a reconcile of a project builds; it may wait for the domain of another one."""
        revision = BASE.with_values(domains=domains, namespace=f"{project}-dev")
        self.reserve(project, claims_of([revision]), {HOST: waiting} if waiting else {})

    def holders(self, domain: str = HOST) -> list[str]:
        """Return the projects that have a domain."""
        return [claim.project for claim in self.others("nobody", [domain]).get(domain, ())]


@pytest.fixture
def ledger() -> Watched:
    """Return a ledger in which first has the domain, and second waits for it."""
    ledger = Watched()
    ledger.write("first", HOST)
    ledger.plan("second", waiting="first")
    assert ledger.holders() == ["first"]
    return ledger


KEEPS: dict[str, Callable[[Watched], None]] = {
    "the same again": lambda ledger: ledger.write("first", HOST),
    "one more domain": lambda ledger: ledger.write("first", HOST, OTHER),
    "it is being deleted": lambda ledger: ledger.write("first", HOST, deletionTimestamp=CREATED),
    "it is on another cluster, too": lambda ledger: (
        ledger.write("first", HOST, cluster="far"),
        ledger.remove(key_of("first")),
    )[1],
    "another cluster is not watched any more": lambda ledger: ledger.remove_cluster("far"),
    "an annotation that cannot be read": lambda ledger: ledger.write(
        "first", annotations={names.ANNOTATION_ADMITTED: "{"}
    ),
    "an annotation of a newer operator": lambda ledger: ledger.write(
        "first", annotations={names.ANNOTATION_ADMITTED: f'{{"unheardOf": 1, "domains": ["{HOST}"]}}'}
    ),
    "a reservation that it does not need": lambda ledger: (ledger.plan("first", HOST), ledger.unreserve("first"))[1],
    "a reservation while the namespace goes": lambda ledger: (
        ledger.plan("first", HOST),
        ledger.remove(key_of("first")),
    )[1],
}
FREES: dict[str, Callable[[Watched], None]] = {
    "it has another domain": lambda ledger: ledger.write("first", OTHER),
    "it has none": lambda ledger: ledger.write("first"),
    "it is gone": lambda ledger: ledger.remove(key_of("first")),
    "it is detached": lambda ledger: ledger.on_update(key_of("first"), live("first", (HOST,), labels={})),
    "it is another installation's": lambda ledger: ledger.write("first", HOST, installation="inst-2"),
    "its cluster is not watched any more": lambda ledger: ledger.remove_cluster("hub"),
    "a newer operator says so": lambda ledger: ledger.write(
        "first", annotations={names.ANNOTATION_ADMITTED: '{"unheardOf": 1}'}
    ),
    "a reservation comes to nothing": lambda ledger: (
        ledger.plan("first", HOST),
        ledger.remove(key_of("first")),
        ledger.unreserve("first"),
    )[2],
    "a deleted project": lambda ledger: (ledger.remove(key_of("first")), ledger.reserve("first", {}, {}))[1],
}


@pytest.mark.parametrize("event", KEEPS.values(), ids=KEEPS)
def test_a_claim_stays(ledger: Watched, event: Callable[[Watched], None]) -> None:
    event(ledger)
    assert (ledger.holders(), ledger.told) == (["first"], [])


@pytest.mark.parametrize("event", FREES.values(), ids=FREES)
def test_a_claim_ends_and_who_waits_is_told_once(ledger: Watched, event: Callable[[Watched], None]) -> None:
    event(ledger)
    assert (ledger.holders(), ledger.told) == ([], ["second"])
    event(ledger)
    assert ledger.told == ["second"]


def test_a_namespace_that_becomes_another_projects_is_that_ones(ledger: Watched) -> None:
    ledger.on_update(key_of("first"), live("heir", (HOST,)))
    assert (ledger.holders(), ledger.told) == (["heir"], ["second"])


def test_who_waits_no_more_is_not_told(ledger: Watched) -> None:
    ledger.plan("second", OTHER)
    ledger.remove(key_of("first"))
    assert ledger.told == []


def test_who_waits_for_a_claim_that_was_presumed_is_told_by_the_next_reconcile(ledger: Watched) -> None:
    ledger.plan("third", waiting="presumed")
    ledger.plan("other")
    assert ledger.told == []
    ledger.plan("presumed", OTHER)
    assert ledger.told == ["third"]


def test_a_reservation_counts_for_all_but_its_own_project() -> None:
    ledger = Watched()
    ledger.plan("first", HOST)
    assert ledger.others("second", [HOST]) == {HOST: [Claim("first", Since("", ""))]}
    assert ledger.others("first", [HOST]) == {}
    ledger.write("first", HOST)
    assert ledger.others("second", [HOST, OTHER]) == {HOST: [Claim("first", Since(CREATED, "first-dev"))]}


def test_an_environment_records_its_domains_if_all_its_namespaces_do() -> None:
    ledger = Watched()
    assert ledger.recorded("first") == {}
    ledger.write("first", HOST)
    ledger.on_update(key_of("first", "far"), live("first", None))
    assert ledger.recorded("first") == {"dev": False}
    ledger.write("first", cluster="far")
    assert ledger.recorded("first") == {"dev": True}


def test_nothing_is_left_of_who_is_gone(ledger: Watched) -> None:
    ledger.plan("first", HOST)
    ledger.remove(key_of("first"))
    for name in ("first", "second"):
        ledger.reserve(name, {}, {})
    kept = {name: value for name, value in vars(ledger).items() if isinstance(value, dict)}
    assert not any(kept.values()), kept
