"""What an answer of an admission policy proves, how long a proof stands, and when the policy is asked again."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from onboarding import names
from onboarding.adapters.guard_states import (
    ALLOWED,
    BACKOFF_LAST,
    GRACE,
    PERIOD,
    PROVEN,
    Form,
    GuardPolicy,
    PolicyAnswer,
    Standing,
    read_refusal,
)
from onboarding.errors import ApiError, OnboardingError, UnreachableError

POLICY = names.GUARD_POLICIES[2]
UNKNOWN = PolicyAnswer(Standing.UNKNOWN, "no answer")
MISSING, STANDS = ALLOWED, Standing.PROVEN
THERE, OTHER, GONE = Form("a/1", "b/1"), Form("a/1", "b/2"), Form("a/1", "")
NEVER = float("inf")


def denial(words: str, policy: str = POLICY) -> ApiError:
    """Return how the API server tells of a policy's refusal."""
    told = f"ValidatingAdmissionPolicy '{policy}' with binding '{policy}' denied request: {words}"
    return ApiError(403, "Forbidden", f'serviceaccounts "x" is forbidden: {told}')


def sentence(policy: str = POLICY, version: object = names.GUARD_VERSION) -> str:
    return f"guard probe refused (rule {policy}): version {version} of the policies is in force. Leave it out."


