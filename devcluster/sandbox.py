"""Become the process of a container. Run by itself, in a mount namespace of its own, with the file of a sandbox."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_PASSWD = "root:x:0:0:root:/root:/bin/sh\n"


def main() -> None:
    """Put the root file system together, enter it, and give up every right that the container shall not have."""
    sandbox: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    root = Path(sandbox["root"])
    _mount("-t", "tmpfs", "-o", "mode=755", "image", str(root))
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text(_PASSWD)
    for path in (*sandbox["image"], *_DEVICES):
        _bind(root, path, path, read_only=path not in _DEVICES)
    _bind(root, "/proc", "/proc", read_only=False)
    for volume in sandbox["volumes"]:
        if "source" in volume:
            _bind(root, volume["source"], volume["path"], read_only=True)
        else:
            _empty(root, volume["path"], volume["size"])
    (root / sandbox["directory"].lstrip("/")).mkdir(parents=True, exist_ok=True)
    if sandbox["readOnly"]:
        _mount("-o", "remount,ro,mode=755", str(root))
    os.chroot(root)
    os.chdir(sandbox["directory"])
    words = _lowered(sandbox)
    os.execve(words[0], words, sandbox["environment"])


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


def _bind(root: Path, source: str, path: str, *, read_only: bool) -> None:
    target = root / path.lstrip("/")
    if os.path.islink(source) and not path.startswith("/etc"):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(os.readlink(source))
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.path.isdir(source):
        target.mkdir(exist_ok=True)
    elif not target.exists():
        target.touch()
    _mount("--rbind" if not read_only or os.path.isdir(source) else "--bind", source, str(target))
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
