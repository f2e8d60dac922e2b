"""The three files by which a pod logs in, as a kubelet writes and renews them."""

from pathlib import Path

from devcluster.cluster import Cluster


class ServiceAccountFiles:
    """Token, authority and namespace in a folder; each token can be revoked by itself."""

    def __init__(self, cluster: Cluster, namespace: str, name: str, folder: Path) -> None:
        self.folder = folder
        self._cluster = cluster
        self._namespace = namespace
        self._name = name

    def write(self, ca_file: Path | None = None) -> None:
        """Write all three, with a new token; the authority is the cluster's, unless another is given."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._put("ca.crt", (ca_file or self._cluster.ca_file).read_text())
        self._put("namespace", self._namespace)
        self._put("token", self._cluster.service_account_token(self._namespace, self._name))

    def renew(self, bound_to: str) -> None:
        """Put a new token in the place of the one that is there.

        It is bound to a Secret of that name, made for this: the API server refuses the token when the Secret is gone.
        """
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": bound_to, "namespace": self._namespace},
        }
        self._cluster.apply(secret)
        binding = ("--bound-object-kind=Secret", f"--bound-object-name={bound_to}")
        self._put("token", self._cluster.service_account_token(self._namespace, self._name, *binding))

    def revoke(self, bound_to: str) -> None:
        """Have the API server refuse the token that is bound to a Secret."""
        self._cluster.kubectl("delete", "secret", bound_to, f"--namespace={self._namespace}")

    def _put(self, name: str, content: str) -> None:
        """Replace a file at once, so that no reader sees half of it."""
        unfinished = self.folder / f".{name}"
        unfinished.write_text(content)
        unfinished.chmod(0o444)
        unfinished.replace(self.folder / name)
