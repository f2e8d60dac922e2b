"""Whatever projects declare in whatever order: no two are admitted with one domain, and nobody waits in vain."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.unit.domain_world import DomainWorld

PROJECTS = ("one", "two", "three")
DOMAINS = ("a.example.org", "b.example.org")
DECLARED = st.dictionaries(
    st.sampled_from(("dev", "next")), st.lists(st.sampled_from(DOMAINS), unique=True, max_size=2), max_size=2
)
SOME = st.lists(st.sampled_from(PROJECTS), unique=True, min_size=1)


class AnyCourse(RuleBasedStateMachine):
    """Projects that are declared, changed and reconciled, alone and together, with restarts and outages."""

    def __init__(self) -> None:
        super().__init__()
        self.world = DomainWorld()
        self.shared = dict.fromkeys(DOMAINS, frozenset[str]())
        """The projects that a version of before let share a domain."""

    @initialize(declared=st.tuples(DECLARED, DECLARED), before=st.booleans())
    def begin(self, declared: tuple[dict[str, list[str]], dict[str, list[str]]], *, before: bool) -> None:
        """Begin with two projects, of before if so drawn."""
        for name, domains in zip(PROJECTS, declared, strict=False):
            self.world.declare(name, **domains)
            if before:
                self.world.pretend_admitted(name)
        if before:
            self.shared = {domain: frozenset(self.world.holders(domain)) for domain in DOMAINS}
            self.world.go_back()
            self.world.restart()

    @rule(project=st.sampled_from(PROJECTS), domains=DECLARED)
    def declare(self, project: str, domains: dict[str, list[str]]) -> None:
        self.world.declare(project, **domains)

    @rule(projects=SOME)
    def reconcile(self, projects: list[str]) -> None:
        self.world.reconcile(*projects)

    @rule(projects=SOME)
    def reconcile_in_an_outage(self, projects: list[str]) -> None:
        self.world.cluster.reached = False
        self.world.reconcile(*projects)
        self.world.cluster.reached = True

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule(project=st.sampled_from(PROJECTS), name=st.sampled_from(("dev", "next")))
    def lose(self, project: str, name: str) -> None:
        self.world.cluster.lose(f"{project}-{name}")

    @invariant()
    def nobody_is_admitted_beside_another(self) -> None:
        for domain in DOMAINS:
            holders = self.world.holders(domain)
            assert len(holders) <= 1 or holders <= self.shared[domain], domain

    def teardown(self) -> None:
        """Nothing more changes: who is not admitted with what it declares lacks a domain that another project has."""
        self.world.settle()
        for domain in DOMAINS:
            declaring = {
                name
                for name, spec in self.world.specs.items()
                if any(domain in item["domains"] for item in spec["environments"])
            }
            holders = self.world.holders(domain)
            assert holders <= declaring
            for name in declaring - holders:
                told = [message for severity, message in self.world.findings(name) if severity == "Blocking"]
                taken = {other for other in DOMAINS if self.world.holders(other) - {name}}
                assert any(other in message for message in told for other in taken)


def test_a_domain_is_one_projects_in_any_course() -> None:
    run_state_machine_as_test(AnyCourse, settings=settings(max_examples=60, stateful_step_count=20))
