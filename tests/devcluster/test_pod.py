"""A pod that cannot be played here is an error that says why, and never one that runs with more than it shall have."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from devcluster import DevclusterError, pod
from devcluster.cluster import Cluster
from devcluster.image import checkout_image
from devcluster.pod import Deviation, Pod


class Account:
    """Files of a service account that nobody asks a cluster for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, _ca_file: Path | None) -> None:
        """Write nothing."""


def pod_of(folder: Path, **container: Any) -> Pod:
    template = {
        "securityContext": {"runAsUser": 65532, "runAsGroup": 65532},
        "containers": [{"name": "operator", "args": ["run"], **container}],
    }
    cluster = Cluster(folder, "https://127.0.0.1:1", folder / "ca.crt", folder / "kubeconfig", Path("kubectl"))
    return Pod(cluster, "home", template, Account(folder), folder)  # type: ignore[arg-type]


def test_without_the_tools_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod.shutil, "which", lambda _name: None)
    with pytest.raises(DevclusterError, match="install util-linux"):
        pod_of(tmp_path).command(checkout_image())


def test_where_no_namespace_can_be_made_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a system that forbids user namespaces: the words of the kernel and the settings to look at."""

    def refuse(words: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(words, 1, "", "unshare failed: Operation not permitted")

    monkeypatch.setattr(pod.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(pod.subprocess, "run", refuse)
    with pytest.raises(DevclusterError, match=r"root, or user namespaces .*--map-user=65532.*not permitted"):
        pod_of(tmp_path).command(checkout_image())


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}, "the variable A takes"),
        ({"volumeMounts": [{"name": "data", "mountPath": "/data"}]}, "empty folders as volumes and no others"),
    ],
)
def test_what_it_cannot_give_is_not_left_out_in_silence(tmp_path: Path, container: Any, words: str) -> None:
    played = pod_of(tmp_path, **container)
    played.template["volumes"] = [{"name": "data", "configMap": {"name": "settings"}}]
    with pytest.raises(DevclusterError, match=words):
        played.command(checkout_image(), Deviation())
