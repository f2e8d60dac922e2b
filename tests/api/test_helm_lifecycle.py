"""The chart on one living API server: whatever Helm does with it, the guard rails hold and answer within seconds."""

import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from devcluster import ControlPlane
from onboarding import names
from tests.api.persons import Person, patch
from tests.support.guards import connected_to
from tests.support.helm import CHART, helm
from tests.support.waiting import wait_until

NAMESPACE = "project-onboarding"
ACCOUNT, NAMESPACES, OBJECTS, DETACHED = names.GUARD_POLICIES
SECONDS = 20

# Building helm from nothing takes some minutes on two cores.
pytestmark = pytest.mark.timeout(1200)


class Helm:
    """Helm on a cluster of its own."""

    def __init__(self, cluster: ControlPlane, home: Path) -> None:
        self._home = home
        self._where = (f"--kubeconfig={cluster.kubeconfig}", f"--namespace={NAMESPACE}")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run helm in the operator's namespace."""
        return helm(self._home, *command, *self._where)

    def does(self, *command: str) -> None:
        """Run helm, and demand that it succeeds."""
        done = self.run(*command)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane on which nothing is installed."""
    with ControlPlane.start("helm", directory=tmp_path_factory.mktemp("helm-plane")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def editor(cluster: ControlPlane) -> Person:
    """Somebody whose rights alone would let them change what the operator made."""
    admin = Person(cluster, cluster.kubeconfig)
    admin.does("create", "clusterrolebinding", "editors", "--clusterrole=edit", "--group=editors")
    return Person(cluster, cluster.kubeconfig_for("editor", ["editors"]))


def operator(cluster: ControlPlane) -> Person:
    """The operator's account, as it has been made last."""
    return Person(cluster, cluster.kubeconfig_for_service_account(NAMESPACE, names.MANAGER))


def managed(kind: str, name: str) -> dict[str, Any]:
    labels = {names.LABEL_INSTALLATION: "test"}
    if kind == "Namespace":
        labels[f"{names.POD_SECURITY_PREFIX}enforce"] = "restricted"
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": labels}}


ATTACK = ["serviceaccount", "account", {"metadata": {"labels": {names.LABEL_INSTALLATION: None}}}]
INSIDE, DRY = "--namespace=managed", "--dry-run=server"


async def test_the_guard_rails_hold_through_the_life_of_a_release(
    cluster: ControlPlane, editor: Person, tmp_path: Path
) -> None:
    """Install, upgrade, roll back, uninstall, and install again under another name, with no restart of the server."""
    helm, server = Helm(cluster, tmp_path), cluster.process_id("kube-apiserver")
    helm.does("install", "first", str(CHART), "--create-namespace")
    await answers(cluster)
    operator(cluster).does("create", "--filename=-", body=managed("Namespace", "managed"))
    operator(cluster).does("create", "--filename=-", INSIDE, body=managed("ServiceAccount", "account"))
    guarded(editor)

    helm.does("upgrade", "first", str(CHART), "--set-json", 'guard.operators=["editor"]')
    wait_until(lambda: not attack(editor), what="the list of the upgrade counts")
    await answers(cluster)

    helm.does("rollback", "first", "1")
    guarded(editor)
    await answers(cluster)

    helm.does("uninstall", "first", "--wait")
    wait_until(lambda: not attack(editor), what="nothing is frozen any more")

    refused = helm.run("install", "second", str(CHART))
    assert refused.returncode != 0
    assert "invalid ownership metadata" in refused.stderr
    helm.does("install", "second", str(CHART), "--take-ownership")
    guarded(editor)
    await answers(cluster)
    operator(cluster).does("create", "--filename=-", body=managed("Namespace", "managed-later"))
    operator(cluster).does(*patch("namespace", "managed", {"metadata": {"labels": {"example.org/a": "b"}}}))
    assert cluster.process_id("kube-apiserver") == server


async def answers(cluster: ControlPlane) -> None:
    """Demand that all policies prove to the operator that they are in force, within seconds."""
    async with connected_to(operator(cluster).kubeconfig) as hub:
        await hub.until_guarded(within=SECONDS)


def attack(editor: Person) -> str:
    return editor.refusal(*patch(*ATTACK, INSIDE, DRY))


def guarded(editor: Person) -> None:
    """Demand that what the operator made is frozen, within seconds."""
    frozen = partial(editor.is_refused_by, OBJECTS, *patch(*ATTACK, INSIDE, DRY))
    wait_until(frozen, what="it is frozen", within=SECONDS)
