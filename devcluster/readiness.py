"""Questions that tell whether a part of a control plane is ready."""

import http.client
import ssl

from devcluster.commands import Layout

_NAMESPACE = "/api/v1/namespaces/default"


def is_ready(part: str, layout: Layout) -> bool:
    """Say whether a part does its work, not only whether it listens."""
    return {
        "etcd": _etcd,
        "kube-apiserver": _apiserver,
        "kube-controller-manager": _controller_manager,
        "kube-scheduler": _scheduler,
    }[part](layout)


def _etcd(layout: Layout) -> bool:
    context = ssl.create_default_context(cafile=str(layout.pki / "etcd-ca.crt"))
    context.load_cert_chain(layout.pki / "etcd-client.crt", layout.pki / "etcd-client.key")
    return answers(layout.ports["etcd"], "/health", context)


def _apiserver(layout: Layout) -> bool:
    return _asks(layout, "kube-apiserver", "/readyz") and _asks(layout, "kube-apiserver", _NAMESPACE)


def _controller_manager(layout: Layout) -> bool:
    # Its controllers start after it says it is healthy: the first ServiceAccount proves that they work.
    account = f"{_NAMESPACE}/serviceaccounts/default"
    return _asks(layout, "kube-controller-manager", "/healthz") and _asks(layout, "kube-apiserver", account)


def _scheduler(layout: Layout) -> bool:
    return _asks(layout, "kube-scheduler", "/healthz")


def _asks(layout: Layout, part: str, path: str) -> bool:
    context = ssl.create_default_context(cafile=str(layout.authority.files.certificate))
    context.load_cert_chain(layout.pki / "admin.crt", layout.pki / "admin.key")
    return answers(layout.ports[part], path, context)


def answers(port: int, path: str, context: ssl.SSLContext | None = None) -> bool:
    """Say whether a server on the loopback address answers a question with 200; without a context, without TLS."""
    connection = _connection(port, context)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _connection(port: int, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
    if context is None:
        return http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
