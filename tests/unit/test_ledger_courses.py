"""Whatever comes in whatever order, the sums of what is taken are right, and no room is given twice."""

import asyncio
from collections.abc import Iterator, Mapping
from itertools import cycle

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from onboarding.build.kinds import ObjectKey
from onboarding.build.revision import Revision
from onboarding.checks.totals import Totals
from onboarding.reconcile.observed.capacity import Allocation, SiteKey, allocations_of
from tests.unit.reconcile.observed.test_capacity import SITE, SMALL, Watched, key_of, revision


async def admit(ledger: Watched, project: str, room: Totals, ways: Iterator[tuple[int, bool]]) -> bool:
    """Judge and reserve in one step, write some time later or fail, as a pass does; return whether it is in place."""
    wanted = revision(namespace=f"{project}-dev")
    key = key_of(wanted.namespace)
    if room.below(ledger.usage(project, [key]).taken(SITE, but=key) + SMALL):
        ledger.reserve(project, {}, refused=[SITE])
        return False
    ledger.reserve(project, allocations_of([wanted]))
    turns, written = next(ways)
    for _ in range(turns):
        await asyncio.sleep(0)
    if written:
        ledger.write(wanted)
        assert not room.below(ledger.taken())
        await asyncio.sleep(0)
    ledger.release(project)
    return written


WAYS = st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=20).map(lambda ways: [*ways, (1, True)])
"""For one pass after the other: the turns that it takes, and whether its write comes through."""


@settings(max_examples=20)
@given(st.integers(0, 8), WAYS)
async def test_of_many_projects_at_once_as_many_are_admitted_as_fit(fit: int, ways: list[tuple[int, bool]]) -> None:
    """Never more; and since who found no room is told of it, none stays free while somebody waits for it."""
    passes, ledger = cycle(ways), Watched()
    room = sum((SMALL for _ in range(fit)), Totals())
    admitted: set[str] = set()

    async def come(project: str) -> None:
        if await admit(ledger, project, room, passes):
            admitted.add(project)

    coming = [f"p{number}" for number in range(40)]
    while coming:
        ledger.told.clear()
        await asyncio.gather(*(come(project) for project in coming))
        coming = list(ledger.told)
    assert len(admitted) == fit
    assert ledger.taken() == room


def recount(written: Mapping[ObjectKey, Allocation]) -> dict[SiteKey, Totals]:
    """Sum up what is written, from nothing."""
    counted: dict[SiteKey, Totals] = {}
    for claim in written.values():
        counted[claim.site] = counted.get(claim.site, Totals()) + claim.totals
    return counted


SITES = [SITE, SiteKey("hub", "second", "a"), SiteKey("hub", "second", "b")]
PROJECTS = ["p0", "p1", "p2"]
REVISIONS = st.builds(
    lambda size, number, site: revision(size, namespace=f"n{number}", site=site),
    st.sampled_from(["small", "large"]),
    st.integers(0, 3),
    st.sampled_from(SITES),
)


class AnyCourse(RuleBasedStateMachine):
    """Namespaces that are heard of and lost, and room that is reserved and released, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Watched()
        self.written: dict[ObjectKey, Allocation] = {}

    @rule(given=REVISIONS)
    def write(self, given: Revision) -> None:
        self.ledger.write(given)
        self.written |= allocations_of([given])

    @rule(number=st.integers(0, 3))
    def lose(self, number: int) -> None:
        self.ledger.forgot(key_of(f"n{number}"))
        self.written.pop(key_of(f"n{number}"), None)

    @rule(project=st.sampled_from(PROJECTS), given=REVISIONS, refused=st.sampled_from(SITES))
    def reserve(self, project: str, given: Revision, refused: SiteKey) -> None:
        self.ledger.reserve(project, allocations_of([given]), refused=[refused])

    @rule(project=st.sampled_from(PROJECTS))
    def release(self, project: str) -> None:
        self.ledger.release(project)

    @invariant()
    def no_reservation_lowers_a_sum(self) -> None:
        counted = recount(self.written).items()
        assert not any(self.ledger.taken(site).below(totals) for site, totals in counted)

    def teardown(self) -> None:
        for project in PROJECTS:
            self.ledger.release(project)
        assert self.ledger.usage("nobody", ()).sums == recount(self.written)


def test_the_sums_are_what_a_recount_gives() -> None:
    """Whatever happens before; and a reservation never lowers a sum."""
    run_state_machine_as_test(AnyCourse, settings=settings(max_examples=30, stateful_step_count=50))
