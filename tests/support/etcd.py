"""Save and restore the etcd of a control plane, as after a disaster."""

import base64
import http.client
import json
import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devcluster import ControlPlane

_CONTROLLERS = ("kube-scheduler", "kube-controller-manager")


class Etcd:
    """The etcd of one control plane. All parts are restarted around a restore, as Kubernetes demands."""

    def __init__(self, cluster: ControlPlane) -> None:
        self._cluster = cluster
        self._data = cluster.directory / "data" / "etcd"
        self._port = json.loads((cluster.directory / "state.json").read_text())["ports"]["etcd"]

    def save(self, copy: Path) -> None:
        """Copy the data."""
        with self._stopped():
            shutil.copytree(self._data, copy)

    def restart(self) -> None:
        """Stop everything and start it again on the same data."""
        with self._stopped():
            pass

    def restore(self, copy: Path, *, beyond: int = 0) -> None:
        """Put a copy of the data back; raise its revision ``beyond`` one, as a restore with bumped revisions does."""
        with self._stopped():
            shutil.rmtree(self._data)
            shutil.copytree(copy, self._data)
            if beyond:
                self._cluster.start_part("etcd")
                while self._put() <= beyond:
                    pass
                self._cluster.stop_part("etcd")

    @contextmanager
    def _stopped(self) -> Iterator[None]:
        for part in (*_CONTROLLERS, "kube-apiserver", "etcd"):
            self._cluster.stop_part(part)
        yield
        for part in ("etcd", "kube-apiserver", *_CONTROLLERS):
            self._cluster.start_part(part)

    def _put(self) -> int:
        """Write a key that is nobody's, and return the revision."""
        pki = self._cluster.directory / "pki"
        tls = ssl.create_default_context(cafile=str(pki / "etcd-ca.crt"))
        tls.load_cert_chain(str(pki / "etcd-client.crt"), str(pki / "etcd-client.key"))
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, timeout=30, context=tls)
        try:
            key = base64.b64encode(b"/nobody").decode()
            connection.request("POST", "/v3/kv/put", json.dumps({"key": key, "value": key}))
            return int(json.loads(connection.getresponse().read())["header"]["revision"])
        finally:
            connection.close()
