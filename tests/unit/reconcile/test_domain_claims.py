"""A domain belongs to the first project that is admitted with it; case 35 and what may happen around it."""

from collections.abc import Callable

import pytest

from tests.unit.domain_world import HOST, DomainWorld

OTHER = "other.example.org"


@pytest.fixture
def world() -> DomainWorld:
    """Return a world in which project first has the domain."""
    world = DomainWorld()
    world.declare("first", dev=[HOST])
    world.settle()
    assert world.holders() == {"first"}
    return world


def test_case_35_the_second_project_is_held_and_not_told_who_was_first(world: DomainWorld) -> None:
    world.declare("second", dev=[HOST])
    world.settle()
    assert world.holders() == {"first"}
    assert world.ready("first") == ("True", "Ready")
    assert world.ready("second") == ("False", "Held")
    ((severity, message),) = world.findings("second")
    assert (severity, HOST in message) == ("Blocking", True)
    assert "first is" not in str(world.hub.status("second"))
    assert "project first" not in str(world.hub.status("second"))
    assert world.hub.told == [f"environment dev of project second is held: project first has domain {HOST}"]


def test_the_platform_is_told_once(world: DomainWorld) -> None:
    world.declare("second", dev=[HOST])
    for _ in range(3):
        world.settle()
    assert len(world.hub.told) == 1
    world.declare("second", dev=[])
    world.settle()
    world.declare("second", dev=[HOST])
    world.settle()
    assert len(world.hub.told) == 2


def test_an_environment_that_is_there_gets_nothing_new_and_loses_nothing(world: DomainWorld) -> None:
    world.declare("second", dev=[OTHER])
    world.settle()
    world.declare("second", dev=[OTHER, HOST])
    world.settle()
    assert (world.holders(), world.holders(OTHER)) == ({"first"}, {"second"})
    assert world.ready("second") == ("True", "EnvironmentsHeld")


def test_environments_of_one_project_share_a_domain(world: DomainWorld) -> None:
    """A move needs it."""
    world.declare("first", dev=[HOST], next=[HOST])
    world.settle()
    assert world.ready("first") == ("True", "Ready")
    world.declare("first", dev=[], next=[HOST])
    world.settle()
    assert (world.holders(), world.findings("first")) == ({"first"}, [])


def test_a_domain_below_another_is_another(world: DomainWorld) -> None:
    world.declare("second", dev=[f"www.{HOST}", "example.org"])
    world.settle()
    assert world.ready("second") == ("True", "Ready")


def no_longer_declared(world: DomainWorld) -> None:
    world.declare("first", dev=[])


def removed(world: DomainWorld) -> None:
    world.declare("first", other=[])


FREED: dict[str, Callable[[DomainWorld], None]] = {"no longer declared": no_longer_declared, "detached": removed}


@pytest.mark.parametrize("frees", FREED.values(), ids=FREED)
def test_who_waits_is_told_when_the_domain_is_free(world: DomainWorld, frees: Callable[[DomainWorld], None]) -> None:
    world.declare("second", dev=[HOST])
    world.settle()
    frees(world)
    world.settle("first")
    assert (world.holders(), world.ready("second"), world.findings("second")) == ({"second"}, ("True", "Ready"), [])


def test_who_waits_is_told_when_the_project_is_gone(world: DomainWorld) -> None:
    world.declare("second", dev=[HOST])
    world.settle()
    world.declare("first")
    world.cluster.lose("first-dev")
    world.forget("first")
    assert world.queue == ["second"]
    world.settle("second")
    assert world.holders() == {"second"}


def test_of_two_at_once_one_is_admitted() -> None:
    world = DomainWorld()
    world.declare("one", dev=[HOST])
    world.declare("two", dev=[HOST])
    world.reconcile("one", "two")
    world.settle()
    assert len(world.holders()) == 1


def test_who_is_not_admitted_claims_nothing() -> None:
    world = DomainWorld()
    world.declare("held", dev=[HOST, OTHER])
    world.declare("holder", dev=[OTHER])
    world.settle("holder")
    world.settle("held")
    world.declare("third", dev=[HOST])
    world.settle()
    assert (world.holders(), world.holders(OTHER)) == ({"third"}, {"holder"})


