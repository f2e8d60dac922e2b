"""The files that a pod here runs from: the Python of this machine, a virtual environment and a checkout."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc/ssl", "/etc/ca-certificates", "/etc/resolv.conf", "/etc/hosts")


@dataclass(frozen=True)
class Image:
    """What a container image says of itself, and where its files lie on this machine."""

    folders: Sequence[str]
    """Files and folders that are seen in the pod under the paths that they have here, read-only."""
    entrypoint: Sequence[str]
    arguments: Sequence[str]
    environment: Mapping[str, str]
    directory: str

    def described(self) -> list[str]:
        """Return the files and folders that exist here."""
        return [folder for folder in self.folders if os.path.lexists(folder)]


def checkout_image() -> Image:
    """Return what the Dockerfile would make of this checkout, run from its own virtual environment."""
    said = (_ROOT / "Dockerfile").read_text()
    final = said[said.rindex("\nFROM") :]
    variables = dict(re.findall(r"(PYTHON[A-Z]+)=(\S+)", final))
    folders = [*_SYSTEM, sys.base_prefix, sys.prefix, str(_ROOT / "operator")]
    bin_folder = Path(sys.prefix) / "bin"
    return Image(
        folders=list(dict.fromkeys(folders)),
        entrypoint=[str(bin_folder / "onboarding")],
        arguments=["run"],
        environment={"PATH": f"{bin_folder}:/usr/bin:/bin", **variables},
        directory="/tmp",  # noqa: S108 - as in the Dockerfile
    )
