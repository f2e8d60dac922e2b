"""No two projects ever take the same room of a site, and what a namespace takes is counted once."""

import pytest

from onboarding import names
from onboarding.api.policy import Size
from onboarding.build.kinds import NAMESPACE, ObjectKey
from onboarding.build.namespace import build_namespace
from onboarding.build.revision import Owner, Revision
from onboarding.checks.totals import Totals
from onboarding.reconcile.observed.cached_object import CachedObject, cached_object_of
from onboarding.reconcile.observed.capacity import Allocation, CapacityLedger, SiteKey, allocations_of
from tests.unit.snapshots import POLICY, environment, revisions, spec_of, stored

GI = 1024**3 * 1000
SMALL = Totals(2000, 4 * GI, 10 * GI)
LARGE = Totals(8000, 4 * GI, 10 * GI)
SITE = SiteKey("hub", "main", "a")
(BASE,) = revisions(spec_of(environment()))
SIZES: dict[str, Size] = {size.name: size for size in POLICY.sizes}


def revision(size: str = "small", *, namespace: str = "shop-dev", site: SiteKey = SITE) -> Revision:
    """Return a revision of a size on a site."""
    place = {"cluster": site.cluster, "target": site.target, "site": site.site}
    return BASE.with_values(resources=SIZES[size], namespace=namespace, **place)


def key_of(namespace: str, cluster: str = "hub") -> ObjectKey:
    return ObjectKey(cluster, NAMESPACE, "", namespace)


KEY = key_of("shop-dev")


def live(given: Revision, *, installation: str = "inst-1", **metadata: object) -> CachedObject:
    """Return the namespace of a revision as the cache knows it."""
    manifest = stored(build_namespace(Owner(installation, "shop", "u"), given))
    manifest["metadata"] |= metadata
    return cached_object_of(NAMESPACE, manifest)


class Watched(CapacityLedger):
    """A ledger that keeps what it tells."""

    def __init__(self) -> None:
        self.told: list[str] = []
        super().__init__("inst-1", self.told.append)

    def write(self, given: Revision) -> None:
        self.heard(key_of(given.namespace, given.cluster), live(given))

    def taken(self, site: SiteKey = SITE) -> Totals:
        """Return what is taken on a site by everybody."""
        return self.usage("nobody", ()).sums.get(site, Totals())


@pytest.fixture
def ledger() -> Watched:
    return Watched()


def claim(size: str = "small", namespace: str = "shop-dev", site: SiteKey = SITE) -> dict[ObjectKey, Allocation]:
    return allocations_of([revision(size, namespace=namespace, site=site)])


def test_a_namespace_that_is_heard_of_again_counts_once(ledger: Watched) -> None:
    for _ in range(3):
        ledger.write(revision())
    assert ledger.taken() == SMALL
    ledger.write(revision("large"))
    assert ledger.taken() == LARGE


def test_a_namespace_counts_while_it_is_being_deleted_and_until_it_is_gone(ledger: Watched) -> None:
    ledger.write(revision())
    ledger.heard(KEY, live(revision(), deletionTimestamp="2026-01-01T00:00:00Z"))
    assert ledger.taken() == SMALL
    ledger.forgot(KEY)
    ledger.forgot(KEY)
    assert ledger.taken() == Totals()


def test_what_is_released_or_another_installations_does_not_count(ledger: Watched) -> None:
    ledger.heard(key_of("theirs"), live(revision(namespace="theirs"), installation="inst-2"))
    ledger.write(revision())
    ledger.heard(KEY, live(revision(), labels={}))
    assert ledger.taken() == Totals()


@pytest.mark.parametrize("broken", ["", "{", "{}", '{"target": 1}'])
def test_an_annotation_that_cannot_be_read_changes_nothing(ledger: Watched, broken: str) -> None:
    ledger.heard(KEY, live(revision(), annotations={names.ANNOTATION_ADMITTED: broken}))
    assert ledger.taken() == Totals()
    ledger.write(revision())
    ledger.heard(KEY, live(revision(), annotations={names.ANNOTATION_ADMITTED: broken}))
    assert ledger.taken() == SMALL


def test_namespaces_of_a_site_add_up_and_two_targets_on_one_cluster_are_counted_apart(ledger: Watched) -> None:
    other = SiteKey("hub", "second", "a")
    ledger.write(revision())
    ledger.write(revision("large", namespace="shop-test"))
    ledger.write(revision("large", namespace="other-dev", site=other))
    assert (ledger.taken(), ledger.taken(other)) == (SMALL + LARGE, LARGE)


def test_a_cluster_that_is_not_watched_any_more_counts_no_more(ledger: Watched) -> None:
    far = SiteKey("site-b/kubeconfig", "twin", "b")
    ledger.write(revision())
    ledger.write(revision(site=far))
    ledger.left("site-b/kubeconfig")
    assert (ledger.taken(), ledger.taken(far)) == (SMALL, Totals())


