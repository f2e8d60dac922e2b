"""What the answers of admission policies to our probes tell, and when each policy is asked again; no input or output.

A policy is in force when it refuses, in its own words and in our version, an object that it refuses to everybody.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from onboarding import names
from onboarding.backoff import Backoff, Uniform, jittered, uniform
from onboarding.errors import ApiError, OnboardingError

PERIOD: Final = 600.0
"""Seconds after which a policy that is in force is asked again."""
CONFIRMED_AFTER: Final = (3.0, 15.0)
"""Seconds after a change at which the answer is asked for again: the API server takes a policy in a moment after it has
told of it, and judges by the former one until then."""
GRACE: Final = 5.0
"""Seconds after a change within which a policy that does not refuse yet is not called missing."""
BACKOFF_FIRST: Final = 0.5
BACKOFF_LAST: Final = 120.0

_DENIAL: Final = re.compile(
    r'\S+ "[^"]*" is forbidden: '
    r"ValidatingAdmissionPolicy '(?P<policy>[^']+)' with binding '[^']+' denied request: (?P<words>.*)",
    re.DOTALL,
)
"""The whole message: a webhook can quote such words, and begins with its own name."""
_PROBE: Final = re.compile(r"guard probe refused \(rule (?P<rule>\S+)\): version (?P<version>\S+) of the policies")
_NO_RIGHT: Final = re.compile(r'User ".*" cannot \w+ resource')


class Standing(StrEnum):
    """Whether a policy is in force."""

    PROVEN = "proven"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """What one answer tells of a policy; the reason says what was answered where that is not what it shall be."""

    standing: Standing
    reason: str = ""


PROVEN: Final = PolicyAnswer(Standing.PROVEN)
ALLOWED: Final = PolicyAnswer(Standing.MISSING, "nothing refused the object that it refuses to everybody")
STRIPPED: Final = PolicyAnswer(
    Standing.MISSING,
    f"nothing refused its probe, because a mutating webhook takes the annotation {names.ANNOTATION_GUARD_PROBE} off: "
    "exempt the dry runs of the operator's account there",
)


def read_refusal(policy: str, error: OnboardingError) -> PolicyAnswer:
    """Return what an answer that is an error tells of a policy."""
    if not isinstance(error, ApiError):
        return PolicyAnswer(Standing.UNKNOWN, str(error))
    if error.reason == "AlreadyExists":
        return ALLOWED
    denial = _DENIAL.match(error.message)
    if denial and denial["policy"] == policy:
        return _read_denial(policy, denial["words"])
    return PolicyAnswer(Standing.UNKNOWN, _explain(error))


def _read_denial(policy: str, words: str) -> PolicyAnswer:
    told = _PROBE.match(words)
    if told is None or told["rule"] != policy:
        return PolicyAnswer(Standing.MISSING, f"another version of it answers, which does not know its probe: {words}")
    if told["version"] != str(names.GUARD_VERSION):
        return PolicyAnswer(Standing.MISSING, f"it is version {told['version']} instead of {names.GUARD_VERSION}")
    return PROVEN


def _explain(error: ApiError) -> str:
    """Return the server's words, after what is to be done about them: the status may cut the end off."""
    if _NO_RIGHT.search(error.message) or (error.status == 404 and names.SYNC_NAMESPACE in error.message):
        return f"its probe cannot be sent until the manifests are applied again: {error}"
    if error.status in (404, 429) or error.status >= 500:
        return str(error)
    return f"something else refused its probe, so let dry runs of the operator's account pass there: {error}"


class Form(NamedTuple):
    """Policy and binding as they were last heard of, each by UID and generation; the empty string where it is gone."""

    policy: str
    binding: str

    @property
    def gone(self) -> str:
        """What is not there; the empty string where both are."""
        if self.policy:
            return "" if self.binding else "its binding is missing"
        return "it is missing"


class GuardPolicy:
    """One admission policy on one cluster: whether it is in force, and when it has to be asked next.

    A proof stands until the policy or its binding changes, or an answer contradicts it.
    """

    def __init__(self, policy: str, *, uniform: Uniform = uniform) -> None:
        """Spread the pauses with ``uniform``, so that not everything is asked at once."""
        self.policy = policy
        self.answer = PolicyAnswer(Standing.UNKNOWN, "it has not been asked")
        self.answered = False
        """Whether it has ever answered, in whatever way."""
        self.stood = False
        """Whether it was in force when that was known last."""
        self.form: Form | None = None
        """None while nothing has been heard of it."""
        self.due_at = float("inf")
        self._uniform = uniform
        self._backoff = Backoff(BACKOFF_FIRST, BACKOFF_LAST, uniform=uniform)
        self._changed_at = 0.0

    @property
    def there(self) -> bool:
        """Whether policy and binding exist, so that it can be asked."""
        return self.form is not None and not self.form.gone

    def observe(self, form: Form, now: float) -> bool:
        """Take in what policy and binding are now; return whether they have changed: then there is no proof."""
        if form == self.form:
            return False
        self._backoff.reset()
        self._changed_at = now
        if form.gone:
            self.answer, self.due_at = PolicyAnswer(Standing.MISSING, form.gone), float("inf")
            self.stood = False
        else:
            words = "it has not been asked" if self.form is None else "it has changed and has not answered since"
            self.answer, self.due_at = PolicyAnswer(Standing.UNKNOWN, words), now
        self.form = form
        return True

    def take(self, form: Form | None, answer: PolicyAnswer, now: float) -> bool:
        """Take in an answer to what was asked of this form; return whether anything else is true now."""
        self.answered = True
        if form != self.form or not self.there:
            return False
        before, age = self.answer, now - self._changed_at
        if answer.standing is Standing.PROVEN:
            self.answer = answer
            self._backoff.reset()
            pause = jittered(next((at for at in CONFIRMED_AFTER if age < at), PERIOD), uniform=self._uniform)
        else:
            if answer.standing is Standing.MISSING and age < GRACE:
                self.answer = PolicyAnswer(Standing.UNKNOWN, answer.reason)
            elif answer.standing is Standing.MISSING or before.standing is not Standing.PROVEN:
                self.answer = answer
            pause = self._backoff.next()
        self.due_at = now + pause
        if self.answer.standing is not Standing.UNKNOWN:
            self.stood = self.answer.standing is Standing.PROVEN
        return self.answer != before
