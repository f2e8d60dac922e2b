"""Settings of the Argo CDs that targets use: one named ConfigMap each, read again from time to time.

Nothing watches them: the operator may read that one object, and a watch would need the right to list all of them.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import structlog

from onboarding.adapters.cluster import KubeCluster
from onboarding.api.delivery import Delivery
from onboarding.api.target import HostingTargetSpec
from onboarding.backoff import jittered
from onboarding.checks.argocd_settings import ArgoSettings
from onboarding.errors import ApiError, OnboardingError
from onboarding.reconcile.observed.argocd_settings import CONFIG_MAP, ArgoCDAt, argocd_of, argocds, unsafe_settings

PERIOD: Final = 30.0
"""Seconds after which the settings of an Argo CD are read again."""
SOON: Final = 10.0
"""Seconds after which they are read again if something is unsafe or unknown: a correction is noticed soon."""
_PATIENCE: Final = 5
"""Requests in a row without an answer after which the settings are unknown."""

log = structlog.get_logger(__name__)


class ArgoCDSettings:
    """The settings of the Argo CDs that the usable targets name, by target and site."""

    def __init__(
        self,
        connected: Callable[[], Iterable[KubeCluster]],
        targets: Callable[[], Mapping[str, HostingTargetSpec]],
        delivery: Callable[[], Delivery],
        *,
        changed: Callable[[Mapping[tuple[str, str], ArgoSettings]], None],
    ) -> None:
        """``connected`` returns the clusters with a connection, ``delivery`` the rules of the policy in force.

        Call ``changed`` with the settings, by target and site, when something else is true; one that has not been read
        yet is missing.
        """
        self._connected = connected
        self._targets = targets
        self._delivery = delivery
        self._changed = changed
        self._data: dict[ArgoCDAt, Mapping[str, str] | str] = {}
        """What each ConfigMap holds, or why it cannot be read."""
        self._unanswered: dict[ArgoCDAt, int] = {}
        """Requests without an answer, in a row."""
        self._wake = asyncio.Event()
        self.known: Mapping[tuple[str, str], ArgoSettings] = {}
        """As last told, by target and site."""

    def wake(self) -> None:
        """Look again: targets, clusters or the policy have changed."""
        self._wake.set()

    async def run(self) -> None:
        """Read the settings for as long as the operator lives: those that are new at once, all from time to time."""
        due_at = 0.0
        while True:
            self._wake.clear()
            whole = time.monotonic() >= due_at
            try:
                await self.look(whole=whole)
            except Exception:
                # Settings that trigger a bug must not end the operator.
                log.exception("settings of Argo CD panicked")
            unsettled = any(item.unsafe or item.unknown for item in self.known.values())
            if whole:
                due_at = time.monotonic() + jittered(SOON if unsettled else PERIOD)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(0.0, due_at - time.monotonic()))

    async def look(self, *, whole: bool = True) -> None:
        """Read every ConfigMap, or those that are new, and judge the settings by the targets and the policy of now."""
        clusters = {cluster.name: cluster for cluster in self._connected() if cluster.state.known}
        places = argocds(self._targets())
        due = [at for at in places if at.cluster in clusters and (whole or at not in self._data)]
        found = await asyncio.gather(*(self._read(clusters[at.cluster], at) for at in due))
        data = {**self._data, **dict(zip(due, found, strict=True))}
        self._data = {at: data[at] for at in places if at in data}
        known = dict(self._judged())
        if known != self.known:
            log.info("settings of Argo CD changed", changes=len({*known.items()} - {*self.known.items()}))
            self.known = known
            self._changed(known)

    async def _read(self, cluster: KubeCluster, at: ArgoCDAt) -> Mapping[str, str] | str:
        """Return the content of a ConfigMap, or why it cannot be read; one request without answer changes nothing."""
        path = f"/api/v1/namespaces/{at.namespace}/configmaps/{CONFIG_MAP}"
        try:
            answer = await cluster.client.request("GET", path)
        except ApiError as error:
            self._unanswered.pop(at, None)
            return _problem(error)
        except OnboardingError as error:
            self._unanswered[at] = self._unanswered.get(at, 0) + 1
            words = f"no answer: {error}"
            return self._data.get(at, words) if self._unanswered[at] <= _PATIENCE else words
        self._unanswered.pop(at, None)
        data: Mapping[str, str] = answer.get("data") or {}
        return data

    def _judged(self) -> Iterable[tuple[tuple[str, str], ArgoSettings]]:
        targets, delivery = self._targets(), self._delivery()
        servers = argocds(targets)
        for name, target in targets.items():
            for site in target.sites:
                at = argocd_of(site)
                data = self._data.get(at)
                if site.lost or data is None:
                    continue
                if isinstance(data, str):
                    yield (name, site.name), ArgoSettings(str(at), unknown=data)
                else:
                    unsafe = unsafe_settings(data, delivery, sorted(servers[at]), hub=at.on_hub)
                    yield (name, site.name), ArgoSettings(str(at), tuple(unsafe))


def _problem(error: ApiError) -> str:
    """Return why a ConfigMap cannot be read, with the remedy, without words of the server that may vary."""
    if error.status == 403:
        return "the operator may not read it: apply manifests/argocd-settings, or set argocdSettings of the chart"
    if error.status == 404:
        return "it does not exist: correct argocd.namespace of the HostingTarget, or install Argo CD there"
    return f"the server answers {error.status} {error.reason}"
