"""The cache holds the newest that is known of every object, and tells of news that we did not make."""

from collections.abc import Callable
from typing import Any

import pytest

from onboarding import names
from onboarding.adapters.store import Store
from onboarding.build.kinds import APPLICATION, NAMESPACE, RESOURCE_QUOTA, Manifest, ObjectKey
from onboarding.build.namespace import build_namespace
from onboarding.build.naming import ownership_labels
from onboarding.build.revision import Owner
from onboarding.reconcile.observed.capacity import CapacityLedger
from tests.unit.snapshots import OWNER, environment, revisions, spec_of, stored

KEY = ObjectKey("hub", RESOURCE_QUOTA, "shop-dev", "onboarding")


class Watched(Store):
    """A store that keeps what it tells."""

    def __init__(self) -> None:
        self.news: list[str] = []
        self.ledger = CapacityLedger("inst-1", lambda _: None)
        super().__init__("hub", self.news.append, self.ledger)

    @property
    def cores(self) -> int:
        """What the ledger counts as taken."""
        return sum((totals.cpu for totals in self.ledger.usage("nobody", ()).sums.values()), 0) // 1000


def quota(
    version: int, project: str | None = "shop", name: str = "onboarding", uid: str = "u", **spec: Any
) -> Manifest:
    labels = ownership_labels(Owner("inst-1", project, "p")) if project else {}
    metadata = {"name": name, "namespace": "shop-dev", "uid": uid, "resourceVersion": str(version), "labels": labels}
    return {"metadata": metadata, "spec": spec}


@pytest.fixture
def store() -> Watched:
    return Watched()


def version(store: Store, key: ObjectKey = KEY) -> int | None:
    found = store.get(key)
    return found.version if found else None


def test_an_event_is_news(store: Watched) -> None:
    store.on_update(RESOURCE_QUOTA, quota(5))
    assert (version(store), store.news) == (5, ["shop"])
    assert store.owned("shop").keys() == {KEY}


@pytest.mark.parametrize("old", [4, 5])
def test_older_news_is_ignored(store: Watched, old: int) -> None:
    store.on_update(RESOURCE_QUOTA, quota(5, pods="1"))
    store.on_update(RESOURCE_QUOTA, quota(old, pods="9"))
    assert (version(store), store.news) == (5, ["shop"])
    assert b'"9"' not in store.owned("shop")[KEY].content


def test_our_own_write_is_no_news_and_neither_is_its_event(store: Watched) -> None:
    store.on_write(RESOURCE_QUOTA, quota(5))
    store.on_update(RESOURCE_QUOTA, quota(5))
    assert (version(store), store.news) == (5, [])


def test_an_answer_that_comes_after_newer_news_changes_nothing(store: Watched) -> None:
    store.on_update(RESOURCE_QUOTA, quota(6))
    store.on_write(RESOURCE_QUOTA, quota(5))
    assert version(store) == 6


def test_what_is_lost_is_gone_and_news(store: Watched) -> None:
    store.on_write(RESOURCE_QUOTA, quota(5))
    store.on_delete(RESOURCE_QUOTA, quota(6))
    assert (version(store), store.news, store.owned("shop"), len(store)) == (None, ["shop"], {}, 0)


def test_an_answer_brings_nothing_back_that_was_deleted_meanwhile(store: Watched) -> None:
    store.on_update(RESOURCE_QUOTA, quota(5))
    store.on_update(RESOURCE_QUOTA, quota(6))
    store.on_delete(RESOURCE_QUOTA, quota(7))
    store.news.clear()
    store.on_write(RESOURCE_QUOTA, quota(6), must_be_known=True)
    assert (version(store), store.news) == (None, [])


def test_a_loss_older_than_the_re_creation_is_ignored(store: Watched) -> None:
    store.on_write(RESOURCE_QUOTA, quota(9, uid="new"))
    store.on_delete(RESOURCE_QUOTA, quota(8, uid="old"))
    assert (version(store), store.news) == (9, [])


def test_a_loss_of_something_unknown_is_no_news(store: Watched) -> None:
    store.on_delete(RESOURCE_QUOTA, quota(8))
    assert store.news == []


