"""What people decide for all projects: policies, targets and decisions, and the definitions of our kinds.

These are watched by our own informers, because Kopf does not tell of what was deleted while its watch was broken: a
decision that was taken back must not go on counting. Beside them one task asks for the ClusterRoles that policies
name, and tells in the status of each policy and target whether it can be used.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

import structlog

from onboarding.adapters.client import Client
from onboarding.adapters.events import Regarding, post
from onboarding.adapters.informer import Informer
from onboarding.adapters.rights import role_state
from onboarding.adapters.status import kind_of, write_status
from onboarding.errors import ApiError, OnboardingError
from onboarding.reconcile.observed.platform import Due
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.reconcile.observed.validity import RoleState
from onboarding.reconcile.status.refusals import Refusals, refuses_status
from onboarding.runtime.definitions import Definitions
from onboarding.runtime.feeds import platform_feeds, project_feed

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
        declared: ProjectCache,
        *,
        silence: float,
        changed: Callable[[], None],
        project_changed: Callable[[str], None],
        kopf_watches: Callable[[], Awaitable[None]],
    ) -> None:
        """Call ``changed`` with what may concern every project, ``project_changed`` with what concerns one.

        ``kopf_watches`` returns when Kopf has taken up its watch on projects again.
        """
        self._client = client
        self._offered = declared.offered
        self._changed = changed
        self._news = asyncio.Event()
        self._refusals = Refusals()
        self._clusters: Mapping[str, ClusterState] = {}
        self._doubt: asyncio.TimerHandle | None = None
        self.warm = False
        """Whether everything has been listed once, and the ClusterRoles of the policies have been asked about."""
        self.definitions = Definitions(
            client, silence=silence, reads=lambda: declared.reads, read_again=self._read_again, changed=self._watched
        )
        lately = self.definitions.changed_lately
        feeds = platform_feeds(declared, changed, project_changed, self._news.set, lately)
        self._informers = [Informer(client, feed, silence=silence, changed=self._watched) for feed in feeds]
        projects = project_feed(declared, project_changed, lately, kopf_watches)
        self._projects = Informer(client, projects, silence=silence, changed=lambda: None)

    def start(self) -> list[asyncio.Task[None]]:
        """Begin to list and watch, and to tell what can be used; the definitions have been looked at before."""
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
    def silence(self) -> float:
        """Seconds since the most silent of the watches was last heard."""
        now = time.monotonic()
        return max(now - item.last_heard for item in (*self._informers, *self.definitions.informers))

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
        if await self.definitions.confirm():
            return
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
        head = due.head
        try:
            answer = await write_status(self._client, head.plural, head.name, due.status, uid=head.uid)
        except ApiError as error:
            if refuses_status(error):
                regarding = Regarding(kind_of(head.plural), head.name, head.uid)
                await post(self._client, regarding, self._refusals.take(head.uid, error))
            return None if error.status in (404, 409) else error
        self._refusals.end(head.uid)
        if self._offered.take_answer(head.plural, answer):
            self._changed()
        return None
