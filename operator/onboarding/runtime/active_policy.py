"""The policy in force, as far as it configures adapters: which probes are made, which Secrets are read."""

import os
from collections.abc import Awaitable, Mapping
from functools import partial

from onboarding.adapters.client import Client
from onboarding.adapters.probes.late import late_asks
from onboarding.adapters.probes.runner import ProbeRunner
from onboarding.adapters.secrets import KubeSecrets, read_secret_key
from onboarding.adapters.workloads.ask import ask_workloads
from onboarding.api.probes import Probes
from onboarding.checks.probe import RefusedPodsRequest, WorkloadsFacts, WorkloadsRequest
from onboarding.reconcile.observed.ports import Cluster
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.settings import Settings


class ActivePolicy:
    """Configures the probe runner and the reader of Secrets."""

    def __init__(
        self,
        settings: Settings,
        hub: Client,
        declared: ProjectCache,
        clusters: Mapping[str, Cluster],
        runner: ProbeRunner,
        secrets: KubeSecrets,
    ) -> None:
        self._name = settings.policy
        self._read_secret = partial(read_secret_key, hub, settings.namespace)
        self._declared = declared
        self._clusters = clusters
        self._runner = runner
        self._secrets = secrets
        self._probes: Probes | None = None

    def refresh(self) -> None:
        """Configure by the policy in force; if none is, everything stays as it is."""
        policy, _ = self._declared.policy(self._name)
        if policy is None:
            return
        if policy.probes != self._probes:
            self._probes = policy.probes
            self._configure(policy.probes)
        self._secrets.follow({credential.secret for credential in policy.delivery.credentials})

    def _configure(self, probes: Probes) -> None:
        hub = os.environ.get("KUBERNETES_SERVICE_HOST")
        asks = late_asks(probes, self._read_secret, never=(hub,) if hub else ())

        def ask(request: WorkloadsRequest) -> Awaitable[WorkloadsFacts]:
            return ask_workloads(self._clusters, request)

        self._runner.configure(probes, {**asks, WorkloadsRequest: ask, RefusedPodsRequest: ask})
