"""Hostile values never get past the API server, whoever sends them: each is refused with a reason, or bounded."""

from typing import Any

import pytest

from devcluster import ControlPlane
from tests.support.api import Api, RefusedError
from tests.support.hub import PROJECTS
from tests.support.installing import project

MEBIBYTE = "a" * 1024 * 1024
FLOW = {"zone": "internet", "port": 443, "justification": "needed"}
DEV = {"name": "dev", "stage": "dev"}


def repository(url: str) -> dict[str, Any]:
    return {"repositories": [{"name": "app", "url": url}]}


HOSTILE: dict[str, tuple[str, dict[str, Any], str]] = {
    "10,000 flows": (
        "hostile",
        {"flows": [{"name": f"f{index}", **FLOW} for index in range(10_000)]},
        "must have at most 100",
    ),
    "1 MiB of text": ("hostile", {"description": MEBIBYTE}, "Too long"),
    "1 MiB in a list": ("hostile", {"objectives": [MEBIBYTE]}, "Too long"),
    "a Cyrillic letter in the project's name": ("h\u043estile", {}, "lowercase RFC 1123"),
    "a Cyrillic letter in an environment's name": (
        "hostile",
        {"environments": [{**DEV, "name": "d\u0435v"}]},
        "should match",
    ),
    "a full-width letter in a size": ("hostile", {"environments": [{**DEV, "size": "\uff53mall"}]}, "should match"),
    "an invisible letter in a domain": (
        "hostile",
        {"environments": [{**DEV, "domains": ["a\u200bb.example.org"]}]},
        "should match",
    ),
    "a login in a URL": ("hostile", repository("https://me:secret@git.example.org/app.git"), "should match"),
    "a control character in a URL": ("hostile", repository("https://git.example.org/app\n.git"), "should match"),
    "a file for a URL": ("hostile", repository("file:///etc/passwd"), "should match"),
    "a glob in a URL": ("hostile", repository("https://git.example.org/*"), "should match"),
    "a way out of a repository": (
        "hostile",
        {"repositories": [{"name": "a", "url": "https://g.example.org/a", "path": "../b"}]},
        "path",
    ),
    "a group of the system": ("hostile", {"team": {"groups": {"admin": ["system:masters"]}}}, "identity provider"),
    "a quantity beyond reason": ("hostile", {"environments": [{**DEV, "resources": {"cpu": "1e99"}}]}, "should match"),
}


@pytest.mark.parametrize(("name", "spec", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_value_is_refused(installed: ControlPlane, name: str, spec: dict[str, Any], reason: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        Api(installed).create(PROJECTS, project(name, **spec))
    assert reason in str(refusal.value)
    assert len(str(refusal.value)) < 8 * 1024 * 1024
