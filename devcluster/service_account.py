"""The three files by which a pod logs in, as a kubelet writes and renews them."""

import zlib
from pathlib import Path

from devcluster.cluster import Cluster


class ServiceAccountFiles:
    """Token, authority and namespace in a folder.

    A kubelet's token is bound to its pod; here there is none, so each is bound to a Secret made for it.
    """

    def __init__(self, cluster: Cluster, namespace: str, name: str, folder: Path) -> None:
        self.folder = folder
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._renewals = 0

    def write(self, ca_file: Path | None = None) -> None:
        """Write all three; the authority is the cluster's, unless another is given."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._put("ca.crt", (ca_file or self._cluster.ca_file).read_text())
        self._put("namespace", self._namespace)
        self.renew()

    def renew(self) -> None:
        """Put a new token in the place of the one that is there, which stays valid."""
        self._renewals += 1
        metadata = {"name": self._bound_to(self._renewals), "namespace": self._namespace}
        self._cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
        binding = ("--bound-object-kind=Secret", f"--bound-object-name={metadata['name']}")
        self._put("token", self._cluster.service_account_token(self._namespace, self._name, *binding))

    def revoke_former(self) -> None:
        """Have the API server refuse the token before the last renewal."""
        secret = self._bound_to(self._renewals - 1)
        self._cluster.kubectl("delete", "secret", secret, f"--namespace={self._namespace}")

    def _bound_to(self, number: int) -> str:
        return f"token-{zlib.crc32(str(self.folder).encode()):08x}-{number}"

    def _put(self, name: str, content: str) -> None:
        """Replace a file at once, so that no reader sees half of it."""
        unfinished = self.folder / f".{name}"
        unfinished.write_text(content)
        unfinished.chmod(0o444)
        unfinished.replace(self.folder / name)
