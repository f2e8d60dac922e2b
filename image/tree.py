"""The files of an image: what they weigh, and what must not be among them."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from image.errors import ImageError

ENVIRONMENT = "opt/onboarding"
_OWN = "project-onboarding-operator"
_OTHERS = "virtual environment itself"

# Programs that install or compile, by their name in a folder of programs.
_PROGRAM = re.compile(
    r"(pip|easy_install|wheel|virtualenv|uv|poetry|conda|gcc|g\+\+|c\+\+|clang|clang\+\+|tcc|cc|c89|c99|cpp|ld|as|make|"
    r"cmake|ninja|go|rustc|cargo|javac|tsc)(-?\d[\d.]*)?|.*-(gcc|g\+\+|cpp|ld|as)(-\d+)?|(c89|c99)-gcc|cc1(plus)?|ld\.(bfd|gold|lld)"
)
# Python packages that install others, with what describes them.
_PACKAGE = re.compile(r"(pip|setuptools|ensurepip|pkg_resources|_distutils_hack|wheel)(-.*\.(dist|egg)-info)?")
_HANDED_IN = ("etc/pip.conf", "run/secrets", "etc/resolv.conf", "etc/hostname", "root/.cache", "root/.config")


@dataclass(frozen=True)
class Sizes:
    """Bytes of each part of an image."""

    base: int
    packages: Counter[str]
    """What others wrote and is installed for the program, by distribution."""
    own: int

    @property
    def installed(self) -> int:
        """Return what lies on top of the base."""
        return self.packages.total() + self.own


def sizes(root: Path) -> Sizes:
    """Weigh an image's tree."""
    environment = root / ENVIRONMENT
    (packages,) = environment.glob("lib/python3*/site-packages")
    owners = _owners(packages)
    weights: Counter[str] = Counter()
    for file, size in _files(environment):
        inside = file.relative_to(packages).parts[0] if file.is_relative_to(packages) else None
        weights[owners.get(inside, inside) if inside else _OTHERS] += size
    base = sum(size for file, size in _files(root) if not file.is_relative_to(environment))
    return Sizes(base=base, own=weights.pop(_OWN, 0), packages=weights)


def refuse_intruders(root: Path) -> None:
    """Raise an error that names what an image of ours must not hold, if it does."""
    if found := intruders(root):
        raise ImageError(f"the image holds what installs or compiles, take another base: {', '.join(found)}")


def intruders(root: Path) -> list[str]:
    """Return what an image of ours must not hold: installers, compilers, and what a build was handed in."""
    found = [path for path in _HANDED_IN if os.path.lexists(root / path) and _holds_something(root / path)]
    for folder, folders, files in os.walk(root):
        place = Path(folder).relative_to(root)
        wrong = [*_wrong_files(place, files), *_wrong_packages(place, folders)]
        found += [str(place / name) for name in wrong]
    return sorted(found)


def _wrong_files(place: Path, names: Iterable[str]) -> list[str]:
    programs = place.name in ("bin", "sbin") or "gcc" in place.parts
    return [name for name in names if name.endswith(".whl") or (programs and _PROGRAM.fullmatch(name))]


def _wrong_packages(place: Path, names: Iterable[str]) -> list[str]:
    if not any(part.startswith("python") for part in place.parts):
        return []
    return [name for name in names if _PACKAGE.fullmatch(name)]


def _holds_something(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.stat().st_size > 0


def _owners(packages: Path) -> dict[str, str]:
    """Return which distribution each name in a folder of packages belongs to."""
    return {
        file.parts[0]: distribution.name
        for distribution in distributions(path=[str(packages)])
        for file in distribution.files or ()
        if file.parts[0] != ".."
    }


def _files(root: Path) -> Iterator[tuple[Path, int]]:
    seen: set[tuple[int, int]] = set()
    for folder, _, names in os.walk(root):
        for name in names:
            file = Path(folder) / name
            found = file.lstat()
            if (found.st_dev, found.st_ino) not in seen:
                seen.add((found.st_dev, found.st_ino))
                yield file, found.st_size
