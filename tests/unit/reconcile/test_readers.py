"""Each field of a project's spec has a reader: a check, a builder or the report; a digest alone is none."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from onboarding.api.common import Model
from onboarding.api.project import ProjectOnboardingSpec
from tests.support.walks import START
from tests.unit.reconcile.gates.test_digest import FULL, LEAVES
from tests.unit.walks import NAME, MemoryWalk

AMOUNTS: dict[str, Any] = {
    "cpu": "2",
    "memory": "4Gi",
    "ephemeralStorage": "9Gi",
    "storage": "9Gi",
    "gpu": 0,
    "pods": 9,
}
WINDOW = {"kind": "Allow", "schedule": "0 5 * * 1", "duration": "1h", "manual": True, "description": "Early"}
CHART = {"chart": "web", "helm": {"releaseName": "web", "valueFiles": ["a.yaml"], "valuesRepository": "app"}}
EXTERNAL = {"name": "Eve", "email": "eve@example.com", "affiliation": "External", "groups": ["admins"]}
VALID: dict[str, Any] = {
    **START,
    "team": {**START["team"], "people": [*START["team"]["people"], EXTERNAL]},
    "flows": [
        {"name": "out", "zone": "postgresql", "cidrs": ["10.20.0.1/32"], "port": 443, "justification": "Data"},
        {"name": "in", "zone": "internet", "direction": "Ingress", "port": 53, "protocol": "UDP", "justification": "x"},
        {"name": "peer", "environment": "dev", "environments": ["test"], "port": 80, "justification": "x"},
    ],
    "repositories": [
        {"name": "app", "url": "https://git.example.org/app.git", "path": "deploy", "revision": "main"},
        {"name": "web", "url": "https://charts.example.org/stable", "revision": "1.0.0", **CHART},
    ],
    "environments": [
        {
            "name": "dev",
            "stage": "dev",
            "target": "acceleration",
            "resources": {**AMOUNTS, "storageClasses": {"a": "1Gi"}},
        },
        {
            "name": "test",
            "stage": "test",
            "target": "acceleration",
            "deployments": [{"repository": "app", "revision": "next", "path": "test", "valueFiles": ["b.yaml"]}],
            "releaseWindows": [WINDOW],
            "domains": ["test.apps.acceleration.example.org"],
            "healthPath": "/health",
            "labels": {f"{NAME}.projects/tier": "test"},
        },
        {"name": "preprod", "stage": "preprod", "target": "cloud-pi-np"},
    ],
}
RIE = {"name": "rie", "zone": "rie", "port": 443, "justification": "Logins"}


class Trace:
    """The paths of the fields that are read of every spec that is parsed while it lasts.

    A field of a copy, such as that in an admitted revision, stands for that field of every object of its class.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.read: set[str] = set()
        self._paths: dict[int, str] = {}
        self._of_class: dict[type[Model], set[str]] = {}
        self._kept: list[ProjectOnboardingSpec] = []
        """Every parsed spec, so that no identity is given twice."""
        parse: Any = ProjectOnboardingSpec.model_validate_json
        get = Model.__getattribute__

        def parsed(content: bytes) -> ProjectOnboardingSpec:
            spec: ProjectOnboardingSpec = parse(content)
            self._keep(spec)
            return spec

        def gotten(model: Model, name: str) -> Any:
            self._note(model, name)
            return get(model, name)

        patch.setattr(ProjectOnboardingSpec, "model_validate_json", parsed)
        patch.setattr(Model, "__getattribute__", gotten)

    def _keep(self, spec: ProjectOnboardingSpec) -> None:
        self._kept.append(spec)
        for model, path in objects(spec):
            self._paths[id(model)] = path
            self._of_class.setdefault(type(model), set()).add(path)

    def _note(self, model: Model, name: str) -> None:
        if name in type(model).model_fields:
            own = self._paths.get(id(model))
            for path in self._of_class.get(type(model), ()) if own is None else (own,):
                self.read.add(field(path, type(model), name))


def field(path: str, model: type[Model], name: str) -> str:
    written = model.model_fields[name].alias or name
    return f"{path}.{written}" if path else written


def objects(value: Any, path: str = "") -> Iterator[tuple[Model, str]]:
    """Yield each object in a spec with its path; items of a list have the path of the list."""
    if isinstance(value, Model):
        yield value, path
        for name in type(value).model_fields:
            yield from objects(vars(value)[name], field(path, type(value), name))
    elif isinstance(value, dict):
        for part in value.values():
            yield from objects(part, path)
    elif isinstance(value, tuple):
        for part in value:
            yield from objects(part, path)


def reconcile(profile: str, spec: dict[str, Any]) -> None:
    """Reconcile a project of this spec, decide what is asked for, and change something."""
    walk = MemoryWalk(profile)
    walk.spec = copy.deepcopy(spec)
    walk.declare()
    walk.settle()
    walk.take(("decide", None))
    walk.spec["flows"] = [*walk.spec["flows"], RIE]
    walk.declare()
    walk.settle()


def test_every_field_of_the_spec_has_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Serialising a spec, as digests and comparisons do, reads none of its fields here."""
    trace = Trace(monkeypatch)
    for profile in ("default", "cloud-pi-native"):
        for spec in (FULL, VALID):
            reconcile(profile, spec)
    assert sorted({leaf.path for leaf in LEAVES} - trace.read) == []
