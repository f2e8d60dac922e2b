"""The session's control plane and what runs beside it, for the tests of the package that starts them."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    # The package is a tool of this repository and is never installed.
    sys.path.insert(0, str(ROOT))

from devcluster.pytest_plugin import (  # noqa: E402
    argocd,
    control_plane,
    git_server,
    nodes,
)

__all__ = ["argocd", "control_plane", "git_server", "nodes"]
