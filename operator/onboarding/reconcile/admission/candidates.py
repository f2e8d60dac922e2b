"""What each declared environment would become, and what about itself holds it; pure.

The environments are looked at in the order of their gates, and then of the spec; each leaves its share of the room to
those before it. So nothing lacks room for the sake of what opens behind it and may be waiting for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from onboarding.api.capacity import Budget
from onboarding.api.quantities import milli
from onboarding.api.quota import quota_of
from onboarding.build.kinds import NAMESPACE, RESOURCE_QUOTA, ObjectKey
from onboarding.build.place import Place, cluster_of
from onboarding.build.quota import NAME as QUOTA_NAME
from onboarding.build.revision import Revision
from onboarding.checks import capacity, reviews
from onboarding.checks.catalogue import OF_ROOM
from onboarding.checks.finding import GateFinding
from onboarding.checks.inputs import EnvironmentInputs, Headroom, ProjectInputs
from onboarding.checks.journey import gate_index_of
from onboarding.checks.totals import Totals
from onboarding.reconcile.admission.draft import bare_inputs, draft, lasting_inputs, made
from onboarding.reconcile.gates.decisions import Decisions
from onboarding.reconcile.observed.capacity import SiteKey, Usage, allocations_of
from onboarding.reconcile.observed.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a declared environment would become."""

    inputs: EnvironmentInputs
    gate_index: int
    """The place of its gate in the order; -1 where it has none."""
    found: tuple[GateFinding, ...]
    """What about itself holds it."""
    revisions: tuple[Revision, ...]
    """What it would become on each of its sites; empty where it cannot be built."""
    new: bool
    """Whether it would become something else than what is admitted."""

    @property
    def full(self) -> list[SiteKey]:
        """The sites that lack room for it."""
        if not any(found.check is capacity.sites_have_room for found in self.found):
            return []
        return [SiteKey.of(self.inputs.target_name or "", site) for site in self.inputs.sites]

    @property
    def name(self) -> str:
        """The name of the environment."""
        return self.inputs.environment.name


@dataclass(slots=True)
class _Resolver:
    """Looks at one environment after the other; each leaves less room to those after it."""

    snapshot: Snapshot
    project: ProjectInputs
    decisions: Decisions
    admitted: Mapping[Place, Revision | None]
    usage: Usage
    taking: dict[str, tuple[bool, Totals]] = field(default_factory=dict)
    """By environment: whether it serves production, and what it takes on all its sites together."""

    def find_candidates(self, inputs: EnvironmentInputs, gate_index: int) -> Candidate:
        """Return a proposal for an environment, whose share of the room is taken from now on."""
        name = inputs.environment.name
        opened = reviews.flows_are_opened.id in self.project.attested
        drawn = self.snapshot.memory.recall(name, draft, inputs, opened, self._admitted_of(name))
        found = drawn.found + made(inputs.knowing(room=self._room(inputs)), OF_ROOM)
        fits = all(item.site for item in found)
        self._take(inputs, accepted(drawn.revisions, found))
        now = EnvironmentInputs(self.project, inputs.environment, inputs.namespace, inputs.former)
        return Candidate(now, gate_index, found, drawn.revisions if fits else (), drawn.new and fits)

    def environments(self) -> list[EnvironmentInputs]:
        """Return what is declared of each environment, in the order of the spec."""
        recall, project = self.snapshot.memory.recall, self.project
        day = project.now.replace(hour=0, minute=0, second=0, microsecond=0)
        lasting = recall(
            "",
            lasting_inputs,
            project.name,
            project.spec,
            project.policy,
            project.targets,
            project.target_problems,
            day,
        )
        return [
            recall(environment.name, bare_inputs, lasting, environment, self._admitted_of(environment.name))
            for environment in project.spec.environments
        ]

    def _admitted_of(self, environment: str) -> dict[Place, Revision | None]:
        return {place: old for place, old in self.admitted.items() if place.environment == environment}

    def _room(self, inputs: EnvironmentInputs) -> Headroom:
        environment = inputs.environment
        production = bool(inputs.stage and inputs.stage.production)
        others = (
            totals for name, (kind, totals) in self.taking.items() if name != environment.name and kind == production
        )
        ceilings = self.project.policy.ceilings
        return Headroom(
            taken={
                site.name: self.usage.taken(
                    SiteKey.of(inputs.target_name or "", site), but=self._namespace(inputs, site.name)
                )
                for site in inputs.sites
            },
            committed=sum(others, Totals()),
            ceiling=_raised(
                ceilings.production if production else ceilings.non_production, self.decisions, production=production
            ),
            current=self._current(inputs),
            used={
                site.name: used
                for site in inputs.sites
                if (used := self.snapshot.used(self._quota(self._namespace(inputs, site.name))))
            },
        )

    def _current(self, inputs: EnvironmentInputs) -> dict[str, dict[str, str]]:
        places = ((site.name, Place(inputs.environment.name, cluster_of(site))) for site in inputs.sites)
        former = ((site, old) for site, place in places if (old := self.admitted.get(place)))
        return {site: quota_of(old.resources, old.gpu_resource, old.object_counts) for site, old in former}

    def _take(self, inputs: EnvironmentInputs, revisions: list[Revision]) -> None:
        """Keep the room that an environment would take from those that come after it."""
        self.usage = self.usage.admitting(allocations_of(revisions))
        whole = sum((Totals.of(revision.resources) for revision in revisions), Totals())
        production = bool(inputs.stage and inputs.stage.production)
        _, before = self.taking.get(inputs.environment.name, (production, Totals()))
        self.taking[inputs.environment.name] = (production, whole.most(before))

    def _namespace(self, inputs: EnvironmentInputs, site: str) -> ObjectKey:
        return ObjectKey(_cluster(inputs, site), NAMESPACE, "", inputs.namespace)

    def _quota(self, namespace: ObjectKey) -> ObjectKey:
        return ObjectKey(namespace.cluster, RESOURCE_QUOTA, namespace.name, QUOTA_NAME)


