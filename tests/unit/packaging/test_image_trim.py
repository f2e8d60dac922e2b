"""What the image leaves out is never imported, and what says so stays true."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from image import trim
from tests.support.trimmed import trimmed_client

ROOT = Path(__file__).parents[3]
IMPORT_ALL = """
import importlib, pathlib, pkgutil, sys
import kubernetes, onboarding
assert pathlib.Path(kubernetes.__file__).is_relative_to(sys.argv[1]), kubernetes.__file__
for module in pkgutil.walk_packages(onboarding.__path__, "onboarding."):
    importlib.import_module(module.name)
print(len([name for name in sys.modules if name.startswith("onboarding.")]))
"""


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trimmed_client(tmp_path_factory.mktemp("trimmed"))


def _python(trimmed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{trimmed}:{ROOT}"}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, env=environment, cwd=ROOT
    )


def test_every_module_of_the_operator_can_be_imported_without_the_models(trimmed: Path) -> None:
    done = _python(trimmed, "-W", "error", "-c", IMPORT_ALL, str(trimmed))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


def test_logins_and_requests_need_no_model(trimmed: Path) -> None:
    """The tests of kubeconfigs, tokens, TLS, identity and Kopf's session pass with the trimmed client."""
    named = (
        "adapters/test_client",
        "adapters/test_identity",
        "runtime/test_events",
        "reconcile/apply/test_repository_secrets",
    )
    tests = [f"tests/unit/{name}.py" for name in named]
    done = _python(trimmed, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert done.returncode == 0, done.stdout


def test_nearly_all_of_the_client_is_left_out(trimmed: Path) -> None:
    """What stays of its Python files is less than 5 MB, and the names of the models lead nowhere."""
    stays = sum(file.stat().st_size for file in (trimmed / "kubernetes").rglob("*.py"))
    assert stays < 5_000_000
    done = _python(trimmed, "-c", "from kubernetes.aio.client import CoreV1Api")
    assert "No module named 'kubernetes.aio.client.api.core_v1_api'" in done.stderr


def test_the_list_of_files_and_the_note_say_what_is_there(trimmed: Path) -> None:
    """Nothing that is listed is missing, nothing that stays is unlisted, and a note tells of the modification."""
    (information,) = trimmed.glob("kubernetes-*.dist-info")
    with (information / "RECORD").open(newline="") as record:
        listed = {row[0] for row in csv.reader(record) if not row[0].endswith(".pyc")}
    there = {str(file.relative_to(trimmed)) for file in trimmed.rglob("*") if file.is_file() and file.suffix != ".pyc"}
    assert listed == there
    note = (information / trim.NOTE).read_text()
    assert [part for part in trim.UNUSED if part not in note] == []
    assert list(information.glob("licenses/LICENSE*"))


def test_a_client_without_these_folders_is_not_trimmed_in_silence(tmp_path: Path) -> None:
    """A release that lies otherwise ends the build."""
    (tmp_path / "kubernetes").mkdir()
    with pytest.raises(FileNotFoundError):
        trim.leave_out_models(tmp_path)


def test_installers_go_from_every_place_of_a_base(tmp_path: Path) -> None:
    """Those of an image with its own Python, and those of Debian; what only resembles them stays."""
    gone = [
        "usr/local/lib/python3.11/site-packages/pip/__init__.py",
        "usr/local/lib/python3.11/site-packages/pip-24.0.dist-info/METADATA",
        "usr/local/lib/python3.11/site-packages/setuptools/__init__.py",
        "usr/local/lib/python3.11/site-packages/distutils-precedence.pth",
        "usr/local/lib/python3.11/ensurepip/_bundled/pip-24.0-py3-none-any.whl",
        "usr/local/bin/pip3.11",
        "usr/lib/python3.11/ensurepip/__init__.py",
        "usr/lib/python3/dist-packages/pip/__init__.py",
        "usr/share/python-wheels/pip-23.0.1-py3-none-any.whl",
        "usr/bin/pip3",
    ]
    stays = ["usr/local/bin/python3.11", "usr/lib/python3.11/pipes.py", "usr/share/doc/python3-pip/copyright"]
    for file in (*gone, *stays):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    trim.leave_out_installers(tmp_path)
    assert [file for file in gone if (tmp_path / file).exists()] == []
    assert [file for file in stays if not (tmp_path / file).exists()] == []
