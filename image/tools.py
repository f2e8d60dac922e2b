"""The programs of other packages that build and open images."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from image.errors import ImageError

_TAIL_LINES = 15


def require(*programs: str) -> None:
    """Raise an error that says what to install or to do, unless these programs are there and may do their work."""
    if missing := [program for program in programs if shutil.which(program) is None]:
        raise ImageError(
            f"{' and '.join(missing)} missing: install them (on Debian: apt-get install {' '.join(missing)}), "
            "or build the Dockerfile with the engine that you have (docs/image.md)"
        )
    if os.geteuid() != 0:
        raise ImageError("an image is opened and started with the rights of root: run sudo make image")


def ask(*words: str | Path) -> str:
    """Run a short command and return what it prints."""
    return _run(words, subprocess.PIPE).strip()


def run(words: Iterable[str | Path], log: Path) -> None:
    """Run a long command whose output goes into a log file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        done = subprocess.run(
            list(words), check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=_environment()
        )
    if done.returncode != 0:
        raise _failure(list(words), done.returncode, f"see {log}:\n{_tail(log.read_text())}")


def _run(words: Sequence[str | Path], output: int) -> str:
    done = subprocess.run(
        words,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(),
    )
    if done.returncode != 0:
        raise _failure(words, done.returncode, _tail(done.stderr))
    return done.stdout or ""


def _environment() -> dict[str, str]:
    """Let buildah run commands in a chroot, which needs no runtime beside it, unless another isolation is asked for."""
    return {"BUILDAH_ISOLATION": "chroot", **os.environ}


def _failure(words: Sequence[str | Path], code: int, told: str) -> ImageError:
    hint = ""
    if str(words[0]) == "buildah" and "overlay" in told:
        hint = "\nif this file system takes no overlay: set STORAGE_DRIVER=vfs"
    return ImageError(f"{' '.join(str(word) for word in words[:3])} … ended with {code}, {told}{hint}")


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-_TAIL_LINES:])
