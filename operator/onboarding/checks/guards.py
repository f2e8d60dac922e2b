"""Check on the guard rails of others in a namespace of the project: they change what the project's own ones mean."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from onboarding.api.gates import Actor, Track
from onboarding.api.guards import ON_OPENSHIFT, ForeignGuards
from onboarding.api.status import Evidence
from onboarding.checks.finding import Finding, check
from onboarding.checks.several import some


class Guard(NamedTuple):
    """An object that restricts or grants, and that the operator has not made."""

    kind: str
    name: str
    digest: int


class GuardInputs(NamedTuple):
    """A namespace of the project, with the guard rails of others in it, and the rules of the policy for them."""

    namespace: str
    site: str
    found: Sequence[Guard]
    rules: ForeignGuards


@check(
    "ForeignGuards",
    Track.TECHNICAL,
    Evidence.OBSERVED,
    remedy="have its owner remove the object, or list it in spec.foreignGuards.expected of the policy if it belongs "
    "there",
    reads=(),
    actor=Actor.PLATFORM,
)
def only_our_guards(inputs: GuardInputs) -> Finding | None:
    """The namespace holds no quota, limits, network policy or role binding that somebody else has made."""
    expected = ON_OPENSHIFT if inputs.rules.expected is None else inputs.rules.expected
    surprising = [
        guard
        for guard in inputs.found
        if not any(guard.kind == item.kind and fnmatchcase(guard.name, item.name) for item in expected)
    ]
    if not surprising:
        return None
    named = some(f"{item.kind} {inputs.namespace}/{item.name} ({item.digest:08x})" for item in surprising)
    return Finding(f"made by others: {named}", site=inputs.site)
