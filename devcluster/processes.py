"""Operating-system processes, known by process id and start time so that a recycled id is never signalled."""

import contextlib
import os
import select
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import DevclusterError

# The kernel's parent-death signal follows the thread that forked, not its process. This thread lives until the
# interpreter ends, so a part started from a short-lived thread does not die with it.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="devcluster-spawner")

# A parent that dies before the signal is armed would never trigger it: the shell compares once more before it
# becomes the part.
_UNLESS_ORPHANED = '[ "$PPID" = "$0" ] && exec "$@"'


@dataclass(frozen=True)
class Process:
    """A process that may have ended by now."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Whether exactly this process still runs."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        return _start_time(self.pid) == self.started

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to exactly this process, if it still runs."""
        with self._handle() as handle:
            if handle is not None:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, number)

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the process; say whether it came."""
        with self._handle() as handle:
            if handle is not None:
                poll = select.poll()
                poll.register(handle, select.POLLIN)
                poll.poll(seconds * 1000)
        return not self.alive

    def stop(self, patience: float) -> None:
        """End the process: politely first, then by force."""
        self.signal(signal.SIGTERM)
        if not self.wait(patience):
            self.signal(signal.SIGKILL)
            self.wait(patience)

    def kill_session(self) -> None:
        """End the process and whatever it started in its session, if it still runs."""
        if self.alive:
            os.killpg(self.pid, signal.SIGKILL)
            self.wait(5)

    @contextlib.contextmanager
    def _handle(self) -> Iterator[int | None]:
        """Hold the process by a descriptor, which no later process with the same id can inherit."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            yield None
            return
        try:
            yield handle if self.alive else None
        finally:
            os.close(handle)


def spawn(
    command: Sequence[str | Path],
    log: Path,
    register: Callable[[Process], None],
    *,
    outlives_us: bool = False,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Start a command in a session of its own; unless it outlives us, it is killed when this process ends.

    An interruption never comes between the start and the registration: only the main thread is interrupted.
    """
    words = [str(word) for word in command]
    if not outlives_us:
        words = _tied_to_us(words)
    variables = os.environ if environment is None else environment
    future = _spawner.submit(lambda: register(_spawn(words, log, variables)))
    try:
        future.result()
    finally:
        wait([future])


def _tied_to_us(words: list[str]) -> list[str]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise DevclusterError("setpriv is missing, and nothing may outlive this process: install util-linux")
    return [setpriv, "--pdeathsig", "KILL", "sh", "-c", _UNLESS_ORPHANED, str(os.getpid()), *words]


def _spawn(words: list[str], log: Path, environment: Mapping[str, str]) -> Process:
    output = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawnp(
        words[0],
        words,
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), output, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigmask=[],
    )
    started = _start_time(pid)
    # A child that was not waited for keeps its entry even after its end, so there is always a start time.
    return Process(pid, -1 if started is None else started)


def _start_time(pid: int) -> int | None:
    """Read field 22 of /proc/PID/stat; a zombie counts as ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command's name comes second, in parentheses, and may hold spaces.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])
