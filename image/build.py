"""Build the Dockerfile with buildah, and open what it made."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from devcluster.image import Image
from image import host, tools

# A link in /var leads to /run: a mount on it would end up outside of the image.
_MADE_AT_START = ("dev", "proc", "run", "sys", "tmp", "var")
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Bases:
    """The images that the Dockerfile starts from."""

    build: str
    run: str


def build(name: str, bases: Bases, log: Path) -> None:
    """Build the image; pip finds its packages as it does on this machine."""
    index = host.package_index()
    with TemporaryDirectory(prefix="image-secrets-") as folder:
        configuration = Path(folder) / "pip.conf"
        configuration.write_text(index.configuration())
        secrets = [f"id=pip,src={configuration}", *([f"id=ca,src={index.authority}"] if index.authority else [])]
        words: list[str | Path] = [
            "buildah",
            "build",
            f"--build-arg=PYTHON_IMAGE={bases.build}",
            f"--build-arg=RUN_IMAGE={bases.run}",
            *(f"--secret={secret}" for secret in secrets),
            *(f"--volume={packages}:{packages}:ro" for packages in index.folders),
            f"--tag={name}",
            ROOT,
        ]
        tools.run(words, log)


@contextmanager
def opened(name: str) -> Iterator[Image]:
    """Mount a container of the image, as an engine would before it starts it; writes do not reach the image."""
    container = tools.ask("buildah", "from", "--pull-never", name)
    try:
        root = Path(tools.ask("buildah", "mount", container))
        yield _described(root, tools.ask("buildah", "inspect", "--type=image", name))
    finally:
        tools.ask("buildah", "rm", container)


def _described(root: Path, inspected: str) -> Image:
    said = json.loads(inspected)["OCIv1"]["config"]
    return Image(
        folders=sorted(f"/{path.name}" for path in root.iterdir() if path.name not in _MADE_AT_START),
        entrypoint=said["Entrypoint"],
        arguments=said["Cmd"],
        environment=dict(item.split("=", 1) for item in said["Env"]),
        directory=said["WorkingDir"],
        root=root,
    )
