"""The official client as the image has it: without what image/trim.py leaves out."""

import os
import shutil
from importlib.metadata import distribution
from pathlib import Path

from image import trim


def trimmed_client(folder: Path) -> Path:
    """Make a folder that hides the client of this environment behind one that is trimmed; return it."""
    client = distribution("kubernetes")
    packages = Path(str(client.locate_file("")))
    information = Path(str(client.locate_file(f"kubernetes-{client.version}.dist-info")))
    without_bytecode = shutil.ignore_patterns("__pycache__")
    # Links, because there are thousands of files; only the list of them is written to.
    shutil.copytree(packages / "kubernetes", folder / "kubernetes", copy_function=os.symlink, ignore=without_bytecode)
    shutil.copytree(information, folder / information.name)
    trim.leave_out_models(folder)
    return folder
