"""Rules for targets that the CRD schema cannot express; pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

from onboarding.api.addresses import METADATA, Network, network, within
from onboarding.api.target import ArgoLocation, Contract, HostingTargetSpec, NetworkZone, Site
from onboarding.api.text import choose
from onboarding.api.urls import has_form
from onboarding.build.kinds import HUB
from onboarding.build.place import cluster_of
from onboarding.reconcile.observed.validity import Problem, cidr_problems, repeated

_IN_CLUSTER: Final = "https://kubernetes.default.svc"


class _Net(NamedTuple):
    """A network of a zone, with the indexes of both in their lists."""

    zone: int
    position: int
    network: Network


def target_problems(target: HostingTargetSpec) -> tuple[Problem, ...]:
    """Return the problems of a target that concern no other object."""
    zones = target.network.zones
    problems = (
        *repeated("spec.sites", "name", (site.name for site in target.sites)),
        *repeated("spec.network.zones", "name", (zone.name for zone in zones)),
        *_sites(target.sites),
        *_domains(target),
        *_contract(target.contract),
        *_api_server(target),
        *_dns(target),
        *_overlaps(zones),
    )
    return tuple(dict.fromkeys(problems))


def stage_problems(target: HostingTargetSpec, stages: Collection[str]) -> tuple[Problem, ...]:
    """Return problems of stages that no policy has; ``stages`` lists those of all policies."""
    return tuple(
        Problem(f"spec.stages[{index}]", f"no policy has a stage {stage}", choose(stages))
        for index, stage in enumerate(target.stages)
        if stage not in stages
    )


def clashes(target: HostingTargetSpec, earlier: Mapping[str, HostingTargetSpec]) -> tuple[Problem, ...]:
    """Return problems of sites that share their destination in one Argo CD with a site on another cluster.

    Argo CD identifies a cluster by its URL alone, so it would deploy to the wrong one. ``earlier`` contains the targets
    that were created before, by name: the later target is refused.
    """
    taken: dict[tuple[str, str, str], tuple[str, str]] = {}
    for name, former in earlier.items():
        for site in former.sites:
            taken.setdefault(_destination(site), (cluster_of(site), f"site {site.name} of target {name}"))
    problems = []
    for index, site in enumerate(target.sites):
        cluster, other = taken.setdefault(_destination(site), (cluster_of(site), f"site {site.name}"))
        if cluster != cluster_of(site):
            field = f"spec.sites[{index}].argocd.destinationServer"
            rule = f"{site.argocd.destination_server} is the destination of {other}, which is another cluster"
            problems.append(Problem(field, rule, "set the URL under which Argo CD knows this cluster"))
    return tuple(problems)


def _destination(site: Site) -> tuple[str, str, str]:
    """Return the destination of a site as a key: the Argo CD that serves it, and the URL that it knows."""
    argo = HUB if site.argocd.location is ArgoLocation.HUB else cluster_of(site)
    return argo, site.argocd.namespace, site.argocd.destination_server.lower().removesuffix(":443")


def _sites(sites: Iterable[Site]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for index, site in enumerate(sites):
        field, cluster = f"spec.sites[{index}]", cluster_of(site)
        if site.lost and cluster == HUB:
            yield Problem(f"{field}.lost", "the operator runs on the hub, which is not lost", "remove it")
        other = first.setdefault(cluster, site.name)
        if other != site.name:
            rule = f"site {site.name} is on the same cluster as site {other}: their namespaces would collide"
            yield Problem(f"{field}.kubeconfigSecret", rule, "use a cluster of its own, or remove the site")
        if cluster != HUB and _destination(site) == (HUB, site.argocd.namespace, _IN_CLUSTER):
            rule = f"{_IN_CLUSTER} is the operator's own cluster, and the site is another one"
            remedy = "set the URL under which Argo CD knows the site, or set argocd.location: Site"
            yield Problem(f"{field}.argocd.destinationServer", rule, remedy)


def _domains(target: HostingTargetSpec) -> Iterator[Problem]:
    for index, domain in enumerate(target.domains):
        if not has_form(domain.suffix):
            field, rule = f"spec.domains[{index}].suffix", f"no host name ends in {domain.suffix}"
            yield Problem(field, rule, "write whole labels with single dots, such as apps.example.org")
        if domain.exposure is not None and domain.exposure not in target.exposures:
            field = f"spec.domains[{index}].exposure"
            known = ", ".join(target.exposures) or "none"
            rule = f"the target has no exposure {domain.exposure}"
            yield Problem(field, rule, f"choose one of spec.exposures ({known}), or add it there")


def _contract(contract: Contract) -> Iterator[Problem]:
    begins, ends = _day(contract.available_from), _day(contract.ends_on)
    for name, day in (("availableFrom", contract.available_from), ("endsOn", contract.ends_on)):
        if day is not None and _day(day) is None:
            yield Problem(f"spec.contract.{name}", f"{day} is not a valid date", "write it as 2026-12-31")
    if begins and ends and begins > ends:
        rule = f"the contract ends before it begins, on {begins}"
        yield Problem("spec.contract.endsOn", rule, "swap the two dates, or correct one")


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _api_server(target: HostingTargetSpec) -> Iterator[Problem]:
    if target.network.api_server:
        yield from cidr_problems("spec.network.apiServer.cidrs", target.network.api_server.cidrs)


def _dns(target: HostingTargetSpec) -> Iterator[Problem]:
    """Find addresses of DNS that hold a metadata service: pods would reach it at the port of DNS."""
    for index, cidr in enumerate(target.network.dns.addresses if target.network.dns else ()):
        held = [item for item in METADATA if within(item, network(cidr)) or within(network(cidr), item)]
        if held:
            field, rule = f"spec.network.dns.addresses[{index}]", f"{cidr} holds {held[0]}, a metadata service"
            yield Problem(field, rule, "name the address of the resolver alone, such as 169.254.20.10")


def _overlaps(zones: tuple[NetworkZone, ...]) -> Iterator[Problem]:
    """Find networks that two zones share, because the zone of a flow has to be unambiguous.

    ``0.0.0.0/0`` and ``::/0`` contain every other network, so each overlaps only with itself.
    """
    reported = set[tuple[int, int]]()
    containing: list[_Net] = []
    for net in sorted(_nets(zones), key=_order):
        while containing and not within(net.network, containing[-1].network):
            containing.pop()
        for outer in containing:
            first, second = sorted((outer, net))
            pair = (first.zone, second.zone)
            both_or_none = (outer.network.prefixlen == 0) == (net.network.prefixlen == 0)
            if first.zone != second.zone and pair not in reported and both_or_none:
                reported.add(pair)
                field = f"spec.network.zones[{second.zone}].cidrs[{second.position}]"
                rule = f"{second.network} overlaps with {first.network} of zone {zones[first.zone].name}"
                yield Problem(field, rule, "list each network in one zone only")
        containing.append(net)


def _nets(zones: Iterable[NetworkZone]) -> Iterator[_Net]:
    for index, zone in enumerate(zones):
        for position, cidr in enumerate(zone.cidrs):
            yield _Net(index, position, network(cidr))


def _order(net: _Net) -> tuple[int, int, int]:
    """Return a sort key that puts a network right behind those that contain it."""
    return net.network.version, int(net.network.network_address), net.network.prefixlen
