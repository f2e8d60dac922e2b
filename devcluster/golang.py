"""The go command, which builds the control plane and fetches Argo CD's module."""

import shutil
import subprocess
import sys
from pathlib import Path

from devcluster.errors import DevclusterError

REMEDY = (
    "install Go 1.26 or newer, or set KUBEBUILDER_ASSETS to a folder that holds etcd, kube-apiserver, "
    "kube-controller-manager, kube-scheduler and kubectl"
)
TOO_OLD = f"If Go is too old, {REMEDY}"


def executable() -> str:
    """Find go on the PATH, or beside this interpreter, where a Python package of Go puts it."""
    found = shutil.which("go") or shutil.which("go", path=str(Path(sys.executable).parent))
    if found is None:
        raise DevclusterError(f"go is missing: {REMEDY}")
    return found


def run(arguments: list[str], module: Path) -> str:
    """Run go in a module's folder and return what it prints."""
    done = subprocess.run([executable(), *arguments], cwd=module, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise DevclusterError(f"go {' '.join(arguments)} in {module} failed: {said}\n{TOO_OLD}")
    return done.stdout


def version(module: Path) -> str:
    """Return the version of Go that a module is built with; a Go older than the module asks for is an error."""
    return run(["env", "GOVERSION"], module).strip()
