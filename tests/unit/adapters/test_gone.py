"""A namespace that somebody deletes leaves its admitted revision behind, unless the project has let it go."""

from collections.abc import Callable
from typing import Any

import pytest

from onboarding.adapters.store import Store
from onboarding.build.kinds import NAMESPACE, Manifest, ObjectKey
from onboarding.build.namespace import build_namespace
from onboarding.build.revision import Owner
from onboarding.reconcile.observed.admitted import GoneNamespace
from onboarding.reconcile.observed.capacity import CapacityLedger
from tests.unit.snapshots import OWNER, environment, revisions, spec_of, stored

KEY = ObjectKey("hub", NAMESPACE, "", "shop-dev")
(REVISION,) = revisions(spec_of(environment()))
GOING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
UNLABELLED: dict[str, Any] = {"labels": {}}


def namespace(version: int, owner: Owner = OWNER, **metadata: Any) -> Manifest:
    return stored(build_namespace(owner, REVISION), version, **metadata)


@pytest.fixture
def store() -> Store:
    """A cache that knows the namespace."""
    store = Store("hub", lambda _project: None, CapacityLedger(OWNER.installation, lambda _project: None))
    store.on_update(NAMESPACE, namespace(3))
    return store


ENDS: dict[str, Callable[[Store], None]] = {
    "an event": lambda store: store.on_delete(NAMESPACE, namespace(9)),
    "a list": lambda store: store.on_list(NAMESPACE, set(), 9),
    "a GET": lambda store: store.on_not_found(KEY),
    "its deletion has begun": lambda store: store.on_update(NAMESPACE, namespace(9, **GOING)),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_the_revision_of_a_namespace_that_went_is_kept(store: Store, end: Callable[[Store], None]) -> None:
    """Until the namespace is there again, or the project asks to forget it."""
    end(store)
    assert store.gone.of("shop") == {KEY: GoneNamespace(OWNER, "dev", REVISION)}
    store.on_update(NAMESPACE, namespace(12, uid="again"))
    assert store.gone.of("shop") == {}
    store.on_delete(NAMESPACE, namespace(13, uid="again"))
    store.gone.forget("shop", [KEY])
    assert store.gone.of("shop") == {}


def deleted_by_us(store: Store) -> None:
    store.gone.begin_delete(KEY, "uid-shop-dev")
    store.on_update(NAMESPACE, namespace(9, **GOING))
    store.on_delete(NAMESPACE, namespace(10, **GOING))


def detached_while_it_went(store: Store) -> None:
    store.on_update(NAMESPACE, namespace(9, **GOING))
    store.on_update(NAMESPACE, namespace(10, **GOING, **UNLABELLED))
    store.on_delete(NAMESPACE, namespace(11, **GOING, **UNLABELLED))


def unlabelled(store: Store) -> None:
    store.on_update(NAMESPACE, namespace(9, **UNLABELLED))
    store.on_delete(NAMESPACE, namespace(10, **UNLABELLED))


def of_another_installation(store: Store) -> None:
    store.on_update(NAMESPACE, namespace(9, OWNER._replace(installation="inst-2")))
    store.on_delete(NAMESPACE, namespace(10, OWNER._replace(installation="inst-2")))


def known_since_its_deletion_began(store: Store) -> None:
    store.remove(KEY, "uid-shop-dev")
    store.on_update(NAMESPACE, namespace(9, uid="other", **GOING))
    store.on_delete(NAMESPACE, namespace(10, uid="other", **GOING))


LEFT = [deleted_by_us, detached_while_it_went, unlabelled, of_another_installation, known_since_its_deletion_began]


@pytest.mark.parametrize("end", LEFT)
def test_a_namespace_that_is_not_to_come_back_leaves_nothing(store: Store, end: Callable[[Store], None]) -> None:
    end(store)
    assert store.gone.of("shop") == {}


def test_a_refused_deletion_of_ours_is_forgotten(store: Store) -> None:
    """Somebody else may delete the namespace later."""
    store.gone.begin_delete(KEY, "uid-shop-dev")
    store.gone.end_delete("uid-shop-dev")
    store.on_delete(NAMESPACE, namespace(9))
    assert store.gone.of("shop").keys() == {KEY}


def test_a_stranger_under_its_name_does_not_take_its_place(store: Store) -> None:
    """The project then names the conflict, and rebuilds the namespace once the stranger has gone."""
    store.on_delete(NAMESPACE, namespace(9))
    store.on_update(NAMESPACE, namespace(12, uid="theirs", **UNLABELLED))
    assert store.gone.of("shop").keys() == {KEY}
