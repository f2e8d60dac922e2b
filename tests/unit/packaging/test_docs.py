"""The documentation says what the code says."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.generate import pages, stale
from onboarding.api.conditions import ConditionType, Reason
from onboarding.build.kinds import CHILD_KINDS
from tests.unit.exported import exported_metrics

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "devcluster/README.md"])
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE_PATH = re.compile(
    r"`((?:operator|manifests|tests|docs|devcluster|demo|examples|charts|crds|requirements)/[\w./-]+)`"
)


def test_the_reference_is_what_the_code_says() -> None:
    """`make generate` has nothing to write."""
    assert stale() == []


def test_the_reference_is_the_same_at_every_run() -> None:
    """Generating twice gives the same text."""
    assert pages() == pages()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(page: Path) -> None:
    """Every relative link and every path of this repository that a page names exists."""
    text = page.read_text(encoding="utf-8")
    prose = re.sub(r"`[^`]*`", "", text)
    links = [page.parent / target for target in LINK.findall(prose) if "://" not in target and "mailto:" not in target]
    paths = [ROOT / path for path in CODE_PATH.findall(text)]
    assert [str(path) for path in (*links, *paths) if not path.exists()] == []


JSONPATH = re.compile(r"kubectl get (onb\w*)\b[^\n]*?jsonpath=(['\"])(.*?)\2(?=[ )}|\n\\]|$)", re.MULTILINE)
KINDS = {
    "onb": "projectonboardings",
    "onbpolicy": "onboardingpolicies",
    "onbtarget": "hostingtargets",
    "onbdecision": "onboardingdecisions",
}


@cache
def schema_of(kind: str) -> dict[str, Any]:
    """Return the schema of a kind by its short name."""
    text = (ROOT / f"crds/projectonboarding.io_{KINDS[kind]}.yaml").read_text(encoding="utf-8")
    schema: dict[str, Any] = yaml.safe_load(text)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def unknown_fields(kind: str, template: str) -> list[str]:
    """Return the paths of a jsonpath template that the definition of a kind has no field for."""
    base, unknown = ".", list[str]()
    for loop, path in re.findall(r"\{(range )?(\.[^{}]*)\}", re.sub(r"\[[^\]]*\]", "", template)):
        rooted = path.startswith((".items", ".metadata", ".status", ".spec"))
        whole = path.removeprefix(".items") if rooted else base + path
        base, found = (whole or ".") if loop else base, schema_of(kind)
        for name in filter(None, whole.split(".")):
            if name == "metadata":
                break
            properties = found.get("items", found)["properties"]
            if name not in properties:
                unknown.append(whole)
                break
            found = properties[name]
    return unknown


def test_commands_read_fields_that_exist() -> None:
    """For a field that a kind does not have, kubectl prints nothing."""
    found = [(page, *match) for page in PAGES for match in JSONPATH.findall(page.read_text(encoding="utf-8"))]
    assert len(found) >= 8
    wrong = {template: unknown_fields(kind, template) for _, kind, _, template in found}
    assert {template: fields for template, fields in wrong.items() if fields} == {}
    assert unknown_fields("onb", "{range .status.nextActions[*]}{.message}{end}") == [".status.nextActions.message"]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as renderers of Markdown make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_into_a_page_lead_to_a_heading(page: Path) -> None:
    """Every link with an anchor leads to a section that is there."""
    prose = re.sub(r"`[^`]*`", "", page.read_text(encoding="utf-8"))
    links = re.findall(r"\[[^\]]*\]\(([^)#\s:]*)#([^)\s]+)\)", prose)
    wrong = [f"{to}#{anchor}" for to, anchor in links if anchor not in anchors(page.parent / to if to else page)]
    assert wrong == []


def test_troubleshooting_explains_every_condition_and_reason() -> None:
    """The tables of the troubleshooting page name each of them."""
    text = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    words = [*(item.value for item in ConditionType), *(item.value for item in Reason)]
    assert [word for word in words if f"`{word}`" not in text] == []


def test_monitoring_explains_every_metric() -> None:
    """Each metric that the operator exports has its row, with its labels."""
    text = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(onboarding_\w+)(?:\{([\w,]+)\})?` \|", text, re.MULTILINE))
    assert rows == {metric.sample: ",".join(metric.labels) for metric in exported_metrics()}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_name_our_kinds_so_that_no_other_project_can_answer(page: Path) -> None:
    """Commands of kubectl use a short name or name the group: another project has the kind ProjectOnboarding, too."""
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"kubectl (?:get|delete|patch|wait) projectonboardings?\b(?!\.)", text) == []


def test_the_glossary_has_at_most_25_words() -> None:
    text = (ROOT / "docs/concepts.md").read_text(encoding="utf-8")
    _, _, table = text.partition("\n## Glossary\n")
    words = re.findall(r"^\| ([a-z][\w ]*) \|", table, re.MULTILINE)
    assert 0 < len(words) <= 25
    assert words == sorted(set(words))


def test_there_are_promises_for_every_child_kind() -> None:
    """Each kind that the operator makes has its section."""
    text = (ROOT / "docs/promises.md").read_text(encoding="utf-8")
    assert [kind.kind for kind in CHILD_KINDS if f"\n## {kind.kind}\n" not in text] == []


def test_every_dependency_has_its_reason() -> None:
    """ADR 0003 names each dependency of pyproject.toml."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "docs/adr/0003-dependencies.md").read_text(encoding="utf-8")
    declared = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert [name for name in (re.split(r"[\[<>=!~]", line)[0] for line in declared) if f"`{name}`" not in text] == []


def test_ci_runs_what_the_readme_says() -> None:
    """The command of .ci/run is the README's."""
    assert (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()[-1] == "make test"
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")
