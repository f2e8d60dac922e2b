"""The page for a first project works for somebody who holds the role of requesters and nothing else on the cluster."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from devcluster.binaries import find_kubectl
from tests.support.hub import Hub
from tests.support.installing import ROOT
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

PAGE = (ROOT / "docs/first-project.md").read_text(encoding="utf-8")
BINDING, MANIFEST = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]


class Requester:
    """A person with the groups that the page names, at a shell with kubectl."""

    def __init__(self, hub: Hub, folder: Path, groups: list[str]) -> None:
        self._folder = folder
        config = hub.cluster.kubeconfig_for("rita", groups)
        path = f"{find_kubectl().parent}:{os.environ['PATH']}"
        self._environment = {**os.environ, "KUBECONFIG": str(config), "PATH": path, "HOME": str(folder)}

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a line of the page."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )


@pytest.fixture(scope="module")
def requester(hub: Hub, operator: OperatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Requester:
    """Rita, after the platform team has bound the role as the page says."""
    hub.cluster.kubectl("apply", "-f", "-", stdin=BINDING)
    folder = tmp_path_factory.mktemp("home")
    (folder / "shop.yaml").write_text(MANIFEST)
    (folder / "foreign.yaml").write_text(
        MANIFEST.replace("name: shop}", "name: stall}").replace("shop-admins", "others")
    )
    return Requester(hub, folder, ["requesters", "shop-admins"])


def test_the_page_leads_from_apply_to_ready_and_back(hub: Hub, requester: Requester) -> None:
    """Each command of the page succeeds in its order, and the project is Ready before it is deleted."""
    said = {}
    for command in COMMANDS:
        done = requester.run(command)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        said[command] = done.stdout
    assert any("condition met" in text for command, text in said.items() if " wait " in command)
    assert said["kubectl auth can-i create deployments.apps --namespace shop-dev"] == "yes\n"
    wait_until(lambda: hub.project("shop") is None, what="the project is gone")


REFUSED = {
    "kubectl get secrets --namespace project-onboarding": "cannot list resource",
    "kubectl get namespaces": "cannot list resource",
    "kubectl create namespace mine": "cannot create resource",
    "kubectl patch onbpolicy default --type=merge --patch '{}'": "cannot patch resource",
    "kubectl apply -f foreign.yaml && kubectl delete onb stall": "you are in none of its administrators' groups",
}


@pytest.mark.parametrize("command", REFUSED)
def test_the_role_of_requesters_gives_nothing_else(requester: Requester, command: str) -> None:
    done = requester.run(command)
    assert done.returncode != 0
    assert REFUSED[command] in done.stderr


def test_the_role_has_a_sentence_for_a_wrong_manifest(requester: Requester, tmp_path: Path) -> None:
    """A refusal of the API server names the field, also to somebody who may do nothing else."""
    manifest = yaml.safe_load(MANIFEST)
    manifest["spec"]["environments"][0]["stag"] = manifest["spec"]["environments"][0].pop("stage")
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(manifest))
    done = requester.run(f"kubectl apply -f {tmp_path}/wrong.yaml")
    assert done.returncode != 0
    assert 'unknown field "spec.environments[0].stag"' in done.stderr
