"""Reconciler of the platform's own objects: OnboardingPolicies, HostingTargets, OnboardingDecisions, definitions.

Our own informers watch them, because Kopf does not report an object that was deleted while its watch was broken: a
decision that was taken back must not go on counting. Beside them one task looks up the ClusterRoles that policies name,
and writes to the status of each policy and target whether projects can use it.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from onboarding.adapters.client import Client
from onboarding.adapters.events import Regarding, post
from onboarding.adapters.informer import Informer
from onboarding.adapters.rights import role_state
from onboarding.adapters.status import kind_of, write_status
from onboarding.backoff import Backoff
from onboarding.errors import ApiError, OnboardingError, UnreachableError
from onboarding.reconcile.observed.platform_objects import Due
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.reconcile.status.events import platform_events
from onboarding.reconcile.status.refusals import Refusals, refuses_status
from onboarding.repeats import Repeats
from onboarding.runtime.definitions import Definitions
from onboarding.runtime.feeds import platform_feeds, project_feed
from onboarding.runtime.policy_changes import PolicyChanges
from onboarding.runtime.site_roles import SiteRoles

_ASK_FIRST = 1.0
_ASK_LAST = 10.0
"""Seconds until a ClusterRole that cannot be bound is looked up again: a right that was added is noticed soon."""
_RETRY_FIRST = 1.0
_RETRY_LAST = 300.0

log = structlog.get_logger(__name__)


class Platform:
    """Keeps policies, targets and decisions in the cache up to date, and their statuses true."""

    def __init__(
        self,
        client: Client,
        declared: ProjectCache,
        *,
        idle_timeout: float,
        changed: Callable[[], None],
        project_changed: Callable[[str], None],
        kopf_watches: Callable[[], Awaitable[None]],
        policy_changes: PolicyChanges,
        site_roles: SiteRoles | None = None,
    ) -> None:
        """Call ``changed`` if every project may be concerned, ``project_changed`` if one is.

        ``kopf_watches`` returns when Kopf has opened its watch on projects again.
        """
        self._client = client
        self._offered = declared.offered
        self._changed = changed
        self._news = asyncio.Event()
        self.policy_changes = policy_changes
        policy_changes.news.connect(self._news.set)
        self._refusals = Refusals()
        self._repeats = Repeats()
        self._clusters: Mapping[str, ClusterState] = {}
        self._site_roles = site_roles
        self._doubt: asyncio.TimerHandle | None = None
        self._doubts = Backoff(_ASK_FIRST, _ASK_LAST)
        self.warm = False
        """Whether everything has been listed once, and the ClusterRoles of the policies have been looked up."""
        self.definitions = Definitions(
            client,
            idle_timeout=idle_timeout,
            reads=lambda: declared.reads,
            read_again=self._read_again,
            changed=self._watched,
        )
        lately = self.definitions.changed_lately
        feeds = platform_feeds(declared, changed, project_changed, self._news.set, lately)
        self._informers = [Informer(client, feed, idle_timeout=idle_timeout, changed=self._watched) for feed in feeds]
        projects = project_feed(declared, project_changed, lately, kopf_watches)
        self._projects = Informer(client, projects, idle_timeout=idle_timeout, changed=lambda: None)

    def start(self) -> list[asyncio.Task[None]]:
        """Start the informers, and the task that writes statuses; the definitions have been read before."""
        watches = [asyncio.create_task(informer.run(), name="platform") for informer in self._informers]
        return [
            *self.definitions.start(),
            *watches,
            asyncio.create_task(self._projects.run(), name="projects"),
            asyncio.create_task(self._keep(), name="platform status"),
        ]

    async def _read_again(self) -> None:
        await asyncio.gather(*(informer.read_again() for informer in (*self._informers, self._projects)))

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last byte of the most silent watch."""
        now = time.monotonic()
        return max(now - item.last_activity for item in (*self._informers, *self.definitions.informers))

    def report_clusters(self, states: Mapping[str, ClusterState]) -> None:
        """Show in the status of the targets which clusters are reachable; ``states`` are by name of the connection."""
        self._clusters = dict(states)
        self._news.set()

    def settings_changed(self) -> None:
        """Show in the status of the targets which settings of their Argo CDs are unsafe."""
        self._news.set()

    @property
    def clusters(self) -> Mapping[str, ClusterState]:
        """The states of the clusters as the targets report them, with the ClusterRoles that a site lacks."""
        problems = self._site_roles.problems() if self._site_roles else {}
        return {name: replace(state, role_problem=problems.get(name, "")) for name, state in self._clusters.items()}

    def _watched(self) -> None:
        self._news.set()
        self._changed()

    async def _keep(self) -> None:
        """Reconcile whenever something is new; back off if that fails."""
        backoff = Backoff(_RETRY_FIRST, _RETRY_LAST)
        while True:
            pause = None
            try:
                await self.look()
                pause = self.policy_changes.pause
                backoff.reset()
                self._repeats.end("")
            except OnboardingError as error:
                unreachable = isinstance(error, UnreachableError)
                if self._repeats.due("", str(error)):
                    log.warning(
                        "platform unreachable" if unreachable else "platform reconcile failed", error=str(error)
                    )
                pause = backoff.next()
            except Exception:
                # A policy that triggers a bug must not end the operator, and with it the reconciles of every project.
                log.exception("platform reconcile panicked")
                pause = backoff.next()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), pause)

    async def look(self) -> None:
        """Look up the ClusterRoles that are not known, and write the statuses that have changed.

        Raises OnboardingError if the hub does not answer, or refuses a status; the other statuses are written first.
        """
        self._news.clear()
        if not all(informer.warm for informer in self._informers):
            return
        doubtful = await self._ask()
        if self._site_roles is not None:
            doubtful |= await self._site_roles.look()
        self._ask_later(doubtful=doubtful)
        if not self.warm:
            self.warm = True
            self._changed()
        if await self.definitions.confirm():
            return
        change = self.policy_changes.report()
        failures = [await self._write(due) for due in self._offered.due(self.clusters, datetime.now(UTC), change)]
        for failure in filter(None, failures):
            raise failure

    async def _ask(self) -> bool:
        """Look up the ClusterRoles that are not known; return whether one is unusable."""
        roles = sorted(self._offered.unasked_roles())
        states = await asyncio.gather(*(role_state(self._client, role) for role in roles))
        if self._offered.know_roles(dict(zip(roles, states, strict=True))):
            self._changed()
        return self._offered.has_unusable_roles

    def _ask_later(self, *, doubtful: bool) -> None:
        """Look up again what is unusable, later and later."""
        if not doubtful:
            self._doubts.reset()
        elif self._doubt is None:
            self._doubt = asyncio.get_running_loop().call_later(self._doubts.next(), self._ask_again)

    def _ask_again(self) -> None:
        self._doubt = None
        self._offered.doubt_roles()
        self._news.set()

    async def _write(self, due: Due) -> ApiError | None:
        """Write a status; return why it was refused, unless the object is gone or replaced by now."""
        head, regarding = due.head, Regarding(kind_of(due.head.plural), due.head.name, due.head.uid)
        try:
            answer = await write_status(self._client, head.plural, head.name, due.status, uid=head.uid)
        except ApiError as error:
            if refuses_status(error):
                await post(self._client, regarding, self._refusals.take(head.uid, error))
            return None if error.status in (404, 409) else error
        self._refusals.end(head.uid)
        if self._offered.put(head.plural, answer, is_answer=True):
            self._changed()
        await post(self._client, regarding, platform_events(head.status, due.status))
        return None
