"""Sums of resources, as whole numbers, so that adding and comparing is exact."""

from dataclasses import dataclass
from functools import lru_cache

from onboarding.api.common import Resources
from onboarding.api.quantities import milli


@dataclass(frozen=True, slots=True)
class Totals:
    """A sum: CPU, memory and storage in thousandths of their unit, GPUs whole."""

    cpu: int = 0
    memory: int = 0
    storage: int = 0
    gpu: int = 0

    @staticmethod
    def of(resources: Resources) -> "Totals":
        """Return what one environment takes on one site; the same object for the many of the same size."""
        return _counted(resources.cpu, resources.memory, resources.storage, resources.gpu)

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            self.cpu + other.cpu, self.memory + other.memory, self.storage + other.storage, self.gpu + other.gpu
        )

    def __sub__(self, other: "Totals") -> "Totals":
        return Totals(
            self.cpu - other.cpu, self.memory - other.memory, self.storage - other.storage, self.gpu - other.gpu
        )

    def most(self, other: "Totals") -> "Totals":
        """Return the greater of both, each resource by itself."""
        return Totals(
            max(self.cpu, other.cpu),
            max(self.memory, other.memory),
            max(self.storage, other.storage),
            max(self.gpu, other.gpu),
        )

    def below(self, other: "Totals") -> bool:
        """Return whether any resource is less than in another sum."""
        return (
            self.cpu < other.cpu or self.memory < other.memory or self.storage < other.storage or self.gpu < other.gpu
        )


@lru_cache(maxsize=1024)
def _counted(cpu: str, memory: str, storage: str, gpu: int) -> Totals:
    return Totals(milli(cpu), milli(memory), milli(storage), gpu)
