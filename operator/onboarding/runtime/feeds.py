"""Feeds of our own kinds; each lists again if its watch may have ended because its definition has changed."""

from collections.abc import Awaitable, Callable, Collection
from collections.abc import Set as AbstractSet
from functools import partial

import structlog
from pydantic import ValidationError

from onboarding import names
from onboarding.adapters.informer import Feed
from onboarding.adapters.status import kind_of
from onboarding.build.kinds import Manifest
from onboarding.reconcile.observed.dated import DatedDecision
from onboarding.reconcile.observed.platform import POLICIES, TARGETS
from onboarding.reconcile.observed.projects import DECISIONS, PROJECTS, ProjectCache
from onboarding.reconcile.observed.unread import UnreadDecision
from onboarding.reconcile.observed.validity import summarize, unreadable

log = structlog.get_logger(__name__)


def platform_feeds(
    declared: ProjectCache,
    changed: Callable[[], None],
    project_changed: Callable[[str], None],
    events_of: Callable[[], object],
    relist: Callable[[], bool],
) -> tuple[Feed, ...]:
    """Return the feeds of OnboardingPolicies, HostingTargets and OnboardingDecisions.

    ``news`` is called for every event of the first two, ``changed`` only if projects may use something else than
    before: a write of the status is none.
    """
    offered = declared.offered

    def put(plural: str) -> Callable[[Manifest], None]:
        return lambda item: tell(differs=offered.put(plural, item))

    def drop(plural: str) -> Callable[[str], None]:
        return lambda name: tell(differs=offered.drop(plural, name))

    def tell(*, differs: bool) -> None:
        if differs:
            changed()
        events_of()

    def decide(name: str, decision: DatedDecision | UnreadDecision | None) -> None:
        for project in declared.put_decision(name, decision):
            project_changed(project)

    return (
        *(
            _feed(
                plural,
                put(plural),
                drop(plural),
                partial(offered.names, plural),
                partial(offered.version, plural),
                relist,
            )
            for plural in (POLICIES, TARGETS)
        ),
        _feed(
            DECISIONS,
            lambda item: decide(item["metadata"]["name"], _decision(item)),
            lambda name: decide(name, None),
            declared.decision_names,
            lambda _name: 0,
            relist,
        ),
    )


def project_feed(
    declared: ProjectCache,
    project_changed: Callable[[str], None],
    relist: Callable[[], bool],
    kopf_watches: Callable[[], Awaitable[None]],
) -> Feed:
    """Return the feed that lists ProjectOnboardings, for two cases that Kopf's watch does not report.

    These are fields that an older definition has pruned, and a server that went back. ``kopf_watches`` returns when
    Kopf has opened its watch again.
    """

    def listed(item: Manifest) -> None:
        if declared.list_project(item):
            project_changed(item["metadata"]["name"])

    def complete(found: AbstractSet[tuple[str, str]], version: int) -> None:
        for name in declared.projects_listed({name for _, name in found}, version):
            project_changed(name)

    return Feed(
        kind="ProjectOnboarding",
        path=f"/apis/{names.API_VERSION}/{PROJECTS}",
        query={},
        metadata_only=False,
        on_update=listed,
        on_delete=lambda _item: None,
        on_list=complete,
        known=lambda item: declared.project_version(item["metadata"]["name"]),
        seen=declared.newest_project,
        relist=relist,
        followed=kopf_watches,
    )


def _decision(item: Manifest) -> DatedDecision | UnreadDecision | None:
    """Return the decision, or that it cannot be read; None if it was taken back."""
    # One that is being deleted was taken back, whatever keeps it there.
    if "deletionTimestamp" in item["metadata"]:
        return None
    try:
        return DatedDecision.model_validate({**item["spec"], "created": item["metadata"]["creationTimestamp"]})
    except ValidationError as error:
        unread = UnreadDecision.of(item["metadata"]["name"], item["spec"], summarize(unreadable(error)))
        log.warning("decision unreadable", project=unread.project, decision=unread.name, error=unread.problem)
        return unread


def _feed(
    plural: str,
    put: Callable[[Manifest], None],
    drop: Callable[[str], None],
    known: Callable[[], Collection[str]],
    version: Callable[[str], int],
    relist: Callable[[], bool],
) -> Feed:
    def complete(listed: Collection[tuple[str, str]], _version: int) -> None:
        for name in set(known()) - {name for _, name in listed}:
            drop(name)

    return Feed(
        kind=kind_of(plural),
        path=f"/apis/{names.API_VERSION}/{plural}",
        query={},
        metadata_only=False,
        on_update=put,
        on_delete=lambda item: drop(item["metadata"]["name"]),
        on_list=complete,
        known=lambda item: version(item["metadata"]["name"]),
        relist=relist,
    )
