"""Metrics keep to the conventions of Prometheus: https://prometheus.io/docs/practices/naming/."""

import re

import pytest
from prometheus_client import generate_latest

from onboarding.runtime.metrics import Metrics
from tests.unit.exported import Exported, exported_metrics

METRICS = exported_metrics()
_OTHER_UNITS = ("milliseconds", "ms", "minutes", "hours", "days", "kib", "mib", "kilobytes", "megabytes", "percent")
_TIMES = re.compile(r"\b(duration|time|age|seconds)\b", re.IGNORECASE)
_OF_TYPES = ("total", "count", "sum", "bucket", "info")


@pytest.fixture(params=METRICS, ids=lambda metric: metric.name)
def metric(request: pytest.FixtureRequest) -> Exported:
    found: Exported = request.param
    return found


def test_no_two_metrics_have_one_name() -> None:
    names = [metric.name for metric in METRICS]
    assert sorted(set(names)) == sorted(names)


def test_a_name_begins_with_the_operators_prefix_and_is_lower_case(metric: Exported) -> None:
    assert re.fullmatch(r"onboarding(_[a-z]+)+", metric.name)


def test_only_samples_of_counters_end_in_total(metric: Exported) -> None:
    """``_total`` is a counter's, and ``_count``, ``_sum``, ``_bucket`` and ``_info`` are of other types."""
    assert metric.name.rpartition("_")[2] not in _OF_TYPES
    assert metric.sample.endswith("_total") == (metric.type == "counter")


def test_what_is_measured_in_time_is_in_seconds_and_says_so(metric: Exported) -> None:
    measures_time = metric.type == "histogram" or bool(_TIMES.match(metric.help))
    assert metric.name.endswith("_seconds") == measures_time
    assert not set(metric.name.split("_")) & set(_OTHER_UNITS)


def test_a_name_holds_no_label(metric: Exported) -> None:
    assert not set(metric.labels) & set(metric.name.split("_"))


def test_labels_are_lower_case_and_not_reserved(metric: Exported) -> None:
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", label) for label in metric.labels)
    assert not {"le", "quantile", "job", "instance", "namespace", "pod"} & set(metric.labels)


def test_no_label_has_a_value_per_project(metric: Exported) -> None:
    """A thousand projects would make a thousand series of each metric."""
    assert not {"project", "environment", "application", "name"} & set(metric.labels)


def test_the_help_is_a_sentence(metric: Exported) -> None:
    assert re.fullmatch(r"[A-Z].*\.", metric.help)


def test_the_process_and_the_build_are_told_as_other_programs_tell_them() -> None:
    """Standard dashboards read CPU, memory and file descriptors by these names; times of creation are noise."""
    lines = generate_latest(Metrics().registry).decode()
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"):
        assert re.search(rf"^{name} [0-9]", lines, re.MULTILINE)
    assert re.search(r'^onboarding_build_info\{python="3\.\d+\.\d+",version="[^"]+"\} 1\.0$', lines, re.MULTILINE)
    assert "_created" not in lines
