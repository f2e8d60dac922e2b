"""What is built and fetched with Go."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from devcluster import ControlPlane, DevclusterError, argocd_crds, crds, golang
from devcluster.build import Build

ROOT = Path(__file__).parents[2]


def test_a_build_is_kept_and_a_failed_one_shows_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    module = tmp_path / "module"
    module.mkdir()
    (module / "go.mod").write_text("module example.com/tiny\n\ngo 1.26.0\n")
    (module / "go.sum").touch()
    (module / "main.go").write_text("package main\n\nfunc main() { println(1) }\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tiny = Build("something tiny", "a second", module, ("one", "two"))
    folder = tiny.folder(lambda _message: None)
    assert {path.name for path in folder.iterdir() if path.is_symlink()} == {"one", "two"}
    assert subprocess.run([folder / "two"], capture_output=True, check=True).stderr == b"1\n"
    assert tiny.folder(pytest.fail) == folder

    (module / "main.go").write_text("package main\n\nfunc main() { unknown() }\n")
    with pytest.raises(DevclusterError, match="undefined: unknown"):
        tiny.folder(lambda _message: None)


def test_go_fetches_the_version_that_a_module_asks_for_whatever_a_file_of_settings_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = tmp_path / "env"
    settings.write_text("GOTOOLCHAIN=local\n")
    monkeypatch.setenv("GOENV", str(settings))
    monkeypatch.delenv("GOTOOLCHAIN", raising=False)
    module = ROOT / "devcluster" / "argocd"
    asked = re.findall(r"(?m)^toolchain (\S+)$", (module / "go.mod").read_text())
    assert golang.version(module) == max([*asked, golang.version(tmp_path)], key=_numbers)


def test_a_go_that_may_not_be_fetched_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "go.mod").write_text("module example.com/newer\n\ngo 1.99.0\n")
    monkeypatch.setenv("GOTOOLCHAIN", "local")
    with pytest.raises(DevclusterError, match=r"requires go >= 1\.99\.0.*\n.*unset GOTOOLCHAIN or set it to auto"):
        golang.run(["list", "-m"], tmp_path)


def test_without_go_and_binaries_the_error_names_both_remedies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(golang.sys, "executable", str(tmp_path / "python"))
    with pytest.raises(DevclusterError, match=r"Go 1\.26 or newer.*KUBEBUILDER_ASSETS"):
        ControlPlane.start("never")


def test_argo_cds_definitions_come_from_its_module():
    assert [path.name for path in argocd_crds()] == [
        "application-crd.yaml",
        "appproject-crd.yaml",
        "applicationset-crd.yaml",
    ]
    assert all("kind: CustomResourceDefinition" in path.read_text() for path in argocd_crds())


def test_a_module_with_another_checksum_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(ROOT / "devcluster" / "argocd", tmp_path, dirs_exist_ok=True)
    sums = (tmp_path / "go.sum").read_text()
    forged, found = re.subn(r"(?m)^(github\.com/argoproj/argo-cd/v3 \S+ h1:).{4}", r"\1AAAA", sums)
    assert found == 2
    (tmp_path / "go.sum").write_text(forged)
    monkeypatch.setattr(crds, "_MODULE", tmp_path)
    with pytest.raises(DevclusterError, match="checksum mismatch"):
        argocd_crds()


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
