"""The files that a pod here runs from: those of a built image, or this machine's Python and a checkout."""

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
    """Files and folders that are seen in the pod, read-only, by their paths there."""
    entrypoint: Sequence[str]
    arguments: Sequence[str]
    environment: Mapping[str, str]
    directory: str
    root: Path = Path("/")
    """Where the files lie on this machine."""

    def described(self) -> dict[str, str]:
        """Return the files and folders that exist, and where they lie here."""
        here = {folder: str(self.root / folder.lstrip("/")) for folder in self.folders}
        return {folder: source for folder, source in here.items() if os.path.lexists(source)}


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