def test_console_1911_an_edited_environment_is_counted_once(ledger: Watched) -> None:
    """Cloud π console, issue 1911: the environment that is edited was counted with what it has and what it wants."""
    ledger.write(revision("large"))
    ledger.write(revision(namespace="shop-test"))
    usage = ledger.usage("shop", [KEY, key_of("shop-test")])
    assert usage.taken(SITE, but=KEY) == SMALL
    assert usage.taken(SITE, but=key_of("shop-test")) == LARGE
    ledger.reserve("shop", claim("small"))
    assert ledger.taken() == LARGE + SMALL


def test_a_namespace_of_another_project_is_never_left_out(ledger: Watched) -> None:
    ledger.write(revision())
    assert ledger.usage("thief", ()).taken(SITE, but=KEY) == SMALL


def test_environments_of_one_project_leave_each_other_room(ledger: Watched) -> None:
    ledger.write(revision())
    before = ledger.usage("shop", [KEY])
    after = before.admitting(claim("large")).admitting(claim("small", "shop-test"))
    assert after.taken(SITE, but=key_of("shop-test")) == LARGE
    assert after.taken(SITE, but=KEY) == SMALL
    assert after.admitting(claim("small")).taken(SITE, but=key_of("none")) == LARGE + SMALL
    assert before.taken(SITE, but=key_of("none")) == ledger.taken() == SMALL


def test_what_is_reserved_is_taken_until_it_is_given_up_or_reserved_anew(ledger: Watched) -> None:
    ledger.reserve("shop", claim("large") | claim("small", "shop-test"))
    assert ledger.taken() == LARGE + SMALL
    assert ledger.usage("shop", ()).taken(SITE, but=KEY) == SMALL
    ledger.reserve("shop", claim("small"))
    assert ledger.taken() == SMALL
    ledger.release("shop")
    assert ledger.taken() == Totals()


def test_what_was_written_counts_by_itself_and_once(ledger: Watched) -> None:
    ledger.reserve("shop", claim("large"))
    ledger.write(revision("large"))
    assert ledger.taken() == LARGE
    ledger.release("shop")
    assert ledger.taken() == LARGE


def test_what_shrinks_is_free_when_the_pass_has_ended(ledger: Watched) -> None:
    """The annotation is written before the quota, and a quota that is still large may still be used."""
    ledger.write(revision("large"))
    ledger.reserve("shop", claim("small"))
    ledger.write(revision("small"))
    assert ledger.taken() == LARGE
    ledger.release("shop")
    assert ledger.taken() == SMALL


def test_two_projects_that_want_one_namespace_take_its_room_once(ledger: Watched) -> None:
    ledger.reserve("shop", claim("small", "shared"))
    ledger.reserve("other", claim("large", "shared"))
    assert ledger.taken() == LARGE
    ledger.release("other")
    assert ledger.taken() == SMALL


def test_who_found_no_room_is_told_once_when_there_is_more(ledger: Watched) -> None:
    ledger.write(revision())
    ledger.write(revision("large", namespace="other-dev"))
    ledger.reserve("waiting", {}, refused=[SITE])
    ledger.reserve("elsewhere", {}, refused=[SiteKey("hub", "second", "a")])
    ledger.write(revision("large", namespace="third-dev"))
    ledger.forgot(key_of("third-dev"))
    assert ledger.told == []
    ledger.forgot(key_of("other-dev"))
    ledger.forgot(KEY)
    assert ledger.told == ["waiting"]


def test_who_waits_is_told_when_a_reservation_comes_to_nothing(ledger: Watched) -> None:
    ledger.reserve("failing", claim("large", "failing-dev"))
    ledger.reserve("waiting", {}, refused=[SITE])
    ledger.release("failing")
    assert ledger.told == ["waiting"]


@pytest.mark.parametrize("allocations", [{}, claim()], ids=["gone", "has room now"])
def test_who_waits_no_more_is_not_told(ledger: Watched, allocations: dict[ObjectKey, Allocation]) -> None:
    ledger.write(revision("large", namespace="other-dev"))
    ledger.reserve("waiting", {}, refused=[SITE])
    ledger.reserve("waiting", allocations)
    ledger.forgot(key_of("other-dev"))
    assert ledger.told == []


def test_a_project_that_reserves_in_vain_does_not_wake_itself(ledger: Watched) -> None:
    for _ in range(3):
        ledger.reserve("shop", claim("small", "taken-name"), refused=[SITE])
        ledger.release("shop")
    assert ledger.told == []


def test_a_project_is_told_of_the_room_that_it_gives_up_itself(ledger: Watched) -> None:
    """One environment shrinks and another waits for that: no other event would open it."""
    ledger.write(revision("large"))
    ledger.reserve("shop", claim("small"), refused=[SITE])
    ledger.write(revision("small"))
    assert ledger.told == []
    ledger.release("shop")
    assert ledger.told == ["shop"]


def test_a_project_that_wants_nothing_more_reserves_nothing(ledger: Watched) -> None:
    """Else a project that goes after a write without a clear answer would keep its room for ever."""
    ledger.reserve("shop", claim())
    ledger.reserve("shop", {})
    assert ledger.taken() == Totals()
