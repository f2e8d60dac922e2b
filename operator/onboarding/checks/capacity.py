"""Checks on how much an environment takes: of its sites, of its project's ceiling, and of what it uses already.

An environment that asks for no more than it has is never refused for lack of room: where a site or a ceiling is
over-full, because less of it was declared or a Grant has ended, everything there stays and only growth is held.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from onboarding.api.capacity import Budget
from onboarding.api.common import Resources
from onboarding.api.gates import Actor, Track
from onboarding.api.quantities import decimal, milli, shortest
from onboarding.api.quota import CONTAINER_RESOURCES, container_limits, gpu_key, quota_of
from onboarding.api.status import Evidence
from onboarding.checks.finding import Finding, check
from onboarding.checks.inputs import CapacityInputs, EnvironmentDeclaration
from onboarding.checks.totals import Totals

_NOTHING: Final = Totals()
_SIZE_FIELDS: Final = ("environments.stage", "environments.size", "environments.resources")
_PLACE_FIELDS: Final = (*_SIZE_FIELDS, "environments.target", "environments.sites")


@check(
    "CapacityExceeded",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="the platform team adds capacity to the site, or the project takes a smaller size or another target",
    reads=_PLACE_FIELDS,
    actor=Actor.PLATFORM,
)
def sites_have_room(inputs: CapacityInputs) -> Finding | None:
    """On each of its sites the quotas of all projects, this environment counted once, fit the declared capacity."""
    resources, target = inputs.declared.resources, inputs.declared.target
    if resources is None or target is None:
        return None
    full = {
        site.name: shortages
        for site in inputs.declared.sites
        if (
            shortages := _shortages(
                Totals.of(resources),
                _current(inputs, site.name),
                inputs.room.taken.get(site.name, _NOTHING),
                site.capacity,
            )
        )
    }
    if not full:
        return None
    where = "; ".join(f"site {name!r}: {shortages}" for name, shortages in full.items())
    only_one_of_several = len(full) == 1 and len(target.sites) > 1
    return Finding(
        f"target {inputs.declared.target_name!r} has no room: {where}",
        site=next(iter(full)) if only_one_of_several else "",
    )


@check(
    "CeilingExceeded",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="the project takes smaller sizes, or asks the platform team for an OnboardingDecision of kind Grant with a "
    "higher ceiling",
    reads=_PLACE_FIELDS,
)
def project_keeps_to_its_ceiling(inputs: CapacityInputs) -> Finding | None:
    """All environments of its kind, production or not, on all their sites, fit the ceiling of one project."""
    resources, stage = inputs.declared.resources, inputs.declared.stage
    if resources is None or stage is None:
        return None
    everywhere = sum((Totals.of(resources) for _ in inputs.declared.sites), _NOTHING)
    current = sum((_current(inputs, site) for site in inputs.room.current), _NOTHING)
    shortages = _shortages(everywhere, current, inputs.room.committed, inputs.room.ceiling)
    if not shortages:
        return None
    alone = _shortages(everywhere, current, _NOTHING, inputs.room.ceiling)
    kind = "production" if stage.production else "non-production"
    return Finding(
        f"the project's ceiling of {kind} environments is exceeded: {shortages}",
        actor=Actor.PLATFORM if alone and not _chosen(inputs.declared) else Actor.PROJECT,
    )


@check(
    "DefaultPodDoesNotFit",
    Track.TECHNICAL,
    Evidence.DECLARED,
    remedy="choose a size with room for one container, or change the container defaults of the policy",
    reads=_SIZE_FIELDS,
)
def default_pod_fits(inputs: EnvironmentDeclaration) -> Finding | None:
    """A container that names no resources starts: minimum ≤ request ≤ limit ≤ maximum, and all of it in the quota."""
    resources = inputs.resources
    if resources is None:
        return None
    problems = "; ".join(_misfits(inputs, resources))
    if not problems:
        return None
    chosen = inputs.environment.resources is not None
    return Finding(
        f"a container without requests and limits does not start: {problems}",
        "raise spec.environments[].resources, or name a size of the policy"
        if chosen
        else f"the platform team corrects size {inputs.size_name!r} or the container defaults of the policy",
        Actor.PROJECT if chosen else Actor.PLATFORM,
    )


@check(
    "ShrinkBelowUse",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="the project scales its workload down first, or takes a size that is not smaller than the current use",
    reads=_PLACE_FIELDS,
)
def quota_holds_what_is_used(inputs: CapacityInputs) -> Finding | None:
    """If the quota of a running environment shrinks, it is not smaller than its current use."""
    resources, target = inputs.declared.resources, inputs.declared.target
    if resources is None or target is None:
        return None
    if not inputs.room.used:
        return None
    quota = quota_of(resources, target.gpu_resource, inputs.declared.policy.object_counts)
    short = {
        site.name: keys
        for site in inputs.declared.sites
        if (keys := _too_small(quota, inputs.room.current.get(site.name, {}), inputs.room.used.get(site.name, {})))
    }
    if not short:
        return None
    where = "; ".join(f"site {name!r}: {keys}" for name, keys in short.items())
    only_one_of_several = len(short) == 1 and len(target.sites) > 1
    return Finding(
        f"the quota would be less than what is used: {where}", site=next(iter(short)) if only_one_of_several else ""
    )


class _Dimension(NamedTuple):
    """One resource that is summed up, and how its sums are written."""

    name: str
    counted: Callable[[Totals], int]
    limit: Callable[[Budget], int | None]
    written: Callable[[int], str]


def _thousandths(quantity: str | None) -> int | None:
    return None if quantity is None else milli(quantity)


_DIMENSIONS: Final = (
    _Dimension("cpu", lambda totals: totals.cpu, lambda budget: _thousandths(budget.cpu), decimal),
    _Dimension("memory", lambda totals: totals.memory, lambda budget: _thousandths(budget.memory), shortest),
    _Dimension("storage", lambda totals: totals.storage, lambda budget: _thousandths(budget.storage), shortest),
    _Dimension("gpu", lambda totals: totals.gpu, lambda budget: budget.gpu, str),
)


def _shortages(wanted: Totals, current: Totals, taken: Totals, budget: Budget) -> str:
    """Return what does not fit, with the figures; the empty string where all that is new fits."""
    found = []
    for name, counted, limit, written in _DIMENSIONS:
        want = counted(wanted)
        most = limit(budget) if want > counted(current) else None
        if most is not None and counted(taken) + want > most:
            found.append(f"{name} {written(want)} wanted, {written(counted(taken))} of {written(most)} taken")
    return ", ".join(found)


def above(taken: Totals, ceiling: Budget) -> str:
    """Return what is above a ceiling, with the figures; the empty string if nothing is."""
    limits = ((name, counted(taken), limit(ceiling), written) for name, counted, limit, written in _DIMENSIONS)
    return ", ".join(
        f"{name} {written(amount)} of {written(most)}"
        for name, amount, most, written in limits
        if most is not None and amount > most
    )


def _misfits(inputs: EnvironmentDeclaration, resources: Resources) -> Iterator[str]:
    """Yield where the default container breaks a bound; its limit is within quota and maximum by the cut."""
    limits = container_limits(inputs.policy.container, resources)
    for name, field in CONTAINER_RESOURCES.items():
        request, limit, least = limits.request[name], limits.limit[name], limits.minimum.get(name, "0")
        given = f"{getattr(resources, field)} in the quota"
        if milli(limit) == 0:
            yield f"{name} 0 at most, {given}"
        elif milli(request) < milli(least):
            yield f"{name} {request} requested, {least} at least, {given}"


def _too_small(quota: Mapping[str, str], current: Mapping[str, str], used: Mapping[str, str]) -> str:
    """Return the keys of a quota that shrink below what is used, with the figures."""
    return ", ".join(
        f"{key} {amount} wanted, {used[key]} used"
        for key, amount in quota.items()
        if key in used and milli(amount) < milli(used[key]) and _shrinks(amount, current.get(key))
    )


def _shrinks(amount: str, current: str | None) -> bool:
    return current is None or milli(amount) < milli(current)


def _current(inputs: CapacityInputs, site: str) -> Totals:
    """Return what the environment has on a site now."""
    quota = inputs.room.current.get(site)
    if quota is None or inputs.declared.target is None:
        return _NOTHING
    gpu = quota.get(gpu_key(inputs.declared.target.gpu_resource), "0")
    cpu, memory, storage = (milli(quota.get(f"requests.{name}", "0")) for name in ("cpu", "memory", "storage"))
    return Totals(cpu, memory, storage, milli(gpu) // 1000)


def _chosen(inputs: EnvironmentDeclaration) -> bool:
    """Return whether the project chose how large its environment is, rather than leave it to the policy."""
    return inputs.environment.resources is not None or inputs.environment.size is not None
