"""Become the process of a container. Run by itself, in a mount namespace of its own, with the file of a sandbox."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_KERNEL = ("/proc", "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_USERS = "root:x:0:0:root:/root:/bin/sh\n"


def main() -> None:
    """Put the root file system together, enter it, and give up every right that the container shall not have."""
    sandbox: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    root = Path(sandbox["root"])
    _mount("-t", "tmpfs", "-o", "mode=755", "image", str(root))
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text(_USERS)
    for path in _KERNEL:
        _bind(root, path, Path(path), read_only=False)
    mounts = [{"path": path, "source": source} for path, source in sandbox["image"].items()]
    # Parents first: what lies within a volume, such as a checkout below /tmp, stays visible.
    for mount in sorted([*mounts, *sandbox["volumes"]], key=lambda each: each["path"].count("/")):
        if "source" in mount:
            _bind(root, mount["path"], Path(mount["source"]), read_only=not mount.get("writable", False))
        else:
            _empty(root, mount["path"], mount["size"])
    (root / sandbox["directory"].lstrip("/")).mkdir(parents=True, exist_ok=True)
    if sandbox["readOnly"]:
        _mount("-o", "remount,ro,mode=755", str(root))
    os.chroot(root)
    os.chdir(sandbox["directory"])
    words = _lowered(sandbox)
    os.execve(words[0], words, sandbox["environment"])  # noqa: S606 - it becomes the container


def _lowered(sandbox: dict[str, Any]) -> list[str]:
    words = ["/usr/bin/setpriv"]
    if os.getuid() == 0:
        words += [f"--reuid={sandbox['uid']}", f"--regid={sandbox['gid']}", "--clear-groups"]
    if sandbox["tied"]:
        words += ["--pdeathsig=KILL"]
    if "ALL" in sandbox["dropped"]:
        words += ["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]
    if sandbox["noNewPrivileges"]:
        words += ["--no-new-privs"]
    return [*words, "--", *sandbox["command"]]


def _bind(root: Path, path: str, source: Path, *, read_only: bool) -> None:
    """Show a file or folder of this machine; a link into /usr, such as /lib, stays a link."""
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink() and source.resolve().is_relative_to("/usr"):
        target.symlink_to(source.resolve())
        return
    if source.is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    _mount("--rbind", str(source), str(target))
    if read_only:
        _mount("-o", "remount,bind,ro", str(target))


def _empty(root: Path, path: str, size: str) -> None:
    target = root / path.lstrip("/")
    target.mkdir(parents=True, exist_ok=True)
    limit = f",size={size.removesuffix('i')}" if size else ""
    _mount("-t", "tmpfs", "-o", f"mode=1777{limit}", "volume", str(target))


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


if __name__ == "__main__":
    main()
