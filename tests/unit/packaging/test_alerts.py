"""Every alert reads metrics that the operator exposes, fires when it should, and leads to what to do."""

import operator
import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from onboarding.reconcile.observed.figures import PlatformFigures
from onboarding.reconcile.observed.snapshot import ClusterState
from onboarding.runtime.gauges import MetricSources
from onboarding.runtime.metrics import Metrics

ROOT = Path(__file__).parents[3]
RULE = yaml.safe_load((ROOT / "manifests/monitoring/prometheusrule.yaml").read_text(encoding="utf-8"))
ALERTS: list[dict[str, Any]] = RULE["spec"]["groups"][0]["rules"]
Samples = dict[str, dict[tuple[tuple[str, str], ...], float]]
"""Values by the name of a metric and its labels."""
CLUSTERS = {
    "hub": ClusterState(),
    "bare/kubeconfig": ClusterState(guarded=False),
    "away/kubeconfig": ClusterState(problem="it is away", guarded=False),
    "unasked/kubeconfig": ClusterState(guarded=False, guard_unknown=True),
}


def exposed(*, ready: bool = True, oldest: float = 0, orphans: int = 0) -> Samples:
    """Return every sample that Prometheus gets."""
    metrics = Metrics()
    metrics.read_from(
        MetricSources(
            ready=lambda: ready,
            depth=lambda: 0,
            oldest=lambda: oldest,
            idle=dict,
            clusters=lambda: CLUSTERS,
            applications=dict,
            platform=lambda: PlatformFigures({}, {}, {}, {}, 0),
            orphans=lambda: {"hub": {}, "far/kubeconfig": {"shop": orphans, "mail": 0}},
        )
    )
    found: Samples = {}
    for family in text_string_to_metric_families(generate_latest(metrics.registry).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.items())] = sample.value
    return found


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    """Return what an expression reads; ValueError where Prometheus would not understand it."""
    found: list[promql_parser.VectorSelector] = []

    def visit(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)

    promql_parser.walk(promql_parser.parse(expression), pre_visit=visit)
    return found


def test_there_are_four_alerts() -> None:
    assert [alert["alert"] for alert in ALERTS] == [
        "OnboardingOperatorNotReady",
        "OnboardingChangeUnreconciled",
        "OnboardingGuardMissing",
        "OnboardingObjectsOrphaned",
    ]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_reads_metrics_that_are_exposed(alert: dict[str, Any]) -> None:
    read = selectors(alert["expr"])
    assert read
    assert {selector.name for selector in read} <= exposed().keys()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_the_words_of_an_alert_name_labels_that_its_metric_has(alert: dict[str, Any]) -> None:
    labels = {label for name, _ in exposed()[selectors(alert["expr"])[0].name].items() for label, _ in name}
    named = re.findall(r"\$labels\.(\w+)", " ".join(alert["annotations"].values()))
    assert set(named) <= labels


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_leads_to_its_section_and_says_how_bad_it_is(alert: dict[str, Any]) -> None:
    assert alert["annotations"].keys() == {"summary", "description", "runbook"}
    assert alert["labels"]["severity"] in {"warning", "critical"}
    page, _, anchor = alert["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor == alert["alert"].lower()
    assert alert["alert"] in headings


def firing(node: Any, samples: Samples) -> list[dict[str, str]]:
    """Return the labels for which an expression has a value, for the few forms that the alerts are made of."""
    if isinstance(node, promql_parser.Call):
        assert node.func.name == "absent"
        return [] if samples.get(node.args[0].name) else [{}]
    if str(node.op) == "or":
        return firing(node.lhs, samples) or firing(node.rhs, samples)
    compare = {"==": operator.eq, ">": operator.gt}[str(node.op)]
    return [dict(labels) for labels, value in samples.get(node.lhs.name, {}).items() if compare(value, node.rhs.val)]


@pytest.mark.parametrize(
    ("name", "samples", "fires"),
    [
        ("OnboardingOperatorNotReady", exposed(ready=True), []),
        ("OnboardingOperatorNotReady", exposed(ready=False), [{}]),
        ("OnboardingOperatorNotReady", {}, [{}]),
        ("OnboardingChangeUnreconciled", exposed(oldest=60), []),
        ("OnboardingChangeUnreconciled", exposed(oldest=3600), [{}]),
        ("OnboardingGuardMissing", exposed(), [{"cluster": "bare/kubeconfig"}]),
        ("OnboardingGuardMissing", {}, []),
        ("OnboardingObjectsOrphaned", exposed(), []),
        ("OnboardingObjectsOrphaned", exposed(orphans=12), [{"cluster": "far/kubeconfig"}]),
        ("OnboardingObjectsOrphaned", {}, []),
    ],
)
def test_an_alert_fires_when_it_should(name: str, samples: Samples, fires: list[dict[str, str]]) -> None:
    alert = next(alert for alert in ALERTS if alert["alert"] == name)
    assert firing(promql_parser.parse(alert["expr"]), samples) == fires


def test_readiness_is_what_readyz_says() -> None:
    assert exposed(ready=True)["onboarding_ready"] == {(): 1}
    assert exposed(ready=False)["onboarding_ready"] == {(): 0}


def test_the_guard_is_missing_where_that_is_known() -> None:
    """A cluster that gives no answer is another alert's: nobody knows whether its guard rails are there."""
    assert exposed()["onboarding_guard_missing"] == {
        (("cluster", "bare/kubeconfig"),): 1,
        (("cluster", "hub"),): 0,
    }
