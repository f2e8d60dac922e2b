"""Deployments are counted as they are seen to happen, each once, and a restart counts none again."""

from typing import Any

import pytest

from onboarding.build.kinds import APPLICATION, NAMESPACE, Manifest, ObjectKey
from onboarding.reconcile.observed.figures import PlatformFigures
from onboarding.runtime.deployments import Deployments
from onboarding.runtime.gauges import MetricSources
from onboarding.runtime.metrics import Metrics
from tests.unit.argocd_status import LATER, OTHER, compared, entry, failing, item, synced, trying_again
from tests.unit.fakes import FakeCluster
from tests.unit.reconcile.observed.test_cached_object import OURS, object_of
from tests.unit.snapshots import environment, snapshot_of, spec_of

KEY = ObjectKey("hub", APPLICATION, "argocd", "shop-dev-app")
CREATED = "2026-01-02T03:04:05Z"
REFUSED = failing(item("Pod", "bad", "no"))
GIVEN_UP = failing(item("Pod", "bad", "no"), again=False)


class Watched:
    """The counters, and what is seen of one Application."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.deployments = Deployments(self.metrics)

    def sees(self, *statuses: dict[str, Any] | None, uid: str = "u") -> None:
        """Look at each status in turn; None where there is no Application."""
        for status in statuses:
            self.looks({} if status is None else {KEY: application(status, uid)})

    def looks(self, objects: dict[ObjectKey, Manifest], *environments: str) -> None:
        """Look at what is there, while the project declares these environments, or ``dev``."""
        declared = [environment(name, stage="development") for name in environments or ("dev",)]
        cluster = FakeCluster()
        cluster.objects = objects
        self.deployments.look(snapshot_of(spec_of(*declared)).project, [cluster])

    def count(self, phase: str = "Succeeded", stage: str = "development") -> float:
        """Return how many deployments ended so."""
        return self.value("onboarding_deployments_total", stage=stage, phase=phase)

    def value(self, name: str, **labels: str) -> float:
        """Return the value of a metric, 0 while it is not there."""
        return self.metrics.registry.get_sample_value(name, labels) or 0


def application(status: dict[str, Any], uid: str = "u") -> Manifest:
    return object_of(OURS, metadata={"uid": uid, "creationTimestamp": CREATED}, status=status)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_the_first_sync_is_timed_once(watched: Watched) -> None:
    watched.sees({}, compared(OTHER, "OutOfSync", "Missing"), synced(), synced(health="Degraded"), synced())
    assert watched.value("onboarding_application_first_sync_seconds_count") == 1
    assert watched.value("onboarding_application_first_sync_seconds_sum") == 55
    assert watched.count() == 1


def test_a_restart_counts_nothing_again(watched: Watched) -> None:
    watched.sees(synced(), synced(health="Degraded"))
    assert watched.value("onboarding_application_first_sync_seconds_count") == 0
    assert watched.count() == 0


def test_each_deployment_counts_by_its_stage(watched: Watched) -> None:
    deployed = synced(OTHER, history=[entry(0), entry(1, OTHER, LATER)])
    watched.sees(synced(), synced(sync="OutOfSync"), deployed, deployed)
    assert (watched.count(), watched.count(stage="")) == (1, 0)


def test_a_sync_that_deploys_the_same_again_is_none(watched: Watched) -> None:
    watched.sees(synced(), synced(history=[entry(0), entry(1, at=LATER)]))
    assert watched.count() == 0


def test_a_deployment_that_fails_counts_when_it_is_given_up(watched: Watched) -> None:
    watched.sees(synced(), REFUSED, trying_again(REFUSED))
    assert watched.count("Failed") == 0
    watched.sees(GIVEN_UP, GIVEN_UP)
    assert (watched.count("Failed"), watched.count()) == (1, 0)
    watched.sees(REFUSED, GIVEN_UP)
    assert watched.count("Failed") == 2


def test_another_application_of_the_name_begins_anew(watched: Watched) -> None:
    watched.sees(compared(OTHER, "OutOfSync"))
    watched.sees(synced(), uid="another")
    assert watched.count() == 0
    watched.sees(None, {}, synced())
    assert watched.count() == 1


def test_an_environment_that_is_declared_no_more_counts_without_a_stage(watched: Watched) -> None:
    watched.looks({KEY: application({})}, "other")
    watched.looks({KEY: application(synced())}, "other")
    assert watched.count(stage="") == 1


def test_the_gauge_counts_what_is_there(watched: Watched) -> None:
    names_of = [("shop-dev-a", synced()), ("shop-dev-b", synced()), ("shop-dev-c", {}), ("shop-dev-d", REFUSED)]
    live = {KEY._replace(name=name): application(status) for name, status in names_of}
    namespace = {"metadata": {"uid": "n", "resourceVersion": "1", "labels": OURS, "name": "x"}}
    watched.looks({**live, ObjectKey("hub", NAMESPACE, "", "x"): namespace})
    watched.metrics.read_from(
        MetricSources(
            ready=bool,
            depth=int,
            oldest=float,
            idle=dict,
            clusters=dict,
            applications=watched.deployments.states,
            platform=lambda: PlatformFigures({}, {}, {}, {}, 0),
            orphans=dict,
        )
    )
    gauge = "onboarding_applications"
    assert watched.value(gauge, sync_status="Synced", health_status="Healthy") == 2
    assert watched.value(gauge, sync_status="Unknown", health_status="Unknown") == 1
    assert watched.value(gauge, sync_status="OutOfSync", health_status="Missing") == 1
    watched.deployments.forget("shop")
    assert watched.deployments.states() == {}
