"""The layout of the repository: what must never appear, and what must be fresh."""

import importlib
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest
from click.testing import CliRunner

from onboarding.__main__ import main
from tests.support.complexity import functions

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path for folder in ("operator", "devcluster", "image", "tests") for path in (ROOT / folder).rglob("*.py")
)
PLAIN = ("operator", "demo", "devcluster", "docs", "image")
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(r"^[a-z0-9][a-z0-9._-]*==\S+( ; .*)?$")
HASH = re.compile(r"^--hash=sha256:[0-9a-f]{64}$")


def test_no_folder_of_tests_is_left_out(pytestconfig: pytest.Config) -> None:
    """A folder whose name pytest passes over would hold tests that never run, and nobody would notice."""
    parts = {part for path in (ROOT / "tests").rglob("test_*.py") for part in path.relative_to(ROOT).parts}
    passed_over = pytestconfig.getini("norecursedirs")
    assert [part for part in parts if any(fnmatch(part, pattern) for pattern in passed_over)] == []


@pytest.mark.parametrize("name", ["__init__.py", "operator.py"])
def test_the_source_root_is_no_module(name: str) -> None:
    """A package ``operator`` would hide the standard library's from every program that is started here."""
    assert not (ROOT / "operator" / name).exists()


def test_the_standard_library_is_not_shadowed() -> None:
    module = importlib.import_module("operator")
    assert module.__file__ is not None
    assert ROOT not in Path(module.__file__).parents or ".venv" in Path(module.__file__).parts


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_source_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_no_file_holds_both_sides_of_a_merge() -> None:
    marker = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout.split(b"\0")
    paths = [ROOT / name.decode() for name in listed if name]
    assert len(paths) > 500
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in paths if path.is_file()}
    assert [str(path) for path, text in texts.items() if marker.search(text)] == []


def test_a_function_can_be_read_at_once() -> None:
    paths = [path for folder in PLAIN for path in sorted((ROOT / folder).rglob("*.py"))]
    found = [function for path in paths for function in functions(path)]
    assert len(found) > 600
    assert [function for function in found if function.lines > 60 or function.complexity > 12] == []


def test_there_are_lock_files() -> None:
    assert {path.name for path in LOCKS} >= {"build.txt", "dev.txt", "runtime.txt"}


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_file_pins_by_hash_and_names_no_registry(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for entry in re.sub(r"\\\n", "\n\t", text).split("\n"):
        line = entry.strip()
        if line and not line.startswith("#"):
            assert PIN.match(line) or HASH.match(line), line
    pins = [part for part in re.split(r"\n(?=[a-z0-9])", text) if "==" in part]
    assert pins
    assert [pin.splitlines()[0] for pin in pins if "--hash=sha256:" not in pin] == []
    assert "://" not in text


def test_the_custom_resource_definitions_are_what_the_models_say() -> None:
    done = CliRunner().invoke(main, ["crds", "--check", "--directory", str(ROOT / "crds")])
    assert done.exit_code == 0, done.output
