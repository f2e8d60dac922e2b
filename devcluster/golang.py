"""The go command, which builds the control plane and Argo CD and fetches Argo CD's module."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from devcluster.errors import DevclusterError

_TOOLCHAIN = "GOTOOLCHAIN"

REMEDY = (
    "install Go 1.26 or newer, or set KUBEBUILDER_ASSETS to a folder that holds etcd, kube-apiserver, "
    "kube-controller-manager, kube-scheduler and kubectl"
)
TOO_OLD = (
    f"If Go is too old, {REMEDY}. If a module asks for a newer Go than {_TOOLCHAIN} in the environment allows, "
    f"unset {_TOOLCHAIN} or set it to auto, so that go fetches that one by itself from the module proxy (GOPROXY)"
)


def executable() -> str:
    """Find go on the PATH, or beside this interpreter, where a Python package of Go puts it."""
    found = shutil.which("go") or shutil.which("go", path=str(Path(sys.executable).parent))
    if found is None:
        raise DevclusterError(f"go is missing: {REMEDY}")
    return found


def environment() -> dict[str, str]:
    """Return the variables to run go with: it fetches the Go that a module's go.mod asks for.

    Packages of Go and images turn that off by GOTOOLCHAIN=local in a file; only the environment has the last word.
    """
    return {_TOOLCHAIN: "auto", **os.environ}


def run(arguments: list[str], module: Path) -> str:
    """Run go in a module's folder and return what it prints."""
    command = [executable(), *arguments]
    done = subprocess.run(command, cwd=module, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise DevclusterError(f"go {' '.join(arguments)} in {module} failed: {said}\n{TOO_OLD}")
    return done.stdout


def version(module: Path) -> str:
    """Return the version of Go that a module is built with; go fetches it first, if it has to."""
    return run(["env", "GOVERSION"], module).strip()