def test_our_own_deletion_is_no_news(store: Watched) -> None:
    store.on_write(RESOURCE_QUOTA, quota(5))
    store.remove(KEY, "u")
    store.on_delete(RESOURCE_QUOTA, quota(6))
    assert (version(store), store.news) == (None, [])


def test_another_object_of_that_name_is_not_forgotten(store: Watched) -> None:
    store.on_write(RESOURCE_QUOTA, quota(5, uid="new"))
    store.remove(KEY, "old")
    assert version(store) == 5


def test_a_list_brings_what_is_new_and_takes_what_is_gone(store: Watched) -> None:
    store.on_update(RESOURCE_QUOTA, quota(3, name="gone"))
    store.on_update(RESOURCE_QUOTA, quota(4, name="kept"))
    store.news.clear()
    store.on_update(RESOURCE_QUOTA, quota(7, project="other", name="new"))
    store.on_list(RESOURCE_QUOTA, {("shop-dev", "kept"), ("shop-dev", "new")}, 8)
    assert {key.name for key in (*store.owned("shop"), *store.owned("other"))} == {"kept", "new"}
    assert sorted(store.news) == ["other", "shop"]


def test_a_list_does_not_take_what_we_wrote_after_it(store: Watched) -> None:
    store.on_write(RESOURCE_QUOTA, quota(9))
    store.on_list(RESOURCE_QUOTA, set(), 8)
    assert (version(store), store.news) == (9, [])


def test_a_list_of_one_kind_takes_nothing_of_another(store: Watched) -> None:
    store.on_update(RESOURCE_QUOTA, quota(3))
    store.on_list(NAMESPACE, set(), 8)
    assert version(store) == 3


def test_a_change_of_owner_is_news_to_both(store: Watched) -> None:
    store.on_update(RESOURCE_QUOTA, quota(3))
    store.news.clear()
    store.on_update(RESOURCE_QUOTA, quota(4, project="other"))
    assert sorted(store.news) == ["other", "shop"]
    assert store.owned("shop") == {}
    assert store.owned("other").keys() == {KEY}


def test_what_was_detached_belongs_to_nobody_and_is_still_known(store: Watched) -> None:
    store.on_write(RESOURCE_QUOTA, quota(3))
    store.on_write(RESOURCE_QUOTA, quota(4, project=None))
    assert store.owned("shop") == {}
    found = store.get(KEY)
    assert found is not None
    assert (found.owner, found.content) == (None, b"")


def test_strangers_are_known_by_name_and_are_no_news(store: Watched) -> None:
    store.on_update(NAMESPACE, {"metadata": {"name": "theirs", "uid": "x", "resourceVersion": "3"}})
    found = store.get(ObjectKey("hub", NAMESPACE, "", "theirs"))
    assert found is not None
    assert found.owner is None
    assert store.news == []
    assert names.LABEL_PROJECT not in found.content.decode()


def test_the_status_of_what_is_being_deleted_is_news(store: Watched) -> None:
    """There stands what it waits for; of anything else a status is no news."""
    store.on_update(RESOURCE_QUOTA, quota(3))
    store.on_update(RESOURCE_QUOTA, quota(4))
    assert store.news == ["shop"]
    going = quota(5)
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    store.on_update(RESOURCE_QUOTA, going)
    going["metadata"]["resourceVersion"] = "6"
    store.on_update(RESOURCE_QUOTA, going)
    assert store.news == ["shop"] * 3


def test_the_event_of_a_write_under_way_is_no_news(store: Watched) -> None:
    """The server may tell of our own write before it answers it."""
    store.begin_write(KEY)
    store.on_update(RESOURCE_QUOTA, quota(5))
    store.end_write(KEY)
    store.on_write(RESOURCE_QUOTA, quota(5))
    assert (version(store), store.news) == (5, [])


def test_what_somebody_wrote_after_us_is_news_when_our_answer_comes(store: Watched) -> None:
    store.begin_write(KEY)
    store.on_update(RESOURCE_QUOTA, quota(6, hard={"pods": "9"}))
    store.end_write(KEY)
    store.on_write(RESOURCE_QUOTA, quota(5))
    assert (version(store), store.news) == (6, ["shop"])


