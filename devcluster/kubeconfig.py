"""Kubeconfig files: writing ours, reading one that was given."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import yaml

from devcluster.certificates import Pair
from devcluster.errors import DevclusterError


def write(path: Path, server: str, ca_file: Path, user: dict[str, str]) -> Path:
    """Write a kubeconfig that holds everything it needs, readable by its owner alone."""
    cluster = {"server": server, "certificate-authority-data": encoded(ca_file)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "devcluster", "cluster": cluster}],
        "users": [{"name": "devcluster", "user": user}],
        "contexts": [{"name": "devcluster", "context": {"cluster": "devcluster", "user": "devcluster"}}],
        "current-context": "devcluster",
    }
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(config, file, indent=2)
    return path


def certificate_user(pair: Pair) -> dict[str, str]:
    """Describe a user who shows a client certificate."""
    return {"client-certificate-data": encoded(pair.certificate), "client-key-data": encoded(pair.key)}


def token_user(token: str) -> dict[str, str]:
    """Describe a user who shows a bearer token."""
    return {"token": token}


def read_cluster(path: Path) -> tuple[str, bytes]:
    """Return the server of a kubeconfig's current context, and its certificate authority in PEM."""
    try:
        config = yaml.safe_load(path.read_text())
        context = _named(config["contexts"], config["current-context"])["context"]
        cluster = _named(config["clusters"], context["cluster"])["cluster"]
        return str(cluster["server"]), _authority(path, cluster)
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise DevclusterError(
            f"{path} is no kubeconfig with a current context, a server and its certificate authority ({error!r}): "
            "correct it, or unset DEVCLUSTER_KUBECONFIG"
        ) from error


def _authority(path: Path, cluster: dict[str, str]) -> bytes:
    if "certificate-authority-data" in cluster:
        return base64.b64decode(cluster["certificate-authority-data"])
    return (path.parent / cluster["certificate-authority"]).read_bytes()


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    for entry in entries:
        if entry["name"] == name:
            return entry
    raise KeyError(name)


def encoded(path: Path) -> str:
    """Return a file's content as a kubeconfig or a Secret holds it."""
    return base64.b64encode(path.read_bytes()).decode()
