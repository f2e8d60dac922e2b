"""What the API server answers to a write becomes an outcome that says what is wrong and whether an event tells more."""

import pytest

from onboarding.build.kinds import APP_PROJECT, NAMESPACE, RESOURCE_QUOTA, ObjectKey
from onboarding.errors import ApiError, OnboardingError, UnreachableError
from onboarding.reconcile.apply.diff import Action, Change, Rank, diff_objects
from onboarding.reconcile.apply.outcome import Outcome, Result
from onboarding.reconcile.observed.cached_object import cached_object_of
from tests.unit.fakes import FakeCluster
from tests.unit.reconcile.apply.test_execute import QUOTA, REFUSED, first, work

ERRORS: dict[str, tuple[OnboardingError, Result]] = {
    "terminating": (
        ApiError(403, "Forbidden", "is being terminated", causes=("NamespaceTerminating",)),
        Result.WAITING,
    ),
    "refused": (REFUSED, Result.FAILED),
    "forbidden": (ApiError(403, "Forbidden", "no"), Result.FAILED),
    "namespace gone": (ApiError(404, "NotFound", "namespaces not found"), Result.STALE),
    "another one meanwhile": (ApiError(422, "Invalid", "metadata.uid: field is immutable"), Result.STALE),
    "forbidden to name a UID": (ApiError(403, "Forbidden", "metadata.uid is set"), Result.FAILED),
    "unreachable": (UnreachableError("no answer"), Result.UNREACHABLE),
}


@pytest.mark.parametrize(("error", "result"), ERRORS.values(), ids=ERRORS)
async def test_an_error_becomes_an_outcome(error: OnboardingError, result: Result) -> None:
    cluster = FakeCluster()
    cluster.broken = {("create", "ResourceQuota"): error}
    (outcome,) = await work(cluster, diff_objects([first(RESOURCE_QUOTA)], {}))
    assert outcome.result is result
    assert outcome.message


@pytest.mark.parametrize(("action", "verb"), [(Action.DELETE, "delete"), (Action.DETACH, "change")])
async def test_what_is_gone_already_when_it_shall_leave_is_done(action: Action, verb: str) -> None:
    cluster = FakeCluster()
    live = cached_object_of(RESOURCE_QUOTA, cluster.put(QUOTA.key, QUOTA.manifest))
    cluster.broken = {(verb, "ResourceQuota"): ApiError(404, "NotFound", "resourcequotas not found")}
    change = Change(action, QUOTA.key, Rank.REMOVALS, "dev", "hub", {}, live)
    assert await work(cluster, [change]) == [Outcome(change, Result.DONE)]


async def test_a_namespace_that_is_being_deleted_tells_when_it_is_gone() -> None:
    """Its event brings the rest, if it is still known; else the event has come already, and it is tried again."""
    cluster = FakeCluster()
    cluster.broken = {("create", "ResourceQuota"): ERRORS["terminating"][0]}
    (outcome,) = await work(cluster, diff_objects([QUOTA], {}))
    assert (outcome.result, outcome.told) == (Result.WAITING, False)
    space = first(NAMESPACE)
    cluster.put(space.key, space.manifest)
    (outcome,) = await work(cluster, diff_objects([QUOTA], {}))
    assert (outcome.result, outcome.told) == (Result.WAITING, True)
    assert cluster.followed[space.key] == {"shop"}


async def test_a_namespace_of_argo_cd_that_is_missing_tells_when_it_comes() -> None:
    cluster = FakeCluster()
    cluster.broken = {("create", "AppProject"): ApiError(404, "NotFound", "namespaces not found")}
    project = first(APP_PROJECT)
    (outcome,) = await work(cluster, diff_objects([project], {}))
    assert (outcome.result, outcome.told) == (Result.ARGOCD_MISSING, True)
    assert "has no Argo CD in namespace argocd" in outcome.message
    around = ObjectKey("hub", NAMESPACE, "", project.key.namespace)
    assert cluster.followed[around] == {"shop"}
    cluster.put(around, {"metadata": {"name": around.name}})
    (outcome,) = await work(cluster, diff_objects([project], {}))
    assert (outcome.result, outcome.told) == (Result.ARGOCD_MISSING, False)


async def test_a_webhook_that_refuses_is_named_first() -> None:
    cluster = FakeCluster()
    denied = 'admission webhook "validate.example.org" denied the request: too\nlarge'
    cluster.broken = {("create", "ResourceQuota"): ApiError(403, "Forbidden", denied)}
    (outcome,) = await work(cluster, diff_objects([QUOTA], {}))
    assert outcome.message == (
        "admission webhook validate.example.org refuses the create of ResourceQuota shop-dev/onboarding: too\nlarge"
    )


async def test_a_rule_of_ours_that_refuses_is_told_with_its_remedy() -> None:
    """The server's own words before it would leave no room for the end of the sentence."""
    sentence = (
        "CREATE of namespaces 'shop-dev' refused (rule project-onboarding-operator-account): the Pod Security level "
        "'baseline' (metadata.labels.pod-security.kubernetes.io/enforce) is none of restricted. Make "
        "spec.podSecurity.enforce of the OnboardingPolicy stricter, or lower the chart value guard.podSecurity."
    )
    name = "project-onboarding-operator-account"
    rule = f"ValidatingAdmissionPolicy '{name}' with binding '{name}'"
    error = ApiError(403, "Forbidden", f'namespaces "shop-dev" is forbidden: {rule} denied request: {sentence}')
    cluster = FakeCluster()
    cluster.broken = {("create", "ResourceQuota"): error}
    (outcome,) = await work(cluster, diff_objects([first(RESOURCE_QUOTA)], {}))
    assert outcome.message.startswith("CREATE of namespaces 'shop-dev' refused")
    assert outcome.message.endswith("lower the chart value guard.podSecurity.")
    assert len(outcome.message.encode()) <= 300
