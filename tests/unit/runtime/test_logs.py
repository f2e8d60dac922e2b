"""Log lines: what every line carries, and that all of them name things by the same keys."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[3] / "operator" / "onboarding"

_KEYS = {
    "project",
    "environment",
    "cluster",
    "kind",
    "name",
    "error",
    "reason",
    "decision",
    "secret",
    "key",
    # What a single line tells.
    "changes",
    "domain",
    "first",
    "holder",
    "clusters",
    "installation",
    "settings",
    "version",
}
"""The words of controller-runtime, and of our own kinds, by which lines are searched for."""
_LOG_LINES = """
import logging
import structlog
from onboarding.runtime.logs import configure_logging
configure_logging("json", "info")
log = structlog.get_logger("onboarding.test")
log.info("reconciled", project="shop")
log.debug("not told")
try:
    raise ValueError("broken")
except ValueError:
    log.exception("reconcile panicked", project="shop")
logging.getLogger("kopf.objects").info("not told either")
logging.getLogger("kopf.objects").warning("Request attempt #%d failed", 9)
"""


class Call(NamedTuple):
    """A call that logs."""

    where: str
    level: str
    events: tuple[str, ...]
    keys: frozenset[str]


def _calls() -> Iterator[Call]:
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (level := _level(node.func)):
                events = tuple(item.value for item in ast.walk(node.args[0]) if _is_text(item))
                keys = frozenset(keyword.arg or "**" for keyword in node.keywords)
                yield Call(f"{path.relative_to(ROOT)}:{node.lineno}", level, events, keys)


def _level(function: ast.expr) -> str:
    """Return the level of a call that logs; the empty string of any other."""
    match function:
        case ast.Attribute(value=ast.Name(id="log"), attr=level):
            return level
        case ast.Name(id="say"):
            return "say"
    return ""


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


CALLS = list(_calls())


def lines() -> list[dict[str, object]]:
    """Return the lines that a process logs."""
    done = subprocess.run([sys.executable, "-c", _LOG_LINES], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_every_line_carries_its_event_level_logger_and_time() -> None:
    ours, panicked, foreign = lines()
    always = {"event", "level", "logger", "timestamp"}
    assert ours.keys() == always | {"project"}
    assert (ours["event"], ours["level"], ours["logger"]) == ("reconciled", "info", "onboarding.test")
    assert panicked.keys() == always | {"project", "exception"}
    assert "ValueError: broken" in str(panicked["exception"])
    assert foreign.keys() == always
    assert (foreign["event"], foreign["level"]) == ("Request attempt #9 failed", "warning")


def test_the_operator_logs() -> None:
    assert len(CALLS) > 15


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.where)
def test_a_line_names_things_by_the_keys_that_all_lines_use(call: Call) -> None:
    assert call.keys <= _KEYS


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.where)
def test_a_line_that_tells_of_a_failure_carries_the_error(call: Call) -> None:
    if call.level in {"warning", "error"}:
        assert "error" in call.keys
    if call.level == "exception":
        assert all(event.endswith("panicked") for event in call.events)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.where)
def test_an_event_is_a_short_phrase_without_values(call: Call) -> None:
    """Values are keys of their own, so that lines with one event can be counted."""
    for event in call.events:
        assert 1 <= len(event.split()) <= 5
        assert event[0].islower()
        assert not event.endswith(".")
