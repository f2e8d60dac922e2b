"""How the operator starts: what it says first, in which form, and which settings it refuses."""

import asyncio
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from onboarding.__main__ import main
from onboarding.errors import ApiError, UnreachableError
from onboarding.runtime import start
from onboarding.runtime.health import Health
from onboarding.settings import Settings

ROOT = Path(__file__).parents[3]
LOG_A_LINE = """
import sys
import structlog
from onboarding.runtime.logs import configure_logging
configure_logging(sys.argv[1] or None, "info")
structlog.get_logger("onboarding").info("said", number=3)
"""


def clean_environment() -> dict[str, str]:
    """Return the environment without settings of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ONBOARDING_")}


def test_the_first_line_tells_the_version_and_every_setting() -> None:
    given = {"ONBOARDING_KUBECONFIG": "/nowhere", "ONBOARDING_WORKERS": "3", "ONBOARDING_POLICY": "cloud-pi-native"}
    command = [sys.executable, "-m", "onboarding", "run"]
    done = subprocess.run(command, env={**clean_environment(), **given}, capture_output=True, text=True, check=False)
    assert done.returncode == 1, "no hub can be reached"
    line = json.loads(done.stderr.splitlines()[0])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (line["event"], line["version"]) == ("starting operator", project["version"])
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert line["settings"] == {**defaults, "kubeconfig": "/nowhere", "workers": 3, "policy": "cloud-pi-native"}


def test_a_port_in_use_ends_the_start_in_one_line(tmp_path: Path) -> None:
    cluster = {"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}
    context = {"name": "x", "context": {"cluster": "c", "user": "u"}}
    users = [{"name": "u", "user": {"token": "t"}}]
    config = {"clusters": [cluster], "users": users, "contexts": [context], "current-context": "x"}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        given = {"ONBOARDING_KUBECONFIG": str(kubeconfig), "ONBOARDING_LISTEN": f"127.0.0.1:{port}"}
        command = [sys.executable, "-m", "onboarding", "run"]
        done = subprocess.run(
            command, env={**clean_environment(), **given}, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    first, last = done.stderr.splitlines()
    assert json.loads(first)["event"] == "starting operator"
    assert last == (
        f"operator stopped: cannot listen on 127.0.0.1:{port} (Address already in use): "
        "end the program that uses the port, or set ONBOARDING_LISTEN"
    )


def logged(log_format: str, *, stdout_tty: bool, stderr_tty: bool) -> str:
    """Return a line that a process logs whose standard streams are terminals, or not."""
    terminal, behind_terminal = pty.openpty()
    pipe, behind_pipe = os.pipe()
    streams = {True: behind_terminal, False: behind_pipe}
    subprocess.run(
        [sys.executable, "-c", LOG_A_LINE, log_format],
        stdout=streams[stdout_tty],
        stderr=streams[stderr_tty],
        check=True,
        timeout=60,
    )
    line = os.read(terminal if stderr_tty else pipe, 65536).decode()
    for descriptor in (terminal, behind_terminal, pipe, behind_pipe):
        os.close(descriptor)
    return line


@pytest.mark.parametrize(
    ("stdout_tty", "stderr_tty", "log_format", "form"),
    [
        (False, False, "", "json"),
        (False, True, "", "json"),
        (True, False, "", "json"),
        (True, True, "", "console"),
        (True, True, "json", "json"),
        (False, False, "console", "console"),
    ],
)
def test_the_log_is_json_unless_a_person_sees_it(
    stdout_tty: bool, stderr_tty: bool, log_format: str, form: str
) -> None:
    line = logged(log_format, stdout_tty=stdout_tty, stderr_tty=stderr_tty)
    assert "said" in line
    assert line.startswith("{") is (form == "json")
    if form == "json":
        assert json.loads(line)["number"] == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKERS", "0"),
        ("POLICY", ""),
        ("POLICY", "No Such/Name"),
        ("LISTEN", "8080"),
        ("LISTEN", "0.0.0.0:http"),
        ("LISTEN", "0.0.0.0:65536"),
        ("LOG_FORMAT", "xml"),
        ("ALLOW_LOGIN_COMMANDS", "perhaps"),
    ],
)
def test_a_wrong_setting_ends_the_start_and_is_named(name: str, value: str) -> None:
    done = CliRunner().invoke(main, ["run"], env={f"ONBOARDING_{name}": value})
    assert done.exit_code == 2
    assert done.stderr.startswith(f"ONBOARDING_{name}: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", ":8080", "127.0.0.1:9090", ":::8080", "localhost:65535"])
def test_an_address_to_listen_on_is_taken(listen: str) -> None:
    assert Settings(listen=listen).listen == listen


async def test_whatever_the_hub_lacks_at_the_start_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal of a moment, or a role that comes after the image, is told by readiness and ends nothing."""
    monkeypatch.setattr(start, "_RETRY_FIRST", 0.0)
    health, answers = Health(), [UnreachableError("away"), ApiError(403, "Forbidden", "not yet"), None]
    seen: list[str] = []

    async def ask() -> str:
        seen.append(health.ask())
        if error := answers.pop(0):
            raise error
        return "answer"

    assert await start._answered(ask, health) == "answer"
    assert seen == ["the hub has not been asked yet", "away", "403 Forbidden: not yet"]


async def test_a_request_to_stop_is_heeded_while_the_hub_is_waited_for() -> None:
    waiting = asyncio.Event()

    async def ask() -> str:
        waiting.set()
        await asyncio.Event().wait()
        return "never"

    stopped = asyncio.create_task(start._until_stopped(ask()))
    await waiting.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(stopped, 10) is None
