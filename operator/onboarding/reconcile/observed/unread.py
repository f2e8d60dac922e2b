"""An OnboardingDecision that this operator cannot read, such as one in a newer form: it grants nothing but may hold."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self

from onboarding.api.decision import Decision

_GRANTING: Final = frozenset(
    {Decision.APPROVE, Decision.WAIVE, Decision.ATTEST, Decision.GRANT, Decision.CONFIRM_DELETE}
)
"""Decisions that only grant something: it is safe to ignore them."""


class UnreadDecision(NamedTuple):
    """The readable part of an unreadable OnboardingDecision."""

    name: str
    project: str
    """The name of its project; the empty string if that cannot be read, so that it may be any."""
    uid: str
    """The UID of its project; the empty string if that cannot be read."""
    may_hold: bool
    """Whether it may hold something: Reject, Suspend, and every decision that this operator does not know."""
    problem: str
    """Why it cannot be read."""

    @classmethod
    def of(cls, name: str, spec: Mapping[str, Any], problem: str) -> Self:
        """Read the project and the kind of decision, as far as possible."""
        about = spec.get("project")
        project = about.get("name") if isinstance(about, Mapping) else None
        uid = about.get("uid") if isinstance(about, Mapping) else None
        return cls(
            name=name,
            project=project if isinstance(project, str) else "",
            uid=uid if isinstance(uid, str) else "",
            may_hold=str(spec.get("decision")) not in _GRANTING,
            problem=problem,
        )

    def concerns(self, project: str, uid: str) -> bool:
        """Return whether it is, or may be, about this UID of a project."""
        return self.project in ("", project) and self.uid in ("", uid)

    def __str__(self) -> str:
        return f"OnboardingDecision {self.name} cannot be read: {self.problem}"
