"""Coverage of an operator that runs in a sandbox, if the tests themselves run under coverage (``make test``)."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

_MEASURED = "COVERAGE_PROCESS_CONFIG"
"""Set by coverage (``patch = ["subprocess"]``) for what a measured process starts; it names files of this machine."""
_SETTINGS = "pyproject.toml"
_MOUNT = "/coverage"
_CHECKOUT = Path(__file__).parents[2]


class Measurement:
    """Data files of one measured process, written in a folder of its pod and kept beside those of the tests."""

    def __init__(self, folder: Path, *, wanted: bool) -> None:
        """Make the folder, if the process is measured."""
        self._folder = folder
        self.environment: Mapping[str, str] = {}
        self.folders: Mapping[str, Path] = {}
        if wanted and _MEASURED in os.environ:
            folder.mkdir()
            # The pod's user is not the one that runs the tests.
            folder.chmod(0o777)
            shutil.copy(_CHECKOUT / _SETTINGS, folder)
            self.environment = {
                "COVERAGE_PROCESS_START": f"{_MOUNT}/{_SETTINGS}",
                "COVERAGE_FILE": f"{_MOUNT}/.coverage",
            }
            self.folders = {_MOUNT: folder}

    def keep(self, *, complete: bool) -> None:
        """Move the files to where ``coverage combine`` looks; only a process that was killed may have written none."""
        files = list(self._folder.glob(".coverage.*"))
        if complete and self.folders and not files:
            raise AssertionError(f"the operator ended and left no coverage data in {self._folder}")
        for file in files:
            shutil.move(file, _CHECKOUT)
        self.folders = {}
