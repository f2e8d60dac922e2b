"""The files a control plane needs, and the command line of each of its parts."""

import json
from dataclasses import dataclass
from pathlib import Path

from devcluster import kubeconfig
from devcluster.binaries import Binaries
from devcluster.certificates import SERVICE_NETWORK, Authority, create_signing_key

_MASTERS = "system:masters"

_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted", "Panic"],
    "rules": [{"level": "Metadata"}],
}


@dataclass(frozen=True)
class Layout:
    """Where the files of one control plane lie, and on which ports its parts listen."""

    directory: Path
    ports: dict[str, int]

    @property
    def pki(self) -> Path:
        """Return the folder of certificates and keys."""
        return self.directory / "pki"

    @property
    def data(self) -> Path:
        """Return the folder of etcd's data and the audit policy."""
        return self.directory / "data"

    @property
    def logs(self) -> Path:
        """Return the folder of the parts' logs and the audit log."""
        return self.directory / "logs"

    @property
    def authority(self) -> Authority:
        """Return the authority that API clients and servers trust."""
        return Authority(self.pki, "ca")

    @property
    def server(self) -> str:
        """Return the API server's address."""
        return f"https://127.0.0.1:{self.ports['kube-apiserver']}"

    def kubeconfig(self, name: str) -> Path:
        """Return the path of a kubeconfig."""
        return self.directory / "kubeconfigs" / name

    def log(self, part: str) -> Path:
        """Return the path of a part's log."""
        return self.logs / f"{part}.log"


def prepare(layout: Layout) -> None:
    """Write the certificates, keys and kubeconfigs of a new control plane."""
    for folder in (layout.pki, layout.data, layout.logs):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # etcd trusts an authority of its own: an API client's certificate must not open it.
    etcd = Authority(layout.pki, "etcd-ca").create()
    etcd.server("etcd")
    etcd.client("etcd-client", "kube-apiserver")
    authority = layout.authority.create()
    authority.server("server")
    create_signing_key(layout.pki / "service-accounts.key", layout.pki / "service-accounts.pub")
    (layout.data / "audit-policy.json").write_text(json.dumps(_AUDIT_POLICY))
    _write_kubeconfig(layout, "admin", "devcluster-admin", [_MASTERS])
    for part in ("kube-controller-manager", "kube-scheduler"):
        _write_kubeconfig(layout, part, f"system:{part}", [])


def _write_kubeconfig(layout: Layout, name: str, user: str, groups: list[str]) -> None:
    login = kubeconfig.certificate_user(layout.authority.client(name, user, groups))
    kubeconfig.write(layout.kubeconfig(name), layout.server, layout.authority.files.certificate, login)


def command(part: str, layout: Layout, binaries: Binaries) -> list[str | Path]:
    """Return the command line that starts a part."""
    flags = {
        "etcd": _etcd,
        "kube-apiserver": _apiserver,
        "kube-controller-manager": _controller_manager,
        "kube-scheduler": _scheduler,
    }[part](layout)
    return [binaries.parts[part], *(f"--{name}={value}" for name, value in flags.items())]


def _etcd(layout: Layout) -> dict[str, object]:
    pki = layout.pki
    client = f"https://127.0.0.1:{layout.ports['etcd']}"
    peer = f"https://127.0.0.1:{layout.ports['etcd-peer']}"
    return {
        "name": "devcluster",
        "data-dir": layout.data / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"devcluster={peer}",
        "client-cert-auth": "true",
        "trusted-ca-file": pki / "etcd-ca.crt",
        "cert-file": pki / "etcd.crt",
        "key-file": pki / "etcd.key",
        "peer-client-cert-auth": "true",
        "peer-trusted-ca-file": pki / "etcd-ca.crt",
        "peer-cert-file": pki / "etcd.crt",
        "peer-key-file": pki / "etcd.key",
        "quota-backend-bytes": 8 * 1024**3,
        # The data is thrown away anyway, and waiting for the disk is most of a write's time.
        "unsafe-no-fsync": "true",
    }


def _apiserver(layout: Layout) -> dict[str, object]:
    pki = layout.pki
    return {
        **_serving(layout, "kube-apiserver"),
        "advertise-address": "127.0.0.1",
        "etcd-servers": f"https://127.0.0.1:{layout.ports['etcd']}",
        "etcd-cafile": pki / "etcd-ca.crt",
        "etcd-certfile": pki / "etcd-client.crt",
        "etcd-keyfile": pki / "etcd-client.key",
        "client-ca-file": pki / "ca.crt",
        "authorization-mode": "RBAC",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": pki / "service-accounts.pub",
        "service-account-signing-key-file": pki / "service-accounts.key",
        "service-cluster-ip-range": SERVICE_NETWORK,
        # No pod reaches the API server through its Service here, and a loopback address is no valid endpoint.
        "endpoint-reconciler-type": "none",
        "audit-policy-file": layout.data / "audit-policy.json",
        "audit-log-path": layout.logs / "audit.log",
        # In megabytes: never rotated, so that whoever counts requests sees all of them.
        "audit-log-maxsize": 1_000_000,
    }


def _controller_manager(layout: Layout) -> dict[str, object]:
    pki = layout.pki
    return {
        **_serving(layout, "kube-controller-manager"),
        "kubeconfig": layout.kubeconfig("kube-controller-manager"),
        "leader-elect": "false",
        "use-service-account-credentials": "true",
        # Its default of 20 requests a second makes a start wait for 4 s, and would be what a measurement measures.
        "kube-api-qps": 200,
        "kube-api-burst": 400,
        "service-account-private-key-file": pki / "service-accounts.key",
        "root-ca-file": pki / "ca.crt",
        "cluster-signing-cert-file": pki / "ca.crt",
        "cluster-signing-key-file": pki / "ca.key",
    }


def _scheduler(layout: Layout) -> dict[str, object]:
    return {
        **_serving(layout, "kube-scheduler"),
        "kubeconfig": layout.kubeconfig("kube-scheduler"),
        "leader-elect": "false",
    }


def _serving(layout: Layout, part: str) -> dict[str, object]:
    return {
        "bind-address": "127.0.0.1",
        "secure-port": layout.ports[part],
        "tls-cert-file": layout.pki / "server.crt",
        "tls-private-key-file": layout.pki / "server.key",
    }