def accepted(revisions: Iterable[Revision], found: Iterable[GateFinding]) -> list[Revision]:
    """Return the revisions that nothing about the environment itself holds: a site that is full is held alone."""
    held = {item.site for item in found}
    return [] if "" in held else [revision for revision in revisions if revision.site not in held]


def find_candidates(
    snapshot: Snapshot, project: ProjectInputs, decisions: Decisions, admitted: Mapping[Place, Revision | None]
) -> list[Candidate]:
    """Return a proposal for every environment that the spec declares, in its order."""
    resolver = _Resolver(snapshot, project, decisions, admitted, snapshot.usage)
    for revision in admitted.values():
        if revision is not None:
            production = any(stage.name == revision.stage and stage.production for stage in project.policy.stages)
            _, before = resolver.taking.get(revision.environment, (production, Totals()))
            resolver.taking[revision.environment] = (production, before + Totals.of(revision.resources))
    in_order = sorted(((_gate_index(inputs), inputs) for inputs in resolver.environments()), key=itemgetter(0))
    candidates = {
        inputs.environment.name: resolver.find_candidates(inputs, gate_index) for gate_index, inputs in in_order
    }
    return [candidates[environment.name] for environment in project.spec.environments]


def _gate_index(inputs: EnvironmentInputs) -> int:
    """Return the place of the gate of an environment in the order; -1 where it has none."""
    return gate_index_of(inputs.policy, inputs.environment.stage, inputs.target_name or "")


def _cluster(inputs: EnvironmentInputs, site: str) -> str:
    return next(cluster_of(known) for known in inputs.sites if known.name == site)


def _raised(ceiling: Budget, decisions: Decisions, *, production: bool) -> Budget:
    """Return a ceiling with what grants raise; what is not limited stays so."""
    grants = (grant.production if production else grant.non_production for grant in decisions.granted)
    granted = [budget for budget in grants if budget]
    if not granted:
        return ceiling
    return Budget(
        cpu=_highest(ceiling.cpu, [budget.cpu for budget in granted]),
        memory=_highest(ceiling.memory, [budget.memory for budget in granted]),
        storage=_highest(ceiling.storage, [budget.storage for budget in granted]),
        gpu=None if ceiling.gpu is None else max(ceiling.gpu, *(budget.gpu or 0 for budget in granted), 0),
    )


def _highest(ceiling: str | None, granted: Iterable[str | None]) -> str | None:
    return None if ceiling is None else max((ceiling, *(amount for amount in granted if amount)), key=milli)
