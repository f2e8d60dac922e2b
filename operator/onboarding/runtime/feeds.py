"""The feeds of our own kinds; each is listed again when its watch is taken up, because its definition may be new."""

from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from functools import partial

import structlog
from pydantic import ValidationError

from onboarding import names
from onboarding.adapters.informer import Feed
from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.build.kinds import Manifest
from onboarding.reconcile.declared import DECISIONS, PROJECTS, Declared
from onboarding.reconcile.journey.unread import Unread
from onboarding.reconcile.offer.offered import POLICIES, TARGETS
from onboarding.reconcile.offer.validity import told, unreadable

log = structlog.get_logger(__name__)


def platform_feeds(
    declared: Declared, changed: Callable[[], None], project_changed: Callable[[str], None], news: Callable[[], object]
) -> tuple[Feed, ...]:
    """Return the feeds of policies, targets and decisions; ``news`` is called with whatever is heard of the first two.

    ``changed`` is called only where it changes what projects may use: a status that is written changes nothing.
    """
    offered = declared.offered

    def put(plural: str) -> Callable[[Manifest], None]:
        return lambda item: tell(differs=offered.put(plural, item))

    def drop(plural: str) -> Callable[[str], None]:
        return lambda name: tell(differs=offered.drop(plural, name))

    def tell(*, differs: bool) -> None:
        if differs:
            changed()
        news()

    def decide(name: str, decision: OnboardingDecisionSpec | Unread | None) -> None:
        for project in declared.put_decision(name, decision):
            project_changed(project)

    return (
        *(
            _feed(plural, put(plural), drop(plural), partial(offered.names, plural), partial(offered.version, plural))
            for plural in (POLICIES, TARGETS)
        ),
        _feed(
            DECISIONS,
            lambda item: decide(item["metadata"]["name"], _decision(item)),
            lambda name: decide(name, None),
            declared.decision_names,
            lambda _name: 0,
        ),
    )


def project_feed(declared: Declared, project_changed: Callable[[str], None]) -> Feed:
    """Return the feed of the projects as they are listed, to make good what Kopf's watch does not tell.

    That is what was cut by an older definition, what went while no watch was open, and a server that went back.
    """

    def listed(item: Manifest) -> None:
        if declared.list_project(item):
            project_changed(item["metadata"]["name"])

    def complete(found: AbstractSet[tuple[str, str]], version: int) -> None:
        for name in declared.projects_listed({name for _, name in found}, version):
            project_changed(name)

    return Feed(
        name=PROJECTS,
        path=f"/apis/{names.API_VERSION}/{PROJECTS}",
        query={},
        metadata_only=True,
        heard=lambda _item: None,
        lost=lambda _item: None,
        complete=complete,
        known=lambda item: declared.project_version(item["metadata"]["name"]),
        relist=True,
        listed=listed,
    )


def _decision(item: Manifest) -> OnboardingDecisionSpec | Unread | None:
    """Return what is decided, or that it cannot be read; None where it was taken back."""
    # One that is being deleted was taken back, whatever keeps it there.
    if "deletionTimestamp" in item["metadata"]:
        return None
    try:
        return OnboardingDecisionSpec.model_validate(item["spec"])
    except ValidationError as error:
        unread = Unread.of(item["metadata"]["name"], item["spec"], told(unreadable(error)))
        log.warning("a decision cannot be read", decision=unread.name, problem=unread.problem)
        return unread


def _feed(
    plural: str,
    put: Callable[[Manifest], None],
    drop: Callable[[str], None],
    known: Callable[[], Collection[str]],
    version: Callable[[str], int],
) -> Feed:
    def complete(listed: Collection[tuple[str, str]], _version: int) -> None:
        for name in set(known()) - {name for _, name in listed}:
            drop(name)

    return Feed(
        name=plural,
        path=f"/apis/{names.API_VERSION}/{plural}",
        query={},
        metadata_only=False,
        heard=put,
        lost=lambda item: drop(item["metadata"]["name"]),
        complete=complete,
        known=lambda item: version(item["metadata"]["name"]),
        relist=True,
    )