def test_what_a_read_does_not_find_is_gone_and_news(store: Watched) -> None:
    """The event of its deletion comes later and finds nothing to tell of; without this the project would wait."""
    store.on_update(RESOURCE_QUOTA, quota(5))
    store.news.clear()
    store.on_not_found(KEY)
    store.on_not_found(KEY)
    assert (store.get(KEY), store.news) == (None, ["shop"])


def test_how_much_of_a_quota_is_used_is_kept_and_is_no_news(store: Watched) -> None:
    """It moves with every pod, and a pass for each would never end."""
    store.on_update(RESOURCE_QUOTA, quota(5))
    store.on_update(RESOURCE_QUOTA, {**quota(6), "status": {"used": {"pods": "3"}}})
    found = store.get(KEY)
    assert found is not None
    assert (found.used, store.news) == ({"pods": "3"}, ["shop"])


def test_a_change_of_health_is_news(store: Watched) -> None:
    store.on_update(APPLICATION, {**quota(5), "status": {"health": {"status": "Progressing"}}})
    store.on_update(APPLICATION, {**quota(6), "status": {"health": {"status": "Progressing"}, "sync": {}}})
    store.on_update(APPLICATION, {**quota(7), "status": {"health": {"status": "Healthy"}}})
    assert store.news == ["shop", "shop"]


def namespace(version: int, **metadata: Any) -> Manifest:
    """Return a namespace that takes two cores."""
    (revision,) = revisions(spec_of(environment()))
    return stored(build_namespace(OWNER, revision), version, **metadata)


def test_the_ledger_knows_of_every_namespace_that_is_ours(store: Watched) -> None:
    store.on_update(NAMESPACE, {"metadata": {"name": "theirs", "uid": "x", "resourceVersion": "3"}})
    assert store.cores == 0
    store.on_write(NAMESPACE, namespace(4))
    store.on_update(NAMESPACE, namespace(5, deletionTimestamp="2026-01-01T00:00:00Z"))
    assert store.cores == 2
    store.on_delete(NAMESPACE, namespace(6))
    assert store.cores == 0


def test_the_ledger_knows_of_every_namespace_that_is_gone(store: Watched) -> None:
    key = ObjectKey("hub", NAMESPACE, "", "shop-dev")
    ends: list[Callable[[], None]] = [
        lambda: store.on_delete(NAMESPACE, namespace(9)),
        lambda: store.remove(key, "uid-shop-dev"),
        lambda: store.on_not_found(key),
        lambda: store.on_list(NAMESPACE, set(), 9),
        lambda: store.on_update(NAMESPACE, namespace(9, labels={})),
    ]
    for version, end in enumerate(ends):
        store.on_not_found(key)
        store.on_update(NAMESPACE, namespace(version))
        assert store.cores == 2
        end()
        assert store.cores == 0


def test_a_quota_that_is_confirmed_before_our_answer_comes_is_news(store: Watched) -> None:
    """The controller may be faster than the answer to our POST: the pass must not miss it."""
    confirmed = {**quota(6, hard={"pods": "9"}), "status": {"hard": {"pods": "9"}}}
    store.begin_write(KEY)
    store.on_update(RESOURCE_QUOTA, quota(5, hard={"pods": "9"}))
    store.on_update(RESOURCE_QUOTA, confirmed)
    assert store.news == []
    store.end_write(KEY)
    store.on_write(RESOURCE_QUOTA, quota(5, hard={"pods": "9"}))
    assert store.news == ["shop"]
    assert store.owned("shop")[KEY].in_force


def test_a_quota_that_is_confirmed_after_our_answer_is_news(store: Watched) -> None:
    store.on_write(RESOURCE_QUOTA, quota(5, hard={"pods": "9"}))
    store.on_update(RESOURCE_QUOTA, {**quota(6, hard={"pods": "9"}), "status": {"hard": {"pods": "9"}}})
    assert store.news == ["shop"]
