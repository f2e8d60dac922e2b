"""Find out whether a cluster's admission policies are in force, by objects that they refuse to everybody.

The object is sent as a dry run, with an annotation that names the policy: the API server reports only the first of
several refusals, so every policy has an object of its own that no other of ours refuses.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from onboarding import names
from onboarding.adapters.client import MERGE_PATCH, METADATA_ONLY, Client
from onboarding.adapters.guard_states import (
    ALLOWED,
    STRIPPED,
    Form,
    GuardPolicy,
    PolicyAnswer,
    Standing,
    read_refusal,
)
from onboarding.adapters.informer import Feed, Informer
from onboarding.build.kinds import HUB, NAMESPACE, SERVICE_ACCOUNT, Manifest
from onboarding.errors import OnboardingError

_ADMISSION: Final = "/apis/admissionregistration.k8s.io/v1"
_POLICIES, _BINDINGS = "validatingadmissionpolicies", "validatingadmissionpolicybindings"
_KINDS: Final = {_POLICIES: "ValidatingAdmissionPolicy", _BINDINGS: "ValidatingAdmissionPolicyBinding"}
_PROJECTS: Final = f"/apis/{names.API_VERSION}/projectonboardings"
_ACCOUNT, _NAMESPACES, _OBJECTS, _DETACHED = names.GUARD_POLICIES
_OF_PROJECTS, _ = names.HUB_GUARD_POLICIES
_NAME: Final = "project-onboarding-guard-probe"
_TIMEOUT: Final = 10.0
"""Seconds for which somebody waits for the first answers at most."""
_DRY: Final = {"dryRun": "All", "fieldManager": names.MANAGER, "fieldValidation": "Strict"}

_EVENTS: Final = {
    Standing.PROVEN: "admission policy in force",
    Standing.MISSING: "admission policy not in force",
    Standing.UNKNOWN: "admission policy unconfirmed",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Guarding:
    """Whether a cluster may be written to, as far as its admission policies tell."""

    problem: str = ""
    """Which policy is not known to be in force, what was answered, and the remedy; empty where all of them are."""
    unknown: bool = False
    """Whether that is not known either way."""


@dataclass(frozen=True, slots=True)
class _Probe:
    method: str
    path: str
    body: Manifest
    content_type: str = "application/json"


class GuardProber:
    """Watches the admission policies and bindings of one cluster, and asks those that meet what the operator may write.

    They are asked at the start, when one of them has changed, and every ten minutes.
    """

    def __init__(
        self, cluster: str, client: Client, installation: str, *, idle_timeout: float, changed: Callable[[], None]
    ) -> None:
        """Call ``changed`` when a policy is proven to be in force, or is not any more."""
        self._cluster = cluster
        self._client = client
        self._installation = installation
        self._changed = changed
        of_hub = (*names.HUB_GUARD_POLICIES, names.INSIDERS_POLICY) if cluster == HUB else ()
        self._guards = {policy: GuardPolicy(policy) for policy in (*names.GUARD_POLICIES, *of_hub)}
        self._required = tuple(guard for guard in self._guards.values() if guard.policy != names.INSIDERS_POLICY)
        self._projects: Callable[[], Iterable[str]] = tuple
        self._heard: dict[str, dict[str, str]] = {_POLICIES: {}, _BINDINGS: {}}
        self._listed: set[str] = set()
        self._wake = {policy: asyncio.Event() for policy in self._guards}
        self._answered = asyncio.Event()
        feeds = (self._feed(plural) for plural in self._heard)
        self.informers = tuple(Informer(client, feed, idle_timeout=idle_timeout, changed=changed) for feed in feeds)

    def probe_projects(self, projects: Callable[[], Iterable[str]]) -> None:
        """Ask the policy on ProjectOnboardings by one of these: it meets no object that is being made."""
        self._projects = projects

    @property
    def warming(self) -> bool:
        """Whether a policy that can be asked has not answered since the start."""
        return any(guard.there and not guard.answered and self._can_ask(guard) for guard in self._guards.values())

    @property
    def state(self) -> Guarding:
        """Whether the cluster may be written to; what is missing is told before what is not known."""
        for guard in self._required:
            if guard.answer.standing is Standing.MISSING:
                return Guarding(self._told(guard))
        for guard in self._required:
            if guard.answer.standing is Standing.UNKNOWN and self._can_ask(guard):
                words = f"the admission policies have not answered yet: {guard.policy}: {guard.answer.reason}"
                return Guarding(words, unknown=True)
        return Guarding()

    @property
    def insiders_kept(self) -> bool:
        """Whether the policy on insiders was in force when it answered last."""
        return names.INSIDERS_POLICY in self._guards and self._guards[names.INSIDERS_POLICY].stood

    @property
    def detach_mark(self) -> str:
        """UID of the binding of the policy on detached namespaces; empty if there is none."""
        form = self._guards[_DETACHED].form
        return form.binding.partition("/")[0] if form else ""

    @property
    def former_detach_mark(self) -> str:
        """UID of the binding under which a former version detached namespaces; empty if there is none."""
        return self._heard[_BINDINGS].get(names.FORMER_DETACHED_BINDING, "").partition("/")[0]

    def wake(self) -> None:
        """Ask what is due: no event of the policies tells that there is a project to ask by."""
        for guard in self._guards.values():
            if self._is_due(guard):
                self._wake[guard.policy].set()

    async def first_answers(self) -> None:
        """Return when every policy that is due and not proven has answered, or has had time enough to."""
        self.wake()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TIMEOUT):
                while any(map(self._holds_up, self._guards.values())):
                    self._answered.clear()
                    await self._answered.wait()

    async def run(self) -> None:
        """Ask each policy whenever that is due, for as long as the operator lives; a slow answer delays no other."""
        await asyncio.gather(*(self._attend(guard) for guard in self._guards.values()))

    async def _attend(self, guard: GuardPolicy) -> None:
        wake = self._wake[guard.policy]
        while True:
            wake.clear()
            if guard.due_at <= time.monotonic() and self._can_ask(guard):
                await self._ask(guard)
            pause = max(0.0, guard.due_at - time.monotonic()) if self._can_ask(guard) else None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), pause)

    def _can_ask(self, guard: GuardPolicy) -> bool:
        """Return whether there is something to ask by: the operator makes no decisions, and only changes projects."""
        projects = guard.policy == _OF_PROJECTS and next(iter(self._projects()), None) is not None
        return projects or guard.policy in (*names.GUARD_POLICIES, names.INSIDERS_POLICY)

    def _is_due(self, guard: GuardPolicy) -> bool:
        return guard.there and self._can_ask(guard) and guard.due_at <= time.monotonic()

    def _holds_up(self, guard: GuardPolicy) -> bool:
        return self._is_due(guard) and guard.answer.standing is not Standing.PROVEN

    async def _ask(self, guard: GuardPolicy) -> None:
        form = guard.form
        answer = await self._send(guard.policy, self._probe(guard.policy))
        news = guard.take(form, answer, time.monotonic())
        self._answered.set()
        if news:
            self._tell(guard)

    async def _send(self, policy: str, probe: _Probe) -> PolicyAnswer:
        try:
            kept = await self._client.request(
                probe.method,
                probe.path,
                query=_DRY,
                body=probe.body,
                content_type=probe.content_type,
                accept=METADATA_ONLY.format(list=""),
            )
        except OnboardingError as error:
            return read_refusal(policy, error)
        annotations = kept["metadata"].get("annotations") or {}
        return ALLOWED if names.ANNOTATION_GUARD_PROBE in annotations else STRIPPED

    def _probe(self, policy: str) -> _Probe:
        # A value of its own each time: a project that carries the annotation from before would not be changed.
        mark = {names.ANNOTATION_GUARD_PROBE: f"{policy}/{secrets.token_hex(4)}"}
        ours = {names.LABEL_MANAGED_BY: names.MANAGER, names.LABEL_INSTALLATION: self._installation}
        if policy == _OF_PROJECTS:
            project = secrets.choice(tuple(self._projects()))
            return _Probe("PATCH", f"{_PROJECTS}/{project}", {"metadata": {"annotations": mark}}, MERGE_PATCH)
        if policy in (_NAMESPACES, _DETACHED):
            labels = {**ours, f"{names.POD_SECURITY_PREFIX}enforce": "restricted"}
            metadata = {"name": _NAME, "labels": labels, "annotations": mark}
            return _Probe("POST", NAMESPACE.path(), {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        # Without our labels it meets the policy on the operator's account alone; the one on insiders goes by its name.
        metadata = {"name": _NAME, "labels": {} if policy == _ACCOUNT else ours, "annotations": mark}
        body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
        return _Probe("POST", SERVICE_ACCOUNT.path(names.SYNC_NAMESPACE), body)

    def _feed(self, plural: str) -> Feed:
        def complete(listed: AbstractSet[tuple[str, str]], _version: int) -> None:
            there = {name for _, name in listed}
            self._heard[plural] = {name: form for name, form in self._heard[plural].items() if name in there}
            self._listed.add(plural)
            self._look()

        return Feed(
            cluster=self._cluster,
            kind=_KINDS[plural],
            path=f"{_ADMISSION}/{plural}",
            query={},
            metadata_only=True,
            on_update=partial(self._change, plural),
            on_list=complete,
            on_delete=partial(self._change, plural, gone=True),
        )

    def _change(self, plural: str, item: Manifest, *, gone: bool = False) -> None:
        metadata = item["metadata"]
        if metadata["name"] not in {*self._guards, names.FORMER_DETACHED_BINDING}:
            return
        form = "" if gone else f"{metadata['uid']}/{metadata.get('generation', '')}"
        self._heard[plural][metadata["name"]] = form
        self._look()

    def _look(self) -> None:
        """Compare what was heard with what was asked, once both lists are complete."""
        if self._listed != self._heard.keys():
            return
        now = time.monotonic()
        for policy, guard in self._guards.items():
            policies, bindings = self._heard[_POLICIES], self._heard[_BINDINGS]
            if guard.observe(Form(policies.get(policy, ""), bindings.get(policy, "")), now):
                self._wake[policy].set()
                self._tell(guard)

    def _told(self, guard: GuardPolicy) -> str:
        folder = "manifests/install" if self._cluster == HUB else "manifests/site"
        return (
            f"admission policy {guard.policy} is not in force: {guard.answer.reason}. "
            f"Apply {folder} there (kubectl apply --server-side -k), or your own kustomization of it, "
            "or upgrade the Helm release"
        )

    def _tell(self, guard: GuardPolicy) -> None:
        standing, reason = guard.answer.standing, guard.answer.reason
        optional = guard.policy == names.INSIDERS_POLICY or standing is Standing.UNKNOWN
        quiet = log.debug if optional and not guard.answered else log.warning
        say = log.info if standing is Standing.PROVEN else quiet
        say(_EVENTS[standing], cluster=self._cluster, kind=_KINDS[_POLICIES], name=guard.policy, error=reason)
        self._changed()
