"""Leave out of the image what the program never imports, and what could install something.

The Dockerfile runs it in the build stage with the base's own Python, so it uses the standard library alone:
python3 trim.py ENVIRONMENT BASE.
"""

import csv
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

# The official client loads each typed model and API class when its name is first used. The operator uses none: it
# takes configuration, tokens and TLS from the client and speaks raw JSON (docs/adr/0020-image.md).
UNUSED = tuple(f"kubernetes/{half}client/{part}" for half in ("", "aio/") for part in ("api", "models"))
# What the packages around them import as they are loaded themselves.
IMPORTED = ("__init__.py", "v1_managed_fields_entry.py", "v1_object_meta.py", "v1_owner_reference.py")
NOTE = "LEFT_OUT"

# The program's environment has no pip, and the base that it lies on shall not have one either.
INSTALLERS = (
    *(
        f"usr/{packages}/{name}*"
        for packages in ("local/lib/python3*/site-packages", "lib/python3*/dist-packages")
        for name in ("pip", "setuptools", "wheel", "pkg_resources", "_distutils_hack", "distutils-precedence.pth")
    ),
    "usr/local/lib/python3*/ensurepip",
    "usr/lib/python3*/ensurepip",
    "usr/share/python-wheels",
    *(f"usr/{place}/{name}*" for place in ("local/bin", "bin") for name in ("pip", "easy_install", "wheel")),
)


def leave_out_models(packages: Path) -> list[Path]:
    """Delete the client's typed modules, take them off its list of files, and say so beside its licence."""
    for part in UNUSED:
        if not (packages / part / "__init__.py").is_file():
            raise FileNotFoundError(f"the client has no {part} any more: look again at what trim.py leaves out")
    imported = {packages / part / name for part in UNUSED for name in IMPORTED}
    files = [file for part in UNUSED for file in sorted((packages / part).rglob("*")) if file.is_file()]
    gone = [file for file in files if file not in imported]
    for file in gone:
        file.unlink()
    (information,) = packages.glob("kubernetes-*.dist-info")
    _note(information, packages, gone)
    return gone


def _note(information: Path, packages: Path, gone: Iterable[Path]) -> None:
    note = information / NOTE
    note.write_text(
        "Modified for this image: the files of these folders that nothing here imports were left out.\n"
        + "".join(f"{part}\n" for part in UNUSED)
    )
    left_out = {file.relative_to(packages).as_posix() for file in gone}
    record = information / "RECORD"
    with record.open(newline="") as file:
        rows = [row for row in csv.reader(file) if row[0] not in left_out]
    with record.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([*rows, [note.relative_to(packages).as_posix(), "", ""]])


def leave_out_installers(base: Path) -> None:
    """Delete what installs Python packages from the tree of a base image."""
    for pattern in INSTALLERS:
        for found in sorted(base.glob(pattern)):
            if found.is_dir() and not found.is_symlink():
                shutil.rmtree(found)
            else:
                found.unlink()


def main(environment: str, base: str) -> None:
    """Trim both trees."""
    (packages,) = Path(environment).glob("lib/python3*/site-packages")
    leave_out_models(packages)
    leave_out_installers(Path(base))


if __name__ == "__main__":
    main(*sys.argv[1:])
