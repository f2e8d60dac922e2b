"""What a target has to keep to beyond the form that the API server checks; pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

from onboarding.api.addresses import Network, network, within
from onboarding.api.target import ArgoLocation, Contract, HostingTargetSpec, NetworkZone, Site
from onboarding.api.text import choose
from onboarding.build.kinds import HUB
from onboarding.build.place import cluster_of
from onboarding.reconcile.observed.validity import Problem, cidr_problems, repeated

_IN_CLUSTER: Final = "https://kubernetes.default.svc"


class _Net(NamedTuple):
    """A network of a zone, by their places in the lists."""

    zone: int
    place: int
    network: Network


def target_problems(target: HostingTargetSpec) -> tuple[Problem, ...]:
    """Return everything that is wrong with a target for itself."""
    zones = target.network.zones
    found = (
        *repeated("spec.sites", "name", (site.name for site in target.sites)),
        *repeated("spec.network.zones", "name", (zone.name for zone in zones)),
        *_sites(target.sites),
        *_domains(target),
        *_contract(target.contract),
        *_api_server(target),
        *_overlaps(zones),
    )
    return tuple(dict.fromkeys(found))


def stage_problems(target: HostingTargetSpec, stages: Collection[str]) -> tuple[Problem, ...]:
    """Return the stages of a target that no policy has; ``stages`` are those that one has."""
    return tuple(
        Problem(f"spec.stages[{index}]", f"no policy has a stage {stage}", choose(stages))
        for index, stage in enumerate(target.stages)
        if stage not in stages
    )


def clashes(target: HostingTargetSpec, elders: Mapping[str, HostingTargetSpec]) -> tuple[Problem, ...]:
    """Return the sites whose destination another site has that is a different cluster, on the same Argo CD.

    Argo CD knows a cluster by its URL alone, so what is meant for one would be deployed to the other. ``elders`` are
    the targets that were there before, by name: the later one is refused.
    """
    taken: dict[tuple[str, str, str], tuple[str, str]] = {}
    for name, elder in elders.items():
        for site in elder.sites:
            taken.setdefault(_destination(site), (cluster_of(site), f"site {site.name} of target {name}"))
    found = []
    for index, site in enumerate(target.sites):
        cluster, other = taken.setdefault(_destination(site), (cluster_of(site), f"site {site.name}"))
        if cluster != cluster_of(site):
            field = f"spec.sites[{index}].argocd.destinationServer"
            rule = f"{site.argocd.destination_server} is the destination of {other}, which is another cluster"
            found.append(Problem(field, rule, "give the URL under which Argo CD knows this cluster"))
    return tuple(found)


def _destination(site: Site) -> tuple[str, str, str]:
    """Return what tells the destination of a site: the Argo CD that serves it, and the URL that it knows."""
    argo = HUB if site.argocd.location is ArgoLocation.HUB else cluster_of(site)
    return argo, site.argocd.namespace, site.argocd.destination_server.lower().removesuffix(":443")


def _sites(sites: Iterable[Site]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for index, site in enumerate(sites):
        field, cluster = f"spec.sites[{index}]", cluster_of(site)
        other = first.setdefault(cluster, site.name)
        if other != site.name:
            found = f"site {site.name} is on the same cluster as site {other}: their namespaces would be the same"
            yield Problem(f"{field}.kubeconfigSecret", found, "give it a cluster of its own, or remove the site")
        if cluster != HUB and _destination(site) == (HUB, site.argocd.namespace, _IN_CLUSTER):
            found = f"{_IN_CLUSTER} is the operator's own cluster, and the site is another one"
            remedy = "give the URL under which Argo CD knows the site, or set argocd.location: Site"
            yield Problem(f"{field}.argocd.destinationServer", found, remedy)


def _domains(target: HostingTargetSpec) -> Iterator[Problem]:
    for index, rule in enumerate(target.domains):
        if rule.exposure is not None and rule.exposure not in target.exposures:
            field = f"spec.domains[{index}].exposure"
            known = ", ".join(target.exposures) or "there is none"
            found = f"the target has no exposure {rule.exposure}"
            yield Problem(field, found, f"choose one of spec.exposures ({known}), or add it there")


def _contract(contract: Contract) -> Iterator[Problem]:
    begins, ends = _day(contract.available_from), _day(contract.ends_on)
    for name, day in (("availableFrom", contract.available_from), ("endsOn", contract.ends_on)):
        if day is not None and _day(day) is None:
            yield Problem(f"spec.contract.{name}", f"{day} is not a day of the calendar", "write it as 2026-12-31")
    if begins and ends and begins > ends:
        found = f"the contract ends before it begins, on {begins}"
        yield Problem("spec.contract.endsOn", found, "exchange the two days, or correct one")


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _api_server(target: HostingTargetSpec) -> Iterator[Problem]:
    if target.network.api_server:
        yield from cidr_problems("spec.network.apiServer.cidrs", target.network.api_server.cidrs)


def _overlaps(zones: tuple[NetworkZone, ...]) -> Iterator[Problem]:
    """Find networks that two zones share: which of them a flow leads to has to be plain to everybody.

    The whole world holds every other network by its nature, so it overlaps only with another whole world.
    """
    told = set[tuple[int, int]]()
    around: list[_Net] = []
    for net in sorted(_nets(zones), key=_order):
        while around and not within(net.network, around[-1].network):
            around.pop()
        for outer in around:
            sooner, later = sorted((outer, net))
            pair = (sooner.zone, later.zone)
            both_or_none = (outer.network.prefixlen == 0) == (net.network.prefixlen == 0)
            if sooner.zone != later.zone and pair not in told and both_or_none:
                told.add(pair)
                field = f"spec.network.zones[{later.zone}].cidrs[{later.place}]"
                found = f"{later.network} overlaps with {sooner.network} of zone {zones[sooner.zone].name}"
                yield Problem(field, found, "let each network belong to one zone")
        around.append(net)


def _nets(zones: Iterable[NetworkZone]) -> Iterator[_Net]:
    for index, zone in enumerate(zones):
        for place, cidr in enumerate(zone.cidrs):
            yield _Net(index, place, network(cidr))


def _order(net: _Net) -> tuple[int, int, int]:
    """Sort a network right behind those that hold it."""
    return net.network.version, int(net.network.network_address), net.network.prefixlen
