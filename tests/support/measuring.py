"""Coverage of an operator that runs in a sandbox, if the tests themselves run under coverage (``make test``)."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

_CONFIG = "COVERAGE_PROCESS_CONFIG"
"""Set by coverage (``patch = ["subprocess"]``) for the processes that a measured process starts."""
_MOUNT = "/coverage"
_CHECKOUT = Path(__file__).parents[2]


class Measurement:
    """Data files of one measured process, written in a folder of its pod and kept beside those of the tests."""

    def __init__(self, folder: Path, *, wanted: bool) -> None:
        """Make the folder, if the process is measured."""
        self._folder = folder
        config = os.environ.get(_CONFIG) if wanted else None
        self.environment: Mapping[str, str] = {}
        self.folders: Mapping[str, Path] = {}
        if config:
            folder.mkdir()
            # The pod's user is not the one that runs the tests.
            folder.chmod(0o777)
            self.environment = {_CONFIG: config, "COVERAGE_FILE": f"{_MOUNT}/.coverage"}
            self.folders = {_MOUNT: folder}

    def keep(self) -> None:
        """Move the files to where ``coverage combine`` looks; a process that was killed has written none."""
        for file in self._folder.glob(".coverage.*"):
            shutil.move(file, _CHECKOUT)
