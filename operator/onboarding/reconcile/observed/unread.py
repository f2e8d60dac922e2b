"""A decision that this operator cannot read, such as one of a newer form: it grants nothing, and it may still hold."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self

from onboarding.api.decision import Decision

_GRANTING: Final = frozenset(
    {Decision.APPROVE, Decision.WAIVE, Decision.ATTEST, Decision.GRANT, Decision.CONFIRM_DELETE}
)
"""What only opens something: without it nothing happens that must not."""


class UnreadDecision(NamedTuple):
    """What is known of it."""

    name: str
    project: str
    """The project that it is about; the empty string where that cannot be read: it may be about any."""
    uid: str
    """Which incarnation of that project; the empty string likewise."""
    withholds: bool
    """Whether it may hold something back: Reject, Suspend, and whatever this operator does not know."""
    problem: str

    @classmethod
    def of(cls, name: str, spec: Mapping[str, Any], problem: str) -> Self:
        """Read what can be read."""
        about = spec.get("project")
        project = about.get("name") if isinstance(about, Mapping) else None
        uid = about.get("uid") if isinstance(about, Mapping) else None
        return cls(
            name=name,
            project=project if isinstance(project, str) else "",
            uid=uid if isinstance(uid, str) else "",
            withholds=str(spec.get("decision")) not in _GRANTING,
            problem=problem,
        )

    def concerns(self, project: str, uid: str) -> bool:
        """Return whether it is, or may be, about one incarnation of a project."""
        return self.project in ("", project) and self.uid in ("", uid)

    def __str__(self) -> str:
        return f"OnboardingDecision {self.name} cannot be read: {self.problem}"
