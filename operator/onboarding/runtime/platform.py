"""What people decide for all projects: policies, targets and decisions, and whether our own kind is being removed.

These are watched by our own informers, because Kopf does not tell of what was deleted while its watch was broken: a
decision that was taken back must not go on counting.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from onboarding import names
from onboarding.adapters.client import Client
from onboarding.adapters.informer import Feed, Informer
from onboarding.build.kinds import Manifest
from onboarding.reconcile.declared import Declared

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
OWN_CRD = f"projectonboardings.{names.GROUP}"


class Platform:
    """Keeps ``declared`` up to date with what is not a project."""

    def __init__(
        self,
        client: Client,
        declared: Declared,
        *,
        silence: float,
        changed: Callable[[], None],
        project_changed: Callable[[str], None],
    ) -> None:
        """Call ``changed`` with what may concern every project, ``project_changed`` with what concerns one."""
        self._changed = changed
        self.terminating = False
        """Whether the definition of our own kind is being deleted, and every project with it."""
        feeds = (*platform_feeds(declared, changed, project_changed), self._definition())
        self._informers = [Informer(client, feed, silence=silence, changed=changed) for feed in feeds]

    def start(self) -> list[asyncio.Task[None]]:
        """Begin to list and watch."""
        return [asyncio.create_task(informer.run(), name="platform") for informer in self._informers]

    @property
    def warm(self) -> bool:
        """Whether everything has been listed once."""
        return all(informer.warm for informer in self._informers)

    @property
    def silence(self) -> float:
        """Seconds since the most silent of the watches was last heard."""
        now = time.monotonic()
        return max(now - informer.last_heard for informer in self._informers)

    def _definition(self) -> Feed:
        def heard(item: Manifest) -> None:
            terminating = "deletionTimestamp" in item["metadata"]
            if terminating != self.terminating:
                self.terminating = terminating
                self._changed()

        return Feed(
            name=OWN_CRD,
            path=_CRDS,
            query={"fieldSelector": f"metadata.name={OWN_CRD}"},
            metadata_only=True,
            heard=heard,
            lost=lambda _item: None,
            complete=lambda _listed, _version: None,
        )


def platform_feeds(
    declared: Declared, changed: Callable[[], None], project_changed: Callable[[str], None]
) -> tuple[Feed, Feed, Feed]:
    """Return the feeds of policies, targets and decisions."""

    def policy(name: str, spec: Mapping[str, Any] | None) -> None:
        declared.put_policy(name, spec)
        changed()

    def target(name: str, spec: Mapping[str, Any] | None) -> None:
        declared.put_target(name, spec)
        changed()

    def decision(name: str, spec: Mapping[str, Any] | None) -> None:
        for project in declared.put_decision(name, spec):
            project_changed(project)

    return (
        _feed("onboardingpolicies", policy, declared.policy_names),
        _feed("hostingtargets", target, lambda: tuple(declared.targets)),
        _feed("onboardingdecisions", decision, declared.decision_names),
    )


def _feed(
    plural: str, put: Callable[[str, Mapping[str, Any] | None], None], known: Callable[[], Collection[str]]
) -> Feed:
    def complete(listed: Collection[tuple[str, str]], _version: int) -> None:
        for name in set(known()) - {name for _, name in listed}:
            put(name, None)

    return Feed(
        name=plural,
        path=f"/apis/{names.API_VERSION}/{plural}",
        query={},
        metadata_only=False,
        heard=lambda item: put(item["metadata"]["name"], item.get("spec", {})),
        lost=lambda item: put(item["metadata"]["name"], None),
        complete=complete,
    )
