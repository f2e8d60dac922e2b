"""Take snapshots of projects from the caches, without any request."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from onboarding.build.kinds import NAMESPACE, ObjectKey
from onboarding.build.revision import Owner
from onboarding.checks.domains import Claim
from onboarding.checks.probe import Answers
from onboarding.reconcile.observed.admitted import GoneNamespace
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.domains import declared_domains, first_claims
from onboarding.reconcile.observed.foreign import ForeignObject
from onboarding.reconcile.observed.ledgers import Ledgers
from onboarding.reconcile.observed.ports import Cluster
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import Project, Snapshot


class Observer:
    """Takes snapshots from the cache of our own kinds and the caches of the clusters."""

    def __init__(
        self,
        projects: ProjectCache,
        clusters: Mapping[str, Cluster],
        *,
        installation: str,
        policy: str,
        clock: Callable[[], datetime],
        answers: Answers,
        ledgers: Ledgers,
        teardown_hold: Callable[[], str],
    ) -> None:
        self._projects = projects
        self._clusters = clusters
        self._installation = installation
        self._policy = policy
        self._clock = clock
        self._answers = answers
        self._ledgers = ledgers
        self._teardown_hold = teardown_hold

    def observe(self, name: str) -> Snapshot | None:
        """Return the snapshot of a project; None if there is no such project."""
        project = self._projects.project(name)
        if project is None:
            return None
        policy, problem = self._projects.policy(self._policy)
        named = named_after(name, self._clusters)
        owner = Owner(self._installation, name, project.uid)
        live = owned_by(owner, named)
        return Snapshot(
            project=project,
            installation=self._installation,
            policy=policy,
            policy_problem=problem,
            targets=dict(self._projects.targets),
            decisions=self._projects.decisions(name, project.uid),
            clusters={name: cluster.state for name, cluster in self._clusters.items()},
            live=live,
            now=self._clock(),
            gone=self._gone(owner),
            sites=self._projects.offered.sites.known,
            target_problems=dict(self._projects.target_problems),
            policy_version=self._projects.offered.policy_version(self._policy),
            policy_newer=self._projects.offered.policy_newer(self._policy),
            newer_targets=self._projects.offered.newer_targets,
            unread=self._projects.unread(name, project.uid),
            answers=self._answers,
            usage=self._ledgers.capacity.usage(name, self._namespaces(named)),
            claims=self._claims(project),
            foreign=self._foreign(live),
            argocd=self._projects.offered.argocd,
            reserved=self._projects.offered.reserved,
            teardown_hold=self._teardown_hold(),
        )

    def _gone(self, owner: Owner) -> dict[ObjectKey, GoneNamespace]:
        """Return the namespaces that somebody deleted, of this incarnation of a project."""
        found = (cluster.gone(owner.project) for cluster in self._clusters.values())
        return {key: item for gone in found for key, item in gone.items() if item.owner == owner}

    def _claims(self, project: Project) -> dict[str, Claim]:
        """Return the first claim of another project on each domain that a project declares."""
        domains = declared_domains(project.spec)
        if not domains:
            return {}
        declaring = {domain: self._projects.domains.declaring(domain) - {project.name} for domain in domains}
        others = {
            name: found for names in declaring.values() for name in names if (found := self._projects.project(name))
        }
        by_domain = {domain: [others[name] for name in names if name in others] for domain, names in declaring.items()}
        return first_claims(project.name, sorted(domains), self._ledgers.domains, by_domain)

    def _foreign(self, live: Mapping[ObjectKey, CachedObject]) -> dict[ObjectKey, tuple[ForeignObject, ...]]:
        """Return the guard rails of others in each namespace of a project that has some."""
        spaces = (key for key in live if key.kind is NAMESPACE)
        return {key: found for key in spaces if (found := self._clusters[key.cluster].foreign(key.name))}

    def _namespaces(self, named: Mapping[ObjectKey, CachedObject]) -> Iterator[ObjectKey]:
        """Yield the namespaces of a project and of former ones of its name, whose capacity still counts."""
        for key, item in named.items():
            if key.kind is NAMESPACE and item.owner and item.owner.installation == self._installation:
                yield key


def named_after(project: str, clusters: Mapping[str, Cluster]) -> dict[ObjectKey, CachedObject]:
    """Return the objects on all clusters whose labels name a project, or a former one of that name."""
    return {key: item for cluster in clusters.values() for key, item in cluster.owned(project).items()}


def owned_by(owner: Owner, named: Mapping[ObjectKey, CachedObject]) -> dict[ObjectKey, CachedObject]:
    """Return the objects of one incarnation of a project."""
    return {key: item for key, item in named.items() if item.owner == owner}
