"""The admitted revision of a namespace: parsed once, when the namespace enters the cache."""

from typing import NamedTuple

from pydantic import ValidationError

from onboarding import names
from onboarding.build.revision import Owner, Revision
from onboarding.reconcile.observed.validity import is_newer, summarize, unreadable


class Admitted(NamedTuple):
    """The annotation ``admitted`` of a namespace, parsed."""

    revision: Revision | None = None
    """None if it cannot be read."""
    newer: str = ""
    """How a newer operator shows in it; the empty string if it does not."""


class GoneNamespace(NamedTuple):
    """A namespace of ours that somebody else deleted, and that is to be rebuilt from its last admitted revision."""

    owner: Owner
    environment: str
    revision: Revision


def read_admitted(annotation: str) -> Admitted:
    """Parse the annotation ``admitted`` of a namespace."""
    try:
        return Admitted(Revision.parse(annotation))
    except ValidationError as error:
        problems = unreadable(error, names.ANNOTATION_ADMITTED)
        return Admitted(None, summarize(problems) if is_newer(problems) else "")
