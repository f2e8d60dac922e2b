"""Our port of Argo CD's validation says what Argo CD says, and Argo CD takes every project that we build."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster.judgement import validate_projects
from onboarding.build.kinds import APP_PROJECT
from onboarding.build.wanted import build_wanted
from tests.support.argocd_rules import refusals
from tests.unit.argocd_cases import REFUSED, TAKEN, mutations
from tests.unit.snapshots import OWNER, environment, revisions, spec_of

# The first of them may find the binary not built yet.
pytestmark = pytest.mark.timeout(1200)

GOLDEN = Path(__file__).parents[1] / "golden" / "output"
SPECS = (
    spec_of(environment()),
    spec_of(environment(), environment("prod", stage="prod")),
    spec_of(environment(target="twin", releaseWindows=[{"schedule": "0 22 * * 1-5", "duration": "8h"}])),
)


def ours() -> list[dict[str, Any]]:
    """Return every project that the golden files and the worlds of the unit tests lead to."""
    files = (yaml.safe_load_all(path.read_text(encoding="utf-8")) for path in GOLDEN.glob("*.yaml"))
    suspended = frozenset({"dev"})
    built = (item.manifest for spec in SPECS for item in build_wanted(OWNER, revisions(spec), {}, suspended))
    manifests = [*(manifest for file in files for manifest in file), *built]
    return [manifest for manifest in manifests if manifest["kind"] == APP_PROJECT.kind]


def test_argo_cd_takes_every_project_that_we_build() -> None:
    projects = ours()
    assert len(projects) > len(SPECS)
    assert validate_projects(projects) == [None] * len(projects)


def test_our_verdict_is_that_of_argo_cd() -> None:
    projects = [
        *TAKEN.values(),
        *(manifest for cases in REFUSED.values() for manifest in cases.values()),
        *mutations(600),
    ]
    differing = [
        (theirs, refusals(manifest), manifest["spec"])
        for manifest, theirs in zip(projects, validate_projects(projects), strict=True)
        if (theirs is None) != (not refusals(manifest))
    ]
    assert differing == []
