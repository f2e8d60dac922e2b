"""Set the stage: a control plane with everything installed, what deploys, and the operator running. Clear it again.

A control plane that still runs is used again, because starting one is most of the wait; what the last demo made on it
is swept away, and manifests and operator are those of now.
"""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from demo import delivery
from demo.background import Background
from demo.delivery import Delivery
from demo.errors import DemoError
from demo.progress import Progress
from devcluster import ControlPlane, NotRunningError, argocd_crds
from devcluster.controlplane import KUBECONFIG_VARIABLE
from onboarding import names

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".devcluster" / "demo"
LOGS = FOLDER / "logs"
OPERATOR = Background(record=FOLDER / "operator.json", log=LOGS / "operator.log")
CONFIRMATION = FOLDER / "confirm.yaml"

_EXAMPLE = ROOT / "examples" / "dossier-usagers.yaml"
_DECLARED = FOLDER / _EXAMPLE.name
_GIT = FOLDER / "git"
_DEPLOYMENT = ("project-onboarding", "project-onboarding-operator")
_SERVED_SECONDS = 30
_MADE = names.LABEL_INSTALLATION


@dataclass(frozen=True)
class Scene:
    """What the play needs."""

    control_plane: ControlPlane
    operator: Background
    project: Path
    """The file to apply."""
    delivery: Delivery | None
    """None on a cluster that was given: it keeps the Argo CD that it has, or that it has none."""


def build(progress: Progress) -> Scene:
    """Bring up all that a demo needs; what the last one left is used or swept away, so that each begins alike."""
    control_plane = _running(progress)
    again = control_plane is not None
    if control_plane is None:
        with progress.step("Starting a control plane", "Control plane: etcd, API server, controllers") as tell:
            control_plane = ControlPlane.start("demo", directory=FOLDER, detached=True, progress=tell)
    deploying = _deploying(control_plane, progress)
    with progress.step("Applying manifests/install", "Our kinds, roles and guard rails: manifests/install"):
        control_plane.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(ROOT / "manifests/install"))
        control_plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        if deploying:
            _settle_argocd(control_plane)
        _apply_profile(control_plane)
    with progress.step("Starting the operator", "Operator: the pod of its Deployment, under its own account"):
        OPERATOR.start(control_plane, *_DEPLOYMENT)
    if again:
        # They have been going since the sweep; only now does anybody need their names.
        with progress.step("Waiting until the last demo's namespaces are gone", "The last demo's namespaces are gone"):
            control_plane.kubectl("delete", "namespaces", f"--selector={_MADE}", "--timeout=60s")
    return Scene(control_plane, OPERATOR, _project(deploying), deploying)


def _settle_argocd(control_plane: ControlPlane) -> None:
    """Let the operator read the settings of Argo CD, which gets the health of our kinds."""
    control_plane.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(ROOT / "manifests/argocd-settings"))
    health = f"--patch-file={ROOT / 'manifests/argocd/health.yaml'}"
    control_plane.kubectl("patch", "configmap", "argocd-cm", "--namespace=argocd", health)


def _running(progress: Progress) -> ControlPlane | None:
    """Return the control plane of the last demo, swept; None where none runs, and then nothing of it is left."""
    try:
        control_plane = None if os.environ.get(KUBECONFIG_VARIABLE) else ControlPlane.load(FOLDER)
    except NotRunningError:
        control_plane = None
    if control_plane is None:
        clear(progress, "the last demo")
        return None
    with progress.step("Sweeping the last demo away", "Control plane of the last demo, swept"):
        OPERATOR.stop()
        _sweep(control_plane)
    return control_plane


def _sweep(control_plane: ControlPlane) -> None:
    """Delete every project and, as an administrator may, what was made for it; namespaces go on going afterwards."""
    _let_go(control_plane, "projectonboardings")
    _let_go(control_plane, "applications.argoproj.io")
    # Before the namespaces, or else Argo CD would fill them again while they go.
    kinds = "applications.argoproj.io,appprojects.argoproj.io,serviceaccounts"
    control_plane.kubectl("delete", "projectonboardings,onboardingdecisions", "--all")
    control_plane.kubectl("delete", kinds, "--all-namespaces", f"--selector={_MADE}")
    control_plane.kubectl("delete", "namespaces", f"--selector={_MADE}", "--wait=false")


def _let_go(control_plane: ControlPlane, kind: str) -> None:
    """Take all finalizers off, so that nobody has to be there for the objects to go."""
    answer = control_plane.kubectl("get", kind, "--all-namespaces", "--output=json")
    for item in json.loads(answer.stdout)["items"]:
        metadata = item["metadata"]
        if metadata.get("finalizers"):
            where = f"--namespace={metadata.get('namespace', '')}"
            patch = '--patch={"metadata": {"finalizers": null}}'
            control_plane.kubectl("patch", kind, metadata["name"], where, "--type=merge", patch)


def clear(progress: Progress, what: str) -> bool:
    """End the operator, the control plane and all beside it; return whether there was anything to end."""
    control_plane = ControlPlane.recorded(FOLDER)
    if control_plane is None:
        delivery.stop(_GIT)
        return OPERATOR.stop()
    with progress.step(f"Ending {what}", f"Ended {what}: operator, Argo CD, Git server, control plane"):
        OPERATOR.stop()
        delivery.stop(_GIT)
        control_plane.stop()
        for file in (_DECLARED, CONFIRMATION):
            file.unlink(missing_ok=True)
    return True


def shown(path: Path) -> str:
    """Return a path as a person would type it: relative to the working directory where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _deploying(control_plane: ControlPlane, progress: Progress) -> Delivery | None:
    """Return what deploys; a cluster that was given only gets Argo CD's kinds."""
    if control_plane.is_ours:
        return delivery.start(control_plane, _GIT, progress)
    with progress.step("Fetching and applying Argo CD's kinds", "Argo CD's kinds (its controllers do not run)"):
        _apply_argocd_kinds(control_plane)
    return None


def _project(deploying: Delivery | None) -> Path:
    """Return the file of the project, which names the Git server of the demo."""
    if deploying is None:
        return _EXAMPLE
    text = _EXAMPLE.read_text()
    for repository in yaml.safe_load(text)["spec"]["repositories"]:
        text = text.replace(repository["url"], deploying.repository.url)
    _DECLARED.write_text(text)
    return _DECLARED


def _apply_argocd_kinds(control_plane: ControlPlane) -> None:
    control_plane.kubectl("apply", "-f", "-", stdin="apiVersion: v1\nkind: Namespace\nmetadata: {name: argocd}\n")
    files = [f"--filename={path}" for path in argocd_crds()]
    control_plane.kubectl("apply", "--server-side", *files)


def _apply_profile(control_plane: ControlPlane) -> None:
    """Apply policy and target; an API server may need a moment after it has said that a kind is established."""
    deadline = time.monotonic() + _SERVED_SECONDS
    while True:
        profile = ROOT / "manifests/profiles/default"
        done = control_plane.kubectl("apply", "-k", str(profile), check=False)
        if done.returncode == 0:
            return
        if time.monotonic() > deadline:
            raise DemoError(f"manifests/profiles/default cannot be applied: {done.stderr.strip()}")
        time.sleep(0.2)