def test_a_write_without_an_answer_may_have_succeeded_and_counts() -> None:
    world = DomainWorld()
    world.declare("first", dev=[HOST])
    world.cluster.reached = False
    world.reconcile("first")
    world.cluster.reached = True
    world.declare("second", dev=[HOST])
    world.reconcile("second")
    assert world.holders() == set()
    world.settle()
    assert world.holders() == {"first"}


def test_what_somebody_deletes_is_still_the_projects_until_it_has_been_reconciled(world: DomainWorld) -> None:
    world.declare("second", dev=[HOST])
    world.settle()
    world.cluster.lose("first-dev")
    world.settle("second")
    assert world.holders() == set()
    world.settle("first")
    assert world.holders() == {"first"}


def test_a_refusal_that_could_not_be_recorded_gives_nothing_later(world: DomainWorld) -> None:
    """The status speaks of the new spec, and the namespace still has the record of before: none."""
    world.declare("second", dev=[])
    world.settle()
    world.declare("second", dev=[HOST])
    world.cluster.reached = False
    world.reconcile("second")
    assert world.admitted()["second", "dev"].domains is None
    world.restart()
    world.settle()
    assert world.holders() == {"first"}


def test_a_restart_forgets_no_claim(world: DomainWorld) -> None:
    world.declare("second", dev=[HOST])
    world.settle()
    world.restart()
    world.settle("second")
    assert world.holders() == {"first"}
    world.settle()
    assert world.findings("first") == []


def old(*, together: bool) -> DomainWorld:
    """Return a world in which two projects were admitted by a version that recorded no domains."""
    world = DomainWorld()
    world.declare("first", dev=[HOST])
    world.settle()
    world.declare("second", dev=[HOST] if together else [])
    world.settle()
    if together:
        world.pretend_admitted("second")
    world.go_back()
    world.restart()
    return world


def test_of_a_project_of_before_no_newcomer_takes_the_domain() -> None:
    """Also if the newcomer is reconciled first after the start."""
    world = old(together=False)
    world.declare("newcomer", dev=[HOST])
    world.settle("newcomer")
    assert (world.holders(), world.ready("newcomer")) == (set(), ("False", "Held"))
    world.settle("first")
    assert world.holders() == {"first"}


def test_who_waits_for_a_project_of_before_is_told_when_that_no_longer_declares_it() -> None:
    """Its claim was only presumed, so that no namespace tells of the end."""
    world = old(together=False)
    world.declare("newcomer", dev=[HOST])
    world.settle("newcomer")
    world.declare("first", dev=[])
    world.settle("first")
    assert world.holders() == {"newcomer"}


def test_an_environment_of_before_that_declares_the_domain_now_is_a_newcomer() -> None:
    world = old(together=False)
    world.declare("second", dev=[HOST])
    for _ in range(2):
        world.settle("second")
        assert (world.holders(), world.ready("second")) == (set(), ("True", "EnvironmentsHeld"))
        world.restart()
    world.settle()
    assert world.holders() == {"first"}
    assert world.admitted()["second", "dev"].domains == ()


def test_the_record_of_before_is_one_write_and_no_news() -> None:
    world = old(together=False)
    first = world.cluster.writes
    world.settle()
    assert world.cluster.writes - first == 1
    assert world.ready("first") == ("True", "Ready")
    assert world.admitted()["second", "dev"].domains is None


@pytest.mark.parametrize("order", [("first", "second"), ("second", "first")])
def test_two_of_before_keep_the_domain_and_the_younger_is_told(order: tuple[str, str]) -> None:
    world = old(together=True)
    for name in order:
        world.reconcile(name)
    world.restart()
    world.settle()
    assert world.holders() == {"first", "second"}
    assert world.findings("first") == []
    ((severity, message),) = world.findings("second")
    assert (severity, HOST in message) == ("Warning", True)
    assert world.ready("second") == ("True", "Ready")


def test_a_restart_between_the_two_takes_nothing_from_the_second() -> None:
    world = old(together=True)
    world.settle("first")
    world.restart()
    world.settle()
    assert world.holders() == {"first", "second"}
    world.declare("first", dev=[])
    world.settle()
    assert (world.holders(), world.findings("second")) == ({"second"}, [])


def test_a_third_waits_for_both() -> None:
    world = old(together=True)
    world.settle()
    world.declare("third", dev=[HOST])
    world.settle("third")
    world.declare("first", dev=[])
    world.settle("first")
    assert world.holders() == {"second"}
    world.declare("second", dev=[])
    world.settle("second")
    assert world.holders() == {"third"}
