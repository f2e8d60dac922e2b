"""What this machine knows of the way to packages: pip's configuration, authorities, and the sources of apt.

Read when it is needed and handed to a build as a secret: nothing of it stays in an image.
"""

import ast
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from image.errors import ImageError
from image.tools import ask

_AUTHORITY_IN_BUILD = "/run/secrets/ca.pem"
_AUTHORITY_VARIABLES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_SEARCHED = "find-links"


@dataclass(frozen=True)
class PackageIndex:
    """How pip reaches its packages on this machine."""

    settings: dict[str, str]
    """Without their section; what the environment says comes last, as it does for pip."""
    authority: Path | None

    @property
    def folders(self) -> list[str]:
        """Return the folders of this machine that hold packages."""
        words = self.settings.get(_SEARCHED, "").split()
        return [word for word in words if word.startswith("/") and Path(word).is_dir()]

    def configuration(self) -> str:
        """Return a pip.conf that says the same inside a build."""
        settings = {key: value for key, value in self.settings.items() if key != "cert"}
        if self.authority is not None:
            settings["cert"] = _AUTHORITY_IN_BUILD
        # A value of several lines goes on where the next line is indented.
        lines = [f"{key} = {value.strip().replace(chr(10), chr(10) + '    ')}" for key, value in settings.items()]
        return "\n".join(["[global]", *lines, ""])


def package_index() -> PackageIndex:
    """Read pip's configuration, wherever it is written, and find the authorities that it trusts."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        raise ImageError(f"pip config list ended with {listed.returncode}: {listed.stderr.strip()}")
    return read_index(listed.stdout)


def read_index(listed: str) -> PackageIndex:
    """Read what ``pip config list`` prints."""
    settings: dict[str, str] = {}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        settings[key.rpartition(".")[2]] = str(ast.literal_eval(value))
    named = [settings.get("cert", ""), *(os.environ.get(variable, "") for variable in _AUTHORITY_VARIABLES)]
    authority = next((Path(path) for path in named if path and Path(path).is_file()), None)
    return PackageIndex(settings, authority)


def distribution() -> str:
    """Return the code name of the Linux distribution of this machine."""
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "")


def apt_sources() -> list[str]:
    """Return the files that name the sources of this machine's distribution, and of nobody else."""
    name = platform.freedesktop_os_release()["ID"]
    listed = ask("apt-get", "indextargets", "--format", "$(ORIGIN)=$(SOURCESENTRY)", "Identifier: Packages")
    entries = [line.partition("=") for line in listed.splitlines()]
    files = {entry.rpartition(":")[0] for origin, _, entry in entries if origin.lower() == name}
    if not files:
        raise ImageError(f"apt knows no source of {name} here: run apt-get update, or name a base with PYTHON_IMAGE")
    return sorted(files)


def apt_options() -> str:
    """Return how apt reaches its sources on this machine, such as a proxy, in the form of apt.conf."""
    return ask("apt-config", "dump", "--no-empty", "--format", '%F "%v";%n', "Acquire::http", "Acquire::https")
