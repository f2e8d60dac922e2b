"""What can be done with any cluster for which an administrator's kubeconfig is at hand."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devcluster import kubeconfig as kubeconfigs
from devcluster.errors import KubectlError

_TOKEN_LIFETIME = "720h"  # noqa: S105 - a duration


@dataclass
class Cluster:
    """A cluster, and the folder for the files that belong to it."""

    directory: Path
    server: str
    ca_file: Path
    kubeconfig: Path
    kubectl_binary: Path

    def kubectl(
        self, *args: str, stdin: str | None = None, kubeconfig: Path | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl, as the administrator unless another kubeconfig is named."""
        # The default cache is keyed by address: it would remember the API of an earlier cluster on the same port.
        environment = {**os.environ, "KUBECACHEDIR": str(self.directory / "data" / "kubectl")}
        done = subprocess.run(
            [self.kubectl_binary, f"--kubeconfig={kubeconfig or self.kubeconfig}", *args],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        if check and done.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(args)} ended with {done.returncode}: {done.stderr.strip()}")
        return done

    def apply(self, *objects: dict[str, Any]) -> None:
        """Make objects what they are given as, whoever wrote them before."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self.kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=text)

    def kubeconfig_for_service_account(self, namespace: str, name: str) -> Path:
        """Write a kubeconfig that holds a token of a service account."""
        path = self.directory / "kubeconfigs" / f"service-account-{namespace}-{name}"
        user = kubeconfigs.token_user(self.service_account_token(namespace, name))
        return kubeconfigs.write(path, self.server, self.ca_file, user)

    def service_account_token(self, namespace: str, name: str, *options: str) -> str:
        """Return a token of a service account that outlives any test or demo; options are those of kubectl."""
        lifetime = f"--duration={_TOKEN_LIFETIME}"
        token = self.kubectl("create", "token", name, f"--namespace={namespace}", lifetime, *options)
        return token.stdout.strip()
