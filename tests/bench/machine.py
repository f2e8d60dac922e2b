"""On what a run was made."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from tests.bench.proc import flags

if TYPE_CHECKING:
    from tests.bench.plane import Plane

_CHANGED = {
    "kube-controller-manager": ("kube-api-qps", "kube-api-burst"),
    "etcd": ("unsafe-no-fsync",),
}
"""The flags of the control plane that differ from Kubernetes' own and matter to speed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The machine and the control plane."""

    cores: int = 0
    memory_gib: float = 0.0
    load_before: float = 0.0
    """The load average when the last control plane was ready: well above 1 means that others worked, too."""
    python: str = ""
    kubernetes: str = ""
    changed_flags: tuple[str, ...] = ()
    when: str = ""

    def __str__(self) -> str:
        return (
            f"{self.cores} cores, {self.memory_gib:.0f} GiB, Python {self.python}, Kubernetes {self.kubernetes}, "
            f"{' '.join(self.changed_flags)}; {self.when[:10]}"
        )


def facts_of(plane: "Plane") -> Facts:
    """Return what a run on this control plane is made on."""
    version = orjson.loads(plane.cluster.kubectl("get", "--raw", "/version").stdout)
    return Facts(
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3, 1),
        load_before=float(Path("/proc/loadavg").read_text().split()[0]),
        python=platform.python_version(),
        kubernetes=version["gitVersion"],
        changed_flags=tuple(
            f"{part} --{name}={value}"
            for part, names in _CHANGED.items()
            for name, value in flags(plane.cluster.process_id(part)).items()
            if name in names
        ),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
    )
