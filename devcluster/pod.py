"""A pod of a Deployment as a process of this machine, held to what the pod's description gives it.

It sees the files of its image, read-only, and the volumes that are mounted; it runs as the user that the description
names, without capabilities, and knows no environment but what image, description and kubelet give. There is no entry
for its user in /etc/passwd, no HOME and no kubeconfig. The network is this machine's, and no seccomp profile applies.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from devcluster.cluster import Cluster
from devcluster.errors import DevclusterError
from devcluster.image import Image
from devcluster.service_account import ServiceAccountFiles

_SANDBOX = Path(__file__).with_name("sandbox.py")
_ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
_NO_SANDBOX = (
    "a pod cannot be played here: this needs root, or user namespaces for everybody (unshare --user --mount, from "
    "util-linux; some systems switch them off: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone)"
)

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Pod:
    """The one container of a Deployment's pod, and what its kubelet would put beside it."""

    cluster: Cluster
    namespace: str
    template: Manifest
    """``spec.template.spec`` of the Deployment, as the API server holds it."""
    account: ServiceAccountFiles
    folder: Path

    @classmethod
    def of_deployment(cls, cluster: Cluster, namespace: str, name: str, folder: Path) -> "Pod":
        """Read a Deployment that was applied to a cluster; what belongs to the pod lies in a folder."""
        answer = cluster.kubectl("get", "deployment", name, f"--namespace={namespace}", "--output=json")
        return cls.of_template(cluster, namespace, json.loads(answer.stdout)["spec"]["template"]["spec"], folder)

    @classmethod
    def of_template(cls, cluster: Cluster, namespace: str, template: Manifest, folder: Path) -> "Pod":
        """Take the description itself, with the API server's defaults."""
        folder.mkdir(parents=True, exist_ok=True)
        account = ServiceAccountFiles(cluster, namespace, template["serviceAccountName"], folder / "serviceaccount")
        return cls(cluster, namespace, template, account, folder)

    def command(self, image: Image, deviation: "Deviation | None" = None, *, tied: bool = True) -> list[str]:
        """Return the command that becomes the container's process; its process id stays the one it is started with.

        Unless it is ``tied`` to the process that starts it, it lives on when that ends.
        """
        changed = deviation or Deviation()
        if self.template.get("automountServiceAccountToken", True):
            self.account.write(changed.ca_file)
        spec = self.folder / "sandbox.json"
        root = self.folder / "root"
        root.mkdir(exist_ok=True)
        spec.write_text(json.dumps({"root": str(root), "tied": tied, **self._sandbox(image, changed)}))
        return [*_namespaces(self._user(changed)), sys.executable, "-I", str(_SANDBOX), str(spec)]

    def _sandbox(self, image: Image, changed: "Deviation") -> Manifest:
        container = self.template["containers"][0]
        security = {**self.template.get("securityContext", {}), **container.get("securityContext", {})}
        uid, gid = self._user(changed)
        return {
            "image": image.described(),
            "command": [*container.get("command", image.entrypoint), *container.get("args", image.arguments)],
            "directory": container.get("workingDir", image.directory),
            "environment": {**image.environment, **self._environment(container, changed)},
            "volumes": [*self._volumes(container), *changed.volumes()],
            "uid": uid,
            "gid": gid,
            "readOnly": security.get("readOnlyRootFilesystem", False),
            "noNewPrivileges": not security.get("allowPrivilegeEscalation", True),
            "dropped": security.get("capabilities", {}).get("drop", []),
        }

    def _user(self, changed: "Deviation") -> tuple[int, int]:
        security = {**self.template.get("securityContext", {})}
        return (changed.uid, 0) if changed.uid else (security["runAsUser"], security["runAsGroup"])

    def _environment(self, container: Manifest, changed: "Deviation") -> dict[str, str]:
        server = urlsplit(changed.server or self.cluster.server)
        given = {item["name"]: self._value(item) for item in container.get("env", [])}
        return {
            "HOSTNAME": socket.gethostname(),
            "KUBERNETES_SERVICE_HOST": server.hostname or "",
            "KUBERNETES_SERVICE_PORT": str(server.port or 443),
            **given,
            **changed.environment,
        }

    def _value(self, item: Manifest) -> str:
        if "value" in item:
            return str(item["value"])
        path = item.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        if path != "metadata.namespace":
            raise DevclusterError(f"the variable {item['name']} takes its value from where a pod here has none: {item}")
        return self.namespace

    def _volumes(self, container: Manifest) -> list[Manifest]:
        declared = {volume["name"]: volume for volume in self.template.get("volumes", [])}
        found: list[Manifest] = []
        for mount in container.get("volumeMounts", []):
            volume = declared[mount["name"]]
            if "emptyDir" not in volume:
                raise DevclusterError(f"a pod here has empty folders as volumes and no others: {volume}")
            found.append({"path": mount["mountPath"], "size": volume["emptyDir"].get("sizeLimit", "")})
        if self.template.get("automountServiceAccountToken", True):
            found.append({"path": _ACCOUNT_FOLDER, "source": str(self.account.folder)})
        return found


@dataclass(frozen=True)
class Deviation:
    """What is otherwise than the Deployment and its cluster say, as a site's own patch could make it."""

    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    """Files of this machine, by their path in the pod."""
    folders: Mapping[str, Path] = field(default_factory=dict)
    """Folders of this machine that the pod may write to, by their path in the pod."""
    server: str = ""
    """Another address of the API server."""
    ca_file: Path | None = None
    """The authority of that address."""
    uid: int = 0
    """Another user, of the group root: OpenShift gives each namespace a range of its own."""

    def volumes(self) -> list[Manifest]:
        """Return the mounts of the files and folders."""
        files = [{"path": path, "source": str(source)} for path, source in self.files.items()]
        return [
            *files,
            *({"path": path, "source": str(source), "writable": True} for path, source in self.folders.items()),
        ]


def _namespaces(user: tuple[int, int]) -> Sequence[str]:
    """Return what gives a process mounts of its own: root can, and else a user namespace in which we are that user."""
    unshare = shutil.which("unshare")
    if unshare is None or shutil.which("setpriv") is None:
        raise DevclusterError(f"{_NO_SANDBOX}; unshare or setpriv is missing: install util-linux")
    words = [unshare, "--mount", "--propagation=private"]
    if os.geteuid() != 0:
        uid, gid = user
        words += ["--user", f"--map-user={uid}", f"--map-group={gid}", "--keep-caps"]
    tried = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise DevclusterError(f"{_NO_SANDBOX}; {' '.join(words)}: {tried.stderr.strip()}")
    return words
