"""The session's control plane, for the tests of the package that starts it."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    # The package is a tool of this repository and is never installed.
    sys.path.insert(0, str(ROOT))

from devcluster.pytest_plugin import control_plane  # noqa: E402

__all__ = ["control_plane"]
