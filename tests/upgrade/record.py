"""Record what a version leaves on a control plane: python -m tests.upgrade.record CHECKOUT.

CHECKOUT is a folder with the files of that version, as git worktree makes one; the recording bears its name.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import Manifest
from tests.support.hub import Hub
from tests.support.operator import ACCOUNT, NAMESPACE
from tests.support.waiting import wait_until
from tests.upgrade import fixture, plane
from tests.upgrade.scenes import Scene, Verdict, scenes

_OURS = ("hostingtargets", "onboardingpolicies", "projectonboardings", "onboardingdecisions")
_IDENTITIES = (names.INSTALLATION_CONFIGMAP, names.CLUSTERS_CONFIGMAP)
_LONG = 60


def main(checkout: Path) -> None:
    """Record every scene of a version."""
    folder = fixture.HERE / checkout.name
    for name, scene in scenes(checkout).items():
        with ControlPlane.start(f"record-{name}") as cluster:
            definitions, manifests = _rendered(cluster, checkout)
            plane.install(cluster, definitions, manifests)
            plane.apply_soon(cluster, scene.platform)
            with _operator(cluster, checkout, scene.policy):
                _play(Hub(cluster), scene)
            fixture.write(folder / f"{name}.yaml", map(fixture.recorded, _left(cluster)))
        fixture.write(folder / fixture.DEFINITIONS, fixture.without_descriptions(definitions))
        fixture.write(folder / fixture.MANIFESTS, manifests)


def _rendered(cluster: ControlPlane, checkout: Path) -> tuple[list[Manifest], list[Manifest]]:
    """Return the custom resource definitions of a version, and its other manifests."""
    documents: list[Manifest] = []
    for part in ("manifests/install", "manifests/roles"):
        documents += yaml.safe_load_all(cluster.kubectl("kustomize", str(checkout / part)).stdout)
    definitions = [item for item in documents if item["kind"] == "CustomResourceDefinition"]
    return definitions, [item for item in documents if item not in definitions]


@contextmanager
def _operator(cluster: ControlPlane, checkout: Path, policy: str) -> Iterator[None]:
    """Run the operator of a version; it need not know of pods."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(checkout / "operator"),
        "ONBOARDING_KUBECONFIG": str(cluster.kubeconfig_for_service_account(NAMESPACE, ACCOUNT)),
        "ONBOARDING_LISTEN": "127.0.0.1:0",
        "ONBOARDING_POLICY": policy,
    }
    with tempfile.NamedTemporaryFile(prefix="operator-", suffix=".log", delete=False) as log:
        process = subprocess.Popen([sys.executable, "-m", "onboarding", "run"], env=environment, stdout=log, stderr=log)
    sys.stderr.write(f"the log of the operator: {log.name}\n")
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def _play(hub: Hub, scene: Scene) -> None:
    """Declare and decide everything, and wait until all of it has been looked at."""
    for step in scene.steps:
        plane.apply_soon(hub.cluster, [step.manifest])
        hub.wait(step.manifest["metadata"]["name"], step.status, step.reason, within=_LONG)
    _decide(hub, scene.verdicts)
    for name, (status, reason) in scene.outcome.items():
        hub.wait(name, status, reason, within=_LONG)


def _decide(hub: Hub, verdicts: Sequence[Verdict]) -> None:
    """Make every decision as soon as the project's status shows what it has to name."""
    open_ = list(verdicts)

    def all_made() -> bool:
        projects = {verdict.project: hub.project(verdict.project) or {} for verdict in open_}
        shown = [(verdict, verdict.shown_in(projects[verdict.project]["status"])) for verdict in open_]
        plane.decide(hub.cluster, [_decision(projects, *each) for each in shown if each[1] is not None])
        open_[:] = [verdict for verdict, digest in shown if digest is None]
        return not open_

    wait_until(all_made, what="each decision is made", within=_LONG)


def _decision(projects: dict[str, Manifest], verdict: Verdict, digest: str | None) -> Manifest:
    uid = projects[verdict.project]["metadata"]["uid"]
    return {
        "apiVersion": names.API_VERSION,
        "kind": "OnboardingDecision",
        "metadata": {"name": verdict.name},
        "spec": {
            **verdict.spec,
            **({"digest": digest} if digest else {}),
            "project": {"name": verdict.project, "uid": uid},
            "by": plane.author(verdict.role),
            "reason": "seen and agreed",
        },
    }


def _left(cluster: ControlPlane) -> list[Manifest]:
    """Return what is left when the operator has ended: our kinds, its identity, and everything with its label."""

    def items(*words: str) -> list[Manifest]:
        return list(json.loads(cluster.kubectl("get", *words, "--output=json").stdout)["items"])

    kinds = cluster.kubectl("api-resources", "--verbs=list,create", "--output=name").stdout.split()
    made = [kind for kind in kinds if kind.partition(".")[2] != names.GROUP]
    identities = [
        item for item in items("configmaps", f"--namespace={NAMESPACE}") if item["metadata"]["name"] in _IDENTITIES
    ]
    labelled = items(",".join(made), "--all-namespaces", f"--selector={names.LABEL_INSTALLATION}")
    ours = [item for plural in _OURS for item in items(f"{plural}.{names.GROUP}")]
    return [*identities, *ours, *labelled]


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
