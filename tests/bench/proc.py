"""What Linux knows of a process: CPU time, memory and command line."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of a process in bytes: now, and at most so far."""

    now: int
    peak: int


def cpu_seconds(pid: int) -> float:
    """Return the user and system time that a process has used, its threads included, without its children."""
    # The command's name comes second, in parentheses, and may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid: int) -> Memory:
    """Return VmRSS and VmHWM."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    return Memory(now=_kib(fields["VmRSS"]), peak=_kib(fields["VmHWM"]))


def flags(pid: int) -> dict[str, str]:
    """Return the ``--name=value`` words of a process' command line."""
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return dict(word.removeprefix("--").split("=", 1) for word in words if word.startswith("--") and "=" in word)


def _kib(text: str) -> int:
    return int(text.split(maxsplit=1)[0]) * _KIB
