"""Logins and TLS by the official client: kubeconfigs, the pod's service account, tokens that are renewed.

``import kubernetes`` runs its synchronous half, with requests, oauthlib and websocket: 7 MiB and 230 modules that
nobody here uses. So the package is entered in ``sys.modules`` without being run; its parts are found as usual.
Everything of it is imported late, in the functions that need it.
"""

import binascii
import importlib.util
import ssl
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onboarding.errors import UnreachableError

if TYPE_CHECKING:
    from kubernetes.aio.client import Configuration


def _enter_package() -> None:
    """Let ``import kubernetes.<part>`` run that part alone; has no effect if somebody has imported the whole."""
    spec = importlib.util.find_spec("kubernetes")
    if spec is not None and "kubernetes" not in sys.modules:
        sys.modules["kubernetes"] = importlib.util.module_from_spec(spec)


# While this module is imported, because Kopf imports models of the client if it is installed.
_enter_package()


async def hub_configuration(kubeconfig: str | None) -> "Configuration":
    """Return the login to the hub: a kubeconfig file, or else the pod's service account.

    Raises UnreachableError if neither leads to an API server.
    """
    from kubernetes.aio import config
    from kubernetes.aio.client import Configuration

    configuration = Configuration()
    try:
        if kubeconfig:
            await config.load_kube_config(config_file=kubeconfig, client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (config.ConfigException, OSError) as error:
        raise UnreachableError(
            f"no login to the hub ({error}): run in a pod, or name a kubeconfig in ONBOARDING_KUBECONFIG"
        ) from None
    return configuration


async def kubeconfig_configuration(content: Mapping[str, Any]) -> "Configuration":
    """Return the login that the content of a kubeconfig describes; UnreachableError if it describes none."""
    from kubernetes.aio import config
    from kubernetes.aio.client import Configuration

    configuration = Configuration()
    try:
        await config.load_kube_config_from_dict(content, client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (config.ConfigException, ValueError, OSError) as error:
        raise unusable(error) from None
    return configuration


def unusable(error: Exception) -> UnreachableError:
    """Return the error of a kubeconfig that leads to no connection; the text of the cause may quote a key."""
    if isinstance(error, binascii.Error):
        why = "its data are not base64"
    elif isinstance(error, OSError):
        why = "its certificates or keys cannot be read: embed PEM"
    else:
        why = "its cluster, user or context lacks a field"
    return UnreachableError(f"its kubeconfig cannot be used: {why}; renew its kubeconfig Secret")


def tls_context(configuration: "Configuration") -> ssl.SSLContext:
    """Return the TLS context of a login: the cluster's CA, and the client certificate if there is one."""
    from kubernetes.aio.client.rest import RESTClientObject

    context: ssl.SSLContext = RESTClientObject(configuration).ssl_context
    return context
