"""The images to start from where no registry is at hand: Debian packages in an otherwise empty tree."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from image import host, tools

Tell = Callable[[str], None]

_NAME = "localhost/project-onboarding-base"
# As in the slim images of Debian: licences stay, and what only people read at a terminal goes.
_UNREAD = ("locale", "man", "info", "lintian", "doc/*/*")
_LICENCES = "path-include=/usr/share/doc/*/copyright"
# mmdebstrap copies the first two from this machine; the sources of packages are this machine's too.
_OF_THIS_MACHINE = ("etc/resolv.conf", "etc/hostname", "etc/apt/sources.list*", "etc/apt/apt.conf.d/99mmdebstrap")
# What the image runs on has neither apt nor pip; what it is built on also makes virtual environments.
_VARIANTS = {
    "run": ("essential", "python3,ca-certificates"),
    "build": ("minbase", "python3,python3-venv,ca-certificates"),
}


def make(variant: str, today: date, logs: Path, tell: Tell) -> str:
    """Return the name of a base of today, with today's security updates, and make it where it is not there."""
    name = f"{_NAME}-{variant}"
    wanted = f"{name}:{today.isoformat()}"
    there = tools.ask("buildah", "images", "--format", "{{.Name}}:{{.Tag}}").split()
    if wanted in there:
        return wanted
    tell(f"making {wanted}")
    with TemporaryDirectory(prefix="image-base-") as folder:
        tree = Path(folder) / "tree.tar"
        options = Path(folder) / "apt.conf"
        options.write_text(host.apt_options())
        tools.run(_mmdebstrap(variant, tree, options), logs / f"base-{variant}.log")
        _import(tree, wanted)
    for former in there:
        if former.startswith(f"{name}:"):
            tools.ask("buildah", "rmi", former)
    return wanted


def _mmdebstrap(variant: str, tree: Path, options: Path) -> list[str | Path]:
    kind, packages = _VARIANTS[variant]
    return [
        "mmdebstrap",
        f"--variant={kind}",
        f"--include={packages}",
        f"--aptopt={options}",
        *(f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in _UNREAD),
        f"--dpkgopt={_LICENCES}",
        *(f'--customize-hook=rm -rf "$1"/{path}' for path in _OF_THIS_MACHINE),
        "--skip=output/dev",
        host.distribution(),
        tree,
        *host.apt_sources(),
    ]


def _import(tree: Path, name: str) -> None:
    container = tools.ask("buildah", "from", "scratch")
    try:
        tools.ask("buildah", "add", "--quiet", container, tree, "/")
        tools.ask("buildah", "commit", "--quiet", container, name)
    finally:
        tools.ask("buildah", "rm", container)
