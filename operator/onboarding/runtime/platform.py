"""What people decide for all projects: policies, targets and decisions, and whether our own kind is being removed.

These are watched by our own informers, because Kopf does not tell of what was deleted while its watch was broken: a
decision that was taken back must not go on counting. Beside them one task asks for the ClusterRoles that policies
name, and tells in the status of each policy and target whether it can be used.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime

import structlog
from pydantic import ValidationError

from onboarding import names
from onboarding.adapters.client import Client
from onboarding.adapters.informer import Feed, Informer
from onboarding.adapters.platform_status import write_status
from onboarding.adapters.rights import role_state
from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.build.kinds import Manifest
from onboarding.errors import ApiError, OnboardingError
from onboarding.reconcile.declared import Declared
from onboarding.reconcile.offer.offered import POLICIES, TARGETS, Due
from onboarding.reconcile.offer.validity import RoleState, told, unreadable
from onboarding.reconcile.world import ClusterState

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
OWN_CRD = f"projectonboardings.{names.GROUP}"
_ASK_AGAIN = 300.0
"""Seconds until a ClusterRole that could not be given to projects is asked about again."""
_RETRY_FIRST = 1.0
_RETRY_LAST = 300.0

log = structlog.get_logger(__name__)


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
        self._client = client
        self._offered = declared.offered
        self._changed = changed
        self._news = asyncio.Event()
        self._clusters: Mapping[str, ClusterState] = {}
        self._doubt: asyncio.TimerHandle | None = None
        self.warm = False
        """Whether everything has been listed once, and the ClusterRoles of the policies have been asked about."""
        self.terminating = False
        """Whether the definition of our own kind is being deleted, and every project with it."""
        feeds = (*platform_feeds(declared, changed, project_changed, self._news.set), self._definition())
        self._informers = [Informer(client, feed, silence=silence, changed=self._watched) for feed in feeds]

    def start(self) -> list[asyncio.Task[None]]:
        """Begin to list and watch, and to tell what can be used."""
        watches = [asyncio.create_task(informer.run(), name="platform") for informer in self._informers]
        return [*watches, asyncio.create_task(self._keep(), name="platform status")]

    @property
    def silence(self) -> float:
        """Seconds since the most silent of the watches was last heard."""
        now = time.monotonic()
        return max(now - informer.last_heard for informer in self._informers)

    def report_clusters(self, states: Mapping[str, ClusterState]) -> None:
        """Show in the status of the targets which clusters can be used, by the name of the connection."""
        self._clusters = dict(states)
        self._news.set()

    def _watched(self) -> None:
        self._news.set()
        self._changed()

    async def _keep(self) -> None:
        """Look at the platform whenever something is new, and again where that failed."""
        retry = _RETRY_FIRST
        while True:
            pause = None
            try:
                await self.look()
                retry = _RETRY_FIRST
            except OnboardingError as error:
                log.warning("the platform cannot be looked at", error=str(error))
                pause = retry
            except Exception:
                # A policy that breaks us must not end the operator, and with it the passes of every project.
                log.exception("looking at the platform broke")
                pause = retry
            if pause is not None:
                retry = min(retry * 2, _RETRY_LAST)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), pause)

    async def look(self) -> None:
        """Ask what is not known and write the statuses that are not true.

        OnboardingError where the hub does not answer, or refuses a status; what else can be written is written.
        """
        self._news.clear()
        if not all(informer.warm for informer in self._informers):
            return
        await self._ask()
        if not self.warm:
            self.warm = True
            self._changed()
        failures = [await self._write(due) for due in self._offered.due(self._clusters, datetime.now(UTC))]
        for failure in filter(None, failures):
            raise failure

    async def _ask(self) -> None:
        """Ask for the ClusterRoles of which nothing is known."""
        roles = sorted(self._offered.unasked_roles())
        states = await asyncio.gather(*(role_state(self._client, role) for role in roles))
        if self._offered.know_roles(dict(zip(roles, states, strict=True))):
            self._changed()
        if set(states) - {RoleState.USABLE} and self._doubt is None:
            self._doubt = asyncio.get_running_loop().call_later(_ASK_AGAIN, self._ask_again)

    def _ask_again(self) -> None:
        self._doubt = None
        self._offered.doubt_roles()
        self._news.set()

    async def _write(self, due: Due) -> ApiError | None:
        """Write a status; return why it was refused, unless its object is gone or another by now."""
        try:
            answer = await write_status(self._client, due)
        except ApiError as error:
            return None if error.status in (404, 409) else error
        if self._offered.take_answer(due.head.plural, answer):
            self._changed()
        return None

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
    declared: Declared, changed: Callable[[], None], project_changed: Callable[[str], None], news: Callable[[], object]
) -> tuple[Feed, Feed, Feed]:
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

    def decide(name: str, decision: OnboardingDecisionSpec | None) -> None:
        for project in declared.put_decision(name, decision):
            project_changed(project)

    return (
        _feed(POLICIES, put(POLICIES), drop(POLICIES), lambda: offered.names(POLICIES)),
        _feed(TARGETS, put(TARGETS), drop(TARGETS), lambda: offered.names(TARGETS)),
        _feed(
            "onboardingdecisions",
            lambda item: decide(item["metadata"]["name"], _decision(item)),
            lambda name: decide(name, None),
            declared.decision_names,
        ),
    )


def _decision(item: Manifest) -> OnboardingDecisionSpec | None:
    """Return what is decided; None where it was taken back, and where it is of a newer form than this operator's."""
    # One that is being deleted was taken back, whatever keeps it there.
    if "deletionTimestamp" in item["metadata"]:
        return None
    try:
        return OnboardingDecisionSpec.model_validate(item["spec"])
    except ValidationError as error:
        problem = told(unreadable(error))
        log.warning("a decision cannot be read and does not count", decision=item["metadata"]["name"], problem=problem)
        return None


def _feed(
    plural: str, put: Callable[[Manifest], None], drop: Callable[[str], None], known: Callable[[], Collection[str]]
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
    )
