"""Projects that want each other's domains, with the reconciler on a cluster in memory."""

import asyncio
import copy
from collections.abc import Iterator
from typing import Any

import orjson

from onboarding import names
from onboarding.build.kinds import HUB, NAMESPACE, Manifest, ObjectKey
from onboarding.build.revision import Revision
from onboarding.errors import UnreachableError
from onboarding.reconcile.observed.cached_object import CachedObject
from onboarding.reconcile.observed.domain_ledger import DomainLedger
from onboarding.reconcile.observed.ledgers import Ledgers
from onboarding.reconcile.observed.observer import Observer
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.reconciler import Reconciler
from tests.bench.inmemory import NOW, Memory, NoSecrets, Outside, Projects
from tests.unit.snapshots import safe_settings
from tests.unit.walks import offer_profile

HOST = "shop.example.org"
Spec = dict[str, Any]


class Unsteady(Memory):
    """A cluster whose writes take a turn, and that may not be reached."""

    reached = True

    async def create(self, key: ObjectKey, manifest: Manifest) -> CachedObject:
        """Create an object, if the cluster is reached."""
        await self._turn()
        created = {
            **manifest["metadata"],
            "creationTimestamp": f"2026-01-01T00:{self.writes // 60:02}:{self.writes % 60:02}Z",
        }
        return await super().create(key, {**manifest, "metadata": created})

    async def change(self, key: ObjectKey, patch: Manifest, live: CachedObject) -> CachedObject:
        """Change an object, if the cluster is reached."""
        await self._turn()
        return await super().change(key, patch, live)

    async def read(self, key: ObjectKey) -> Manifest | None:
        """Return an object."""
        return self._objects.get(key)

    async def _turn(self) -> None:
        await asyncio.sleep(0)
        if not self.reached:
            raise UnreachableError("no answer")

    def namespaces(self) -> Iterator[Manifest]:
        """Yield the namespaces that are ours, as the server has them."""
        for key, item in self._objects.items():
            if key.kind is NAMESPACE and names.LABEL_PROJECT in item["metadata"].get("labels", {}):
                yield item

    def hand_over(self, other: "Unsteady") -> None:
        """Let another process read everything."""
        other.writes = self.writes
        for key, manifest in self._objects.items():
            other._objects[key] = manifest
            other._store.on_update(key.kind, manifest)

    def lose(self, namespace: str) -> None:
        """Let somebody delete a namespace, with all that is in it."""
        for key in [key for key in self._objects if namespace in (key.name, key.namespace)]:
            manifest = self._objects.pop(key)
            self._store.on_delete(key.kind, manifest)


class DomainWorld:
    """Projects under the default profile, each reconciled when it changes or is told that a domain is free."""

    def __init__(self) -> None:
        self.declared = ProjectCache()
        self.hub = Projects(self.declared)
        self.queue: list[str] = []
        """The projects that were told."""
        self.specs: dict[str, Spec] = {}
        self._start(None)

    def _start(self, former: Unsteady | None) -> None:
        policy = offer_profile(self.declared, "default")
        self.declared.offered.argocd = safe_settings(self.declared.targets)
        self.ledgers = Ledgers("walk", self.queue.append)
        self.cluster = Unsteady(self.ledgers)
        if former is not None:
            former.hand_over(self.cluster)
        outside = Outside()
        observer = Observer(
            self.declared,
            {HUB: self.cluster},
            installation="walk",
            policy=policy,
            clock=lambda: NOW,
            answers=outside,
            ledgers=self.ledgers,
            teardown_hold=lambda: "",
        )
        self.reconciler = Reconciler(observer, {HUB: self.cluster}, self.hub, outside, self.ledgers, NoSecrets())

    def restart(self) -> None:
        """Forget everything that only the process knows."""
        self.declared = ProjectCache()
        self.hub.hand_over(self.declared)
        self.queue.clear()
        self._start(self.cluster)

    def declare(self, project: str, **domains: list[str]) -> None:
        """Let a project declare these environments with their domains; nothing is reconciled."""
        environments = [{"name": name, "stage": "dev", "domains": found} for name, found in domains.items()]
        self.specs[project] = {
            "owner": {"name": "Ada", "email": "ada@example.org"},
            "team": {"groups": {"admin": [f"{project}-admins"]}},
            "environments": environments,
        }
        self.hub.declare(project, copy.deepcopy(self.specs[project]))

    def forget(self, project: str) -> None:
        """Let a project be gone that has nothing left."""
        self.specs.pop(project, None)
        self.declared.drop_project(project)
        self.reconcile(project)

    def reconcile(self, *projects: str) -> None:
        """Reconcile these at the same time, once."""

        async def all_at_once() -> None:
            await asyncio.gather(*(self.reconciler.reconcile(name) for name in projects))

        asyncio.run(all_at_once())

    def settle(self, *projects: str) -> None:
        """Reconcile these, or all, and whoever is told, until nothing is written and nobody is told."""
        for _ in range(40):
            before = self.cluster.writes, self.hub.writes
            told = set(self.queue)
            self.queue.clear()
            self.reconcile(*sorted(told | {*(projects or self.specs)}))
            if (self.cluster.writes, self.hub.writes) == before and not self.queue:
                return
        raise AssertionError("the reconciles do not come to an end")

    def go_back(self) -> None:
        """Let every namespace be as a version of before left it: without a record of domains."""
        for item in self.cluster.namespaces():
            annotations = item["metadata"]["annotations"]
            admitted = orjson.loads(annotations[names.ANNOTATION_ADMITTED])
            admitted.pop("domains", None)
            annotations[names.ANNOTATION_ADMITTED] = orjson.dumps(admitted).decode()

    def pretend_admitted(self, project: str) -> None:
        """Let a project be in place and at rest as a version of before would have it, whoever else has its domains."""
        hidden = self.ledgers.domains
        self.ledgers.domains = DomainLedger("walk", lambda _project: None)
        others = {name: spec for name, spec in self.specs.items() if name != project}
        for name in others:
            self.declared.domains.put(name, None)
        self.settle(project)
        self.ledgers.domains = hidden
        assert self.ready(project) == ("True", "Ready")

    def admitted(self) -> dict[tuple[str, str], Revision]:
        """Return the admitted revision of each environment, by project and environment."""
        found = {}
        for item in self.cluster.namespaces():
            labels = item["metadata"]["labels"]
            revision = Revision.parse(item["metadata"]["annotations"][names.ANNOTATION_ADMITTED])
            found[labels[names.LABEL_PROJECT], labels[names.LABEL_ENVIRONMENT]] = revision
        return found

    def holders(self, domain: str = HOST) -> set[str]:
        """Return the projects that are admitted with a domain."""
        return {project for (project, _), revision in self.admitted().items() if domain in (revision.domains or ())}

    def findings(self, project: str) -> list[tuple[str, str]]:
        """Return what the status of a project tells of taken domains: severity and message."""
        checks = self.hub.status(project).get("checks", ())
        return [(item["severity"], item["message"]) for item in checks if item["id"] == "DomainTaken"]

    def ready(self, project: str) -> tuple[str, str]:
        """Return status and reason of Ready."""
        conditions = self.hub.status(project)["conditions"]
        return next((item["status"], item["reason"]) for item in conditions if item["type"] == "Ready")
