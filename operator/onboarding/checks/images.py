"""References of container images, as registries and container runtimes read them."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

DOCKER_HUB: Final = "docker.io"
"""Registry of a reference that names none."""
_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    r"(?:(?=localhost/|[^/]*[.:])(?P<registry>[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?)/)?"
    rf"(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z0-9]+:[0-9a-fA-F]{32,128}))?",
    re.ASCII,
)
"""After the grammar of the distribution project (github.com/distribution/reference).

Without a dot, a port or ``localhost``, the first component is not a registry.
"""
_LONGEST_PATH = 255


class Image(NamedTuple):
    """Where an image comes from, and which one it is."""

    registry: str
    """``docker.io`` if the reference names none."""
    path: str
    """Repository in the registry: ``nginx`` is ``library/nginx``."""
    tag: str
    digest: str

    @property
    def repository(self) -> str:
        """Registry and path, such as ``docker.io/library/nginx``."""
        return f"{self.registry}/{self.path}"

    def comes_from(self, prefix: str) -> bool:
        """Return whether the repository is this or lies below it: ``ghcr.io/team`` is not above ``ghcr.io/teams``."""
        return f"{self.repository}/".startswith(f"{prefix.rstrip('/')}/")


@lru_cache(maxsize=4096)
def parse_image(reference: str) -> Image | None:
    """Return the image that a reference names; None if the reference cannot be read."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return None
    registry, path = found["registry"] or DOCKER_HUB, found["path"]
    if registry in {DOCKER_HUB, f"index.{DOCKER_HUB}"}:
        registry, path = DOCKER_HUB, path if "/" in path else f"library/{path}"
    if len(path) > _LONGEST_PATH:
        return None
    return Image(registry, path, found["tag"] or "", found["digest"] or "")
