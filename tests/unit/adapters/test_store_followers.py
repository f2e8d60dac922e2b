"""Who wants a place that a stranger has is told what becomes of it, so that nobody has to ask."""

from collections.abc import Callable
from typing import Any

import pytest

from onboarding.build.kinds import NAMESPACE, Manifest, ObjectKey
from onboarding.build.naming import ownership_labels
from tests.unit.adapters.test_store import Watched
from tests.unit.snapshots import OWNER


@pytest.fixture
def store() -> Watched:
    return Watched()


def stranger(version: int, uid: str = "s", **metadata: Any) -> Manifest:
    return {"metadata": {"name": "shop-dev", "uid": uid, "resourceVersion": str(version), **metadata}}


SPACE = ObjectKey("hub", NAMESPACE, "", "shop-dev")
OF_SHOP = {"labels": ownership_labels(OWNER)}
STRANGERS_NEWS: dict[str, tuple[Callable[[Watched], None], bool]] = {
    "gone": (lambda store: store.on_delete(NAMESPACE, stranger(6)), True),
    "gone by a read": (lambda store: store.on_not_found(SPACE), True),
    "gone by a list": (lambda store: store.on_list(NAMESPACE, set(), 9), True),
    "being deleted": (lambda store: store.on_update(NAMESPACE, stranger(6, deletionTimestamp="now")), True),
    "another one": (lambda store: store.on_update(NAMESPACE, stranger(6, uid="t")), True),
    "owned by somebody": (lambda store: store.on_update(NAMESPACE, stranger(6, **OF_SHOP)), True),
    "known from a read of somebody else's": (lambda store: store.on_write(NAMESPACE, stranger(6, **OF_SHOP)), True),
    "a label of its own": (lambda store: store.on_update(NAMESPACE, stranger(6, labels={"team": "blue"})), False),
    "older news": (lambda store: store.on_update(NAMESPACE, stranger(4, deletionTimestamp="now")), False),
}


@pytest.mark.parametrize(("event", "told"), STRANGERS_NEWS.values(), ids=STRANGERS_NEWS)
def test_who_wants_the_place_of_a_stranger_is_told_what_becomes_of_it(
    store: Watched, event: Callable[[Watched], None], told: bool
) -> None:
    store.on_update(NAMESPACE, stranger(5))
    for project in ("waiting", "also-waiting", "former"):
        found = store.follow(SPACE, project)
        assert found is not None
    store.unfollow("former")
    assert store.news == []
    event(store)
    assert {"waiting", "also-waiting"} <= {*store.news} if told else store.news == []
    assert "former" not in store.news


def test_who_follows_a_place_is_told_what_comes_there(store: Watched) -> None:
    assert store.follow(SPACE, "waiting") is None
    store.on_update(NAMESPACE, stranger(5))
    assert store.news == ["waiting"]
    store.unfollow("waiting")
    store.unfollow("waiting")
    store.on_delete(NAMESPACE, stranger(6))
    assert store.news == ["waiting"]
