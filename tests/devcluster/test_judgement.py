"""Argo CD's own judgement of projects and scripts."""

from typing import Any

import pytest

from devcluster import DevclusterError
from devcluster.judgement import run_script, validate_projects

# The first of them may find the binary not built yet.
pytestmark = pytest.mark.timeout(1200)


def project(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "team"}, "spec": spec}


def role(policy: str) -> dict[str, Any]:
    return {"name": "dev", "policies": [policy]}


def test_every_project_gets_its_own_answer():
    answers = validate_projects(
        [
            project(sourceRepos=["https://git.example.org/team/*"]),
            project(sourceRepos=["!*"]),
            project(roles=[role("p, proj:team:dev, applications, get, team/*, allow")]),
            project(roles=[role("p, proj:other:dev, applications, get, team/*, allow")]),
        ]
    )
    assert [answer is None for answer in answers] == [True, False, True, False]
    assert "source repository has an invalid format, '!*'" in (answers[1] or "")
    assert "policy subject must be: 'proj:team:dev'" in (answers[3] or "")


def test_nothing_is_asked_and_nothing_answered():
    assert validate_projects([]) == []


def test_a_health_script_sees_the_object():
    script = 'return {status = "Degraded", message = obj.metadata.name .. " " .. obj.status.count}'
    thing = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "x"}, "status": {"count": 3}}
    assert run_script("health", script, thing) == {"status": "Degraded", "message": "x 3"}


def test_a_health_script_has_no_more_of_lua_than_the_controllers_give():
    thing = {"apiVersion": "v1", "kind": "Thing"}
    with pytest.raises(DevclusterError, match="attempt to index a non-table object"):
        run_script("health", 'return {status = string.format("Healthy")}', thing)


def test_actions_are_found_and_run():
    thing = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": {"labels": {}}}
    found = run_script("discovery", "return {retry = {disabled = obj.spec.paused == true}}", thing)
    assert found == [{"name": "retry"}]
    changed = run_script("action", "obj.spec.paused = true\nreturn obj", thing)
    assert changed == [{"operation": "patch", "resource": thing | {"spec": {"labels": {}, "paused": True}}}]


def test_a_script_that_does_not_run_says_why():
    with pytest.raises(DevclusterError, match="parse error"):
        run_script("health", "retur", {"apiVersion": "v1", "kind": "Thing"})
