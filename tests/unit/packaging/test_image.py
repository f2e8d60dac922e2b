"""The image is built from what this machine knows, weighed whole, and refused where it holds what installs."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from image import host, tools, tree
from image.__main__ import main
from image.errors import ImageError

ROOT = Path(__file__).parents[3]
INTRUDERS = [
    "usr/bin/pip",
    "usr/bin/pip3.11",
    "usr/local/bin/easy_install",
    "usr/bin/gcc",
    "usr/bin/gcc-12",
    "usr/bin/x86_64-linux-gnu-g++-12",
    "usr/bin/cc",
    "usr/bin/ld.gold",
    "usr/bin/make",
    "usr/lib/gcc/x86_64-linux-gnu/12/cc1plus",
    "usr/local/go/bin/go",
    "usr/share/python-wheels/pip-23.0.1-py3-none-any.whl",
    "etc/pip.conf",
    "run/secrets/ca.pem",
]
PACKAGES = [
    "usr/lib/python3/dist-packages/setuptools",
    "usr/lib/python3.11/ensurepip",
    "opt/onboarding/lib/python3.11/site-packages/pip-24.0.dist-info",
]
HARMLESS = [
    "usr/bin/python3.11",
    "usr/bin/ld.so",
    "usr/share/doc/gcc-12-base/copyright",
    "usr/lib/x86_64-linux-gnu/libgcc_s.so.1",
    "opt/onboarding/lib/python3.11/site-packages/cffi/setuptools_ext.py",
    "usr/lib/python3.11/pipes.py",
    "opt/onboarding/bin/onboarding",
]


def _put(root: Path, file: str, content: str = "x") -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(content)


def test_what_runs_a_program_is_no_intruder(tmp_path: Path) -> None:
    for file in HARMLESS:
        _put(tmp_path, file)
    assert tree.intruders(tmp_path) == []
    tree.refuse_intruders(tmp_path)


@pytest.mark.parametrize("file", INTRUDERS)
def test_what_installs_compiles_or_was_handed_in_is_found(tmp_path: Path, file: str) -> None:
    _put(tmp_path, file)
    assert [found for found in tree.intruders(tmp_path) if file.startswith(found)] != []
    with pytest.raises(ImageError, match="take another base"):
        tree.refuse_intruders(tmp_path)


@pytest.mark.parametrize("folder", PACKAGES)
def test_a_package_that_installs_others_is_found(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    assert tree.intruders(tmp_path) == [folder]


def test_each_byte_is_counted_once_and_for_its_part(tmp_path: Path) -> None:
    """A package owns what its list of files names, and bytecode beside it; a second name of a file weighs nothing."""
    site = "opt/onboarding/lib/python3.11/site-packages"
    _put(tmp_path, "usr/bin/perl", "12345")
    os.link(tmp_path / "usr/bin/perl", tmp_path / "usr/bin/perl5")
    for name, package, files in (
        ("PyYAML", "yaml", "yaml/__init__.py,,\n"),
        ("project-onboarding-operator", "onboarding", "onboarding/a.py,,\n"),
    ):
        _put(tmp_path, f"{site}/{package}/a.py", "123")
        _put(tmp_path, f"{site}/{package}/__pycache__/a.pyc", "1234")
        information = f"{site}/{name}-1.dist-info"
        _put(tmp_path, f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        _put(tmp_path, f"{information}/RECORD", f"{files}{name}-1.dist-info/METADATA,,\n../../../bin/{package},,\n")
    found = tree.sizes(tmp_path)
    described = {
        path.name: sum(file.stat().st_size for file in path.iterdir()) for path in (tmp_path / site).glob("*-info")
    }
    assert found.base == 5
    assert found.packages == {"PyYAML": 7 + described["PyYAML-1.dist-info"]}
    assert found.own == 7 + described["project-onboarding-operator-1.dist-info"]


def test_pip_finds_its_packages_in_a_build_as_it_does_here(tmp_path: Path) -> None:
    """What the environment says wins, folders are handed in, and the authority is the build's copy of it."""
    authority, wheels = tmp_path / "ca.pem", tmp_path / "wheels"
    authority.touch()
    wheels.mkdir()
    index = host.read_index(
        "global.cert='/nowhere/else.pem'\n"
        "global.index-url='https://index.example.org/simple'\n"
        "install.extra-index-url='https://a.example.org/\\nhttps://b.example.org/'\n"
        f":env:.cert='{authority}'\n"
        f":env:.find-links='{wheels} /nowhere https://c.example.org/'\n"
    )
    assert index.authority == authority
    assert index.folders == [str(wheels)]
    assert index.configuration().splitlines() == [
        "[global]",
        "index-url = https://index.example.org/simple",
        "extra-index-url = https://a.example.org/",
        "    https://b.example.org/",
        f"find-links = {wheels} /nowhere https://c.example.org/",
        "cert = /run/secrets/ca.pem",
    ]


def test_without_a_setting_the_authority_is_that_of_other_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(variable, raising=False)
    assert host.read_index("").authority is None
    assert host.read_index("").configuration() == "[global]\n"
    (tmp_path / "ca.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert host.read_index("").authority == tmp_path / "ca.pem"


def test_a_machine_without_the_tools_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImageError, match=r"buildah and mmdebstrap missing: .*apt-get install buildah mmdebstrap"):
        tools.require("buildah", "mmdebstrap")
    done = CliRunner().invoke(main, ["--logs", str(tmp_path)])
    assert done.exit_code == 1
    assert "apt-get install buildah mmdebstrap" in done.output
    done = CliRunner().invoke(main, ["--python-image", "python@sha256:0", "--logs", str(tmp_path)])
    assert "apt-get install buildah" in done.output
    assert "mmdebstrap" not in done.output


def test_somebody_else_than_root_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "buildah").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ImageError, match="sudo make image"):
        tools.require("buildah")


def test_a_base_to_run_on_alone_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["--run-image", "python@sha256:0", "--logs", str(tmp_path)])
    assert done.exit_code == 1
    assert "PYTHON_IMAGE" in done.output


def test_the_final_stage_runs_nothing_and_takes_only_finished_files() -> None:
    """So nothing that a command leaves behind, or that an image below holds, can be in it."""
    text = (ROOT / "Dockerfile").read_text()
    final = text[text.rindex("\nFROM ") :].splitlines()
    assert final[1] == "FROM scratch"
    words = [line.split()[0] for line in final if line and not line.startswith((" ", "#"))]
    assert "RUN" not in words
    assert [line for line in final if line.startswith("COPY") and "--from=build" not in line] == []
    assert "USER 65532:65532" in final
