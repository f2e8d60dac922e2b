"""Programs beside a control plane: started, recorded, broken and ended."""

import subprocess
import sys
from pathlib import Path

import pytest

from devcluster import DevclusterError
from devcluster.errors import PortTakenError
from devcluster.processes import Process
from devcluster.programs import Program, Programs
from devcluster.waiting import wait_until

ROOT = Path(__file__).parents[2]
STARTS_AND_WAITS = """
import sys
from pathlib import Path
from devcluster.programs import Program, Programs

programs = Programs(Path(sys.argv[1]))
programs.start([Program("sleeper", ["sleep", "60"], lambda: True)], outlive_us=sys.argv[2] == "outlive")
print(programs.process_id("sleeper"), flush=True)
sys.stdin.read()
"""


def sleeper(name: str) -> Program:
    return Program(name, ["sleep", "60"], lambda: True)


def says(text: str) -> Program:
    return Program("broken", ["sh", "-c", f"echo {text} >&2; exit 1"], lambda: False)


@pytest.mark.parametrize(("how", "survives"), [("end", False), ("outlive", True)])
def test_a_program_outlives_its_starter_only_if_it_shall(tmp_path: Path, how: str, survives: bool):
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_WAITS, tmp_path, how],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        starter.kill()
    programs = Programs(tmp_path)
    wait_until(lambda: programs.alive("sleeper") == survives, "the end of what may not live on", 10)
    assert programs.process_id("sleeper") == pid
    programs.stop_all()
    assert not programs.alive("sleeper")
    assert not (tmp_path / "programs.json").exists()


def test_a_program_that_ends_while_it_starts_shows_why_and_takes_the_others_along(tmp_path: Path):
    programs = Programs(tmp_path)
    with pytest.raises(DevclusterError, match="no such flag"):
        programs.start([sleeper("other"), says("no such flag")], outlive_us=False)
    assert not programs.alive("other")
    assert not (tmp_path / "programs.json").exists()


def test_a_port_that_is_taken_meanwhile_is_told_apart(tmp_path: Path):
    with pytest.raises(PortTakenError):
        Programs(tmp_path).start([says("OSError: [Errno 98] Address already in use")], outlive_us=False)


def test_one_program_is_ended_and_the_others_go_on(tmp_path: Path):
    programs = Programs(tmp_path)
    programs.start([sleeper("one"), sleeper("two")], outlive_us=False)
    with pytest.raises(DevclusterError, match="runs already"):
        programs.start([sleeper("two")], outlive_us=False)
    programs.stop(["one"])
    with pytest.raises(DevclusterError, match="one was not started, only two"):
        programs.process_id("one")
    programs.stop_all()


def test_a_program_that_ignores_a_polite_request_is_ended_anyway(tmp_path: Path):
    programs = Programs(tmp_path)
    deaf = Program("deaf", ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"], lambda: True)
    programs.start([deaf], outlive_us=False)
    wait_until(lambda: "ready" in programs.log("deaf").read_text(), "the trap", 5)
    process = Process(programs.process_id("deaf"), started=0)
    programs.stop_all()
    assert not Path(f"/proc/{process.pid}").exists()
