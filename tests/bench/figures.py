"""The figures of a run: what was promised, what was measured, and whether it is met."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result."""

    part: str
    name: str
    target: str
    measured: str
    ratio: float | None = None
    """Measured over the raw writer's or the least possible, where there is such a thing."""
    met: bool | None = None
    """None where nothing was promised."""


@dataclass(slots=True)
class Result:
    """What one part found: figures for the reader, and details for the file."""

    figures: list[Figure] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def at_most(self, part: str, name: str, value: float, limit: float, unit: str = "") -> None:
        """Add a figure that must not exceed a limit."""
        self.figures.append(
            Figure(part, name, f"≤ {_number(limit)}{unit}", f"{_number(value)}{unit}", met=value <= limit)
        )

    def exactly(self, part: str, name: str, value: float, wanted: float) -> None:
        """Add a figure that must be one number."""
        self.figures.append(Figure(part, name, _number(wanted), _number(value), met=value == wanted))

    def informs(self, part: str, name: str, measured: str) -> None:
        """Add a figure that nothing was promised about."""
        self.figures.append(Figure(part, name, "–", measured))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    rank = -int(-len(ordered) * share // 1)
    return ordered[max(rank, 1) - 1]


def _number(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.3g}" if value < 1 else f"{value:.2f}"
