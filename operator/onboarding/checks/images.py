"""References of container images, as registries and container runtimes read them."""

import re
from functools import lru_cache
from typing import NamedTuple

_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<name>(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?/)?{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z0-9]+:[0-9a-fA-F]{32,128}))?",
    re.ASCII,
)
"""After the grammar of the distribution project (github.com/distribution/reference)."""
_DEFAULT_REGISTRY = "docker.io"


class Image(NamedTuple):
    """Where an image comes from, and which one it is."""

    repository: str
    """With its registry in front: ``nginx`` is ``docker.io/library/nginx``."""
    tag: str
    digest: str

    def comes_from(self, prefix: str) -> bool:
        """Return whether the repository is this or lies below it: ``ghcr.io/team`` is not above ``ghcr.io/teams``."""
        return f"{self.repository}/".startswith(f"{prefix.rstrip('/')}/")


@lru_cache(maxsize=4096)
def parse_image(reference: str) -> Image | None:
    """Return what a reference stands for; None where it is not one."""
    found = _REFERENCE.fullmatch(reference)
    return found and Image(_in_full(found["name"]), found["tag"] or "", found["digest"] or "")


def _in_full(name: str) -> str:
    """Return a name with its registry: without a dot, a port or ``localhost``, what comes first is not one."""
    first, slash, _ = name.partition("/")
    if slash and (first == "localhost" or {".", ":"} & set(first)):
        return name
    return f"{_DEFAULT_REGISTRY}/{name}" if slash else f"{_DEFAULT_REGISTRY}/library/{name}"
