"""The number of cached objects by owner is that of a recount, whatever happened."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from onboarding.build.kinds import RESOURCE_QUOTA, ObjectKey
from tests.unit.adapters.test_store import Watched, quota

PROJECTS = (None, "shop", "mail")
NAMES = ("one", "two", "three")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("update", "write", "delete", "list", "missing")),
        st.sampled_from(NAMES),
        st.sampled_from(PROJECTS),
        st.integers(1, 40),
    ),
    max_size=40,
)


@given(STEPS)
def test_owners_are_counted_as_they_are_cached(steps: list[tuple[str, str, str | None, int]]) -> None:
    store = Watched()
    for step, name, project, version in steps:
        manifest = quota(version, project, name)
        match step:
            case "update":
                store.on_update(RESOURCE_QUOTA, manifest)
            case "write":
                store.on_write(RESOURCE_QUOTA, manifest)
            case "delete":
                store.on_delete(RESOURCE_QUOTA, manifest)
            case "list":
                store.on_list(RESOURCE_QUOTA, {("shop-dev", name)}, version)
            case _:
                store.on_not_found(ObjectKey("hub", RESOURCE_QUOTA, "shop-dev", name))
        cached = (store.get(ObjectKey("hub", RESOURCE_QUOTA, "shop-dev", name)) for name in NAMES)
        assert store.owners == Counter(item.owner for item in cached if item and item.owner)
        assert 0 not in store.owners.values()