ANSWERS: dict[str, tuple[OnboardingError, Standing, str]] = {
    "our sentence": (denial(sentence()), Standing.PROVEN, ""),
    "an older version": (denial(sentence(version=0)), Standing.MISSING, "it is version 0 instead of"),
    "a newer version": (denial(sentence(version=99)), Standing.MISSING, "it is version 99 instead of"),
    "a version that begins alike": (
        denial(sentence(version=f"{names.GUARD_VERSION}0")),
        Standing.MISSING,
        "version",
    ),
    "another rule of the policy": (denial("only the operator makes"), Standing.MISSING, "only the operator makes"),
    "a policy without its parameters": (
        denial("failed to configure binding: no params found for policy binding with `Deny`"),
        Standing.MISSING,
        "no params found",
    ),
    "the sentence of another of ours": (
        denial(sentence(names.GUARD_POLICIES[1])),
        Standing.MISSING,
        "another version",
    ),
    "another policy of ours": (
        denial(sentence(names.GUARD_POLICIES[1]), names.GUARD_POLICIES[1]),
        Standing.UNKNOWN,
        "",
    ),
    "our sentence from somebody else's policy": (
        denial(sentence(), "acme-policy"),
        Standing.UNKNOWN,
        "acme-policy",
    ),
    "our sentence from a webhook": (
        ApiError(403, "Forbidden", f'admission webhook "acme" denied the request: {sentence()}'),
        Standing.UNKNOWN,
        "let dry runs of the operator's account pass there: 403",
    ),
    "a webhook that quotes our policy": (
        ApiError(403, "Forbidden", f'admission webhook "acme" denied the request: {denial(sentence()).message}'),
        Standing.UNKNOWN,
        "acme",
    ),
    "a webhook that takes no dry run": (
        ApiError(400, "BadRequest", 'admission webhook "acme" does not support dry run'),
        Standing.UNKNOWN,
        "does not support dry run",
    ),
    "a webhook that is down": (ApiError(500, "InternalError", "failed calling webhook"), Standing.UNKNOWN, "500"),
    "no right": (
        ApiError(403, "Forbidden", 'serviceaccounts is forbidden: User "x" cannot create resource "serviceaccounts"'),
        Standing.UNKNOWN,
        "manifests are applied again",
    ),
    "no namespace": (
        ApiError(404, "NotFound", f'namespaces "{names.SYNC_NAMESPACE}" not found'),
        Standing.UNKNOWN,
        "manifests are applied again",
    ),
    "a project that is gone": (
        ApiError(404, "NotFound", 'projectonboardings "x" not found'),
        Standing.UNKNOWN,
        "404",
    ),
    "a quota": (ApiError(403, "Forbidden", "exceeded quota: compute"), Standing.UNKNOWN, "exceeded quota"),
    "a name that is taken": (ApiError(409, "AlreadyExists", "exists"), Standing.MISSING, "nothing refused"),
    "too many requests": (ApiError(429, "TooManyRequests", "later"), Standing.UNKNOWN, "429"),
    "no answer": (UnreachableError("no answer"), Standing.UNKNOWN, "no answer"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_only_our_sentence_in_our_version_proves_a_policy(case: str) -> None:
    error, standing, words = ANSWERS[case]
    answer = read_refusal(POLICY, error)
    assert answer.standing is standing
    assert words.lower() in answer.reason.lower()
    assert bool(answer.reason) is (standing is not Standing.PROVEN)


def guard(form: Form = THERE) -> GuardPolicy:
    """Return a guard of which this was heard at 0."""
    made = GuardPolicy(POLICY, uniform=lambda _low, _high: 1.0)
    made.observe(form, 0.0)
    return made


@pytest.mark.parametrize(
    ("form", "reason"),
    [(GONE, "its binding is missing"), (Form("", "b/1"), "it is missing"), (Form("", ""), "it is missing")],
)
def test_what_is_not_there_is_missing_without_asking(form: Form, reason: str) -> None:
    absent = guard(form)
    assert absent.answer == PolicyAnswer(Standing.MISSING, reason)
    assert (absent.there, absent.due_at) == (False, NEVER)


def test_what_is_there_is_asked_at_once_and_proven_by_its_answer_alone() -> None:
    asked = guard()
    assert (asked.answer.standing, asked.due_at, asked.answered) == (Standing.UNKNOWN, 0.0, False)
    assert asked.take(THERE, PROVEN, 0.1)
    assert (asked.answer, asked.answered) == (PROVEN, True)


def test_a_proof_is_confirmed_soon_after_a_change_and_then_every_ten_minutes() -> None:
    """The API server may have judged by the policy that it had before."""
    proven, moments = guard(), [0.0]
    for _ in range(4):
        proven.take(THERE, PROVEN, moments[-1])
        moments.append(proven.due_at)
    assert moments == [0.0, 3.0, 18.0, 18.0 + PERIOD, 18.0 + 2 * PERIOD]


def test_a_proof_stands_while_nobody_answers_and_ends_with_a_contradiction() -> None:
    proven = guard()
    proven.take(THERE, PROVEN, 100.0)
    assert not proven.take(THERE, UNKNOWN, 800.0)
    assert proven.answer.standing is STANDS
    assert proven.due_at < 802.0
    assert proven.take(THERE, MISSING, 802.0)
    assert proven.answer == MISSING


@pytest.mark.parametrize("former", [PROVEN, MISSING, UNKNOWN])
def test_a_change_of_policy_or_binding_ends_what_was_known(former: PolicyAnswer) -> None:
    changed = guard()
    changed.take(THERE, former, 100.0)
    assert changed.observe(OTHER, 200.0)
    assert (changed.answer.standing, changed.due_at) == (Standing.UNKNOWN, 200.0)
    assert not changed.observe(OTHER, 201.0), "nothing has changed"
    changed.take(OTHER, UNKNOWN, 201.0)
    assert changed.answer == UNKNOWN
    changed.observe(GONE, 202.0)
    assert changed.answer.standing is Standing.MISSING


def test_an_answer_to_what_is_there_no_more_proves_nothing() -> None:
    changed = guard()
    changed.observe(OTHER, 1.0)
    assert not changed.take(THERE, PROVEN, 1.1)
    assert (changed.answer.standing, changed.due_at) == (Standing.UNKNOWN, 1.0)
    changed.observe(GONE, 2.0)
    assert not changed.take(OTHER, PROVEN, 2.1)
    assert changed.answer.standing is Standing.MISSING


def test_a_policy_that_is_not_enforced_yet_is_asked_again_soon_and_not_called_missing() -> None:
    new, now = guard(), 0.0
    moments = []
    while now < GRACE:
        new.take(THERE, MISSING, now)
        assert (new.answer.standing, new.answer.reason) == (Standing.UNKNOWN, MISSING.reason)
        moments.append(now := new.due_at)
    assert moments[:3] == [0.5, 1.5, 3.5]
    assert new.take(THERE, MISSING, now)
    assert new.answer == MISSING


def test_a_proof_by_the_former_policy_does_not_outlive_the_first_contradiction() -> None:
    stale = guard()
    stale.take(THERE, PROVEN, 0.1)
    stale.take(THERE, MISSING, 3.1)
    assert stale.answer.standing is Standing.UNKNOWN, "not written to, and not called missing yet"


def test_what_does_not_answer_as_it_shall_is_asked_ever_more_rarely() -> None:
    for answer in (MISSING, UNKNOWN):
        absent, now = guard(), 0.0
        pauses = []
        for _ in range(30):
            absent.take(THERE, answer, now)
            pauses.append(absent.due_at - now)
            now = absent.due_at
        assert pauses[:6] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0]
        assert pauses[-1] == BACKOFF_LAST
        assert pauses == sorted(pauses)


class AnyCourse(RuleBasedStateMachine):
    """Forms that are seen and answers that come, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.met, self.now = GuardPolicy(POLICY), 0.0
        self.form, self.last = Form("", ""), PolicyAnswer(Standing.UNKNOWN)

    @rule(seconds=st.floats(0.0, 20.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(seen=st.sampled_from([THERE, OTHER, GONE, Form("", "b/1")]))
    def see(self, seen: Form) -> None:
        self.last, self.form = (self.last if seen == self.form else PolicyAnswer(Standing.UNKNOWN)), seen
        self.met.observe(seen, self.now)

    @rule(about=st.sampled_from([THERE, OTHER, GONE]), answer=st.sampled_from([PROVEN, MISSING, UNKNOWN]))
    def hear(self, about: Form, answer: PolicyAnswer) -> None:
        if about == self.form and answer is not UNKNOWN:
            self.last = answer
        self.met.take(about, answer, self.now)

    @invariant()
    def it_is_proven_by_an_answer_to_what_is_there(self) -> None:
        proven = self.met.answer.standing is Standing.PROVEN
        assert proven == (self.met.there and self.last is PROVEN)
        assert (self.met.due_at < NEVER) is self.met.there


def test_whatever_happens_there_is_no_proof_without_an_answer_to_what_is_there() -> None:
    """Proven means that the last answer to this very form which told anything was our sentence."""
    run_state_machine_as_test(AnyCourse, settings=settings(max_examples=20, stateful_step_count=100))
