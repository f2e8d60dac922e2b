"""Steps of a walk through a shipped profile: edits of the project, decisions, and what runs; and what none may do."""

from collections.abc import Callable
from typing import Any, Final

from onboarding.build.revision import Revision
from tests.support.walks import Turns, Walk, unmet

Step = tuple[str, Any]
ENVIRONMENTS: Final[dict[str, dict[str, Any]]] = {
    "dev": {"stage": "dev", "target": "acceleration"},
    "lab": {"stage": "test", "target": "external-market"},
    "preprod": {"stage": "preprod", "target": "cloud-pi-np"},
    "prod": {"stage": "prod", "target": "cloud-pi-np"},
    "prod-small": {"stage": "prod", "target": "cloud-pi-np", "size": "small"},
    "prod-two": {"stage": "prod", "target": "g-cloud"},
    "prod-dr": {"stage": "prod", "target": "cloud-pi-dr"},
    "odd": {"stage": "prod", "target": "acceleration"},
}
PRODUCTION: Final = {name for name, fields in ENVIRONMENTS.items() if fields["stage"] == "prod"}
FLOW: Final = {"name": "db", "zone": "postgresql", "port": 5432, "justification": "Data"}
CLASSIFICATIONS: Final = (
    {"zone": "NP"},
    {"zone": "DR"},
    {},
    {"zone": "NP", "criticality": "vital", "personalData": True},
)
CHOICES: Final[dict[str, tuple[Any, ...]]] = {
    "journey": (None, "standard", "accelerated", "workshop", "hackathon", "nowhere"),
    "classify": CLASSIFICATIONS,
    "add": tuple(ENVIRONMENTS),
    "add production": ("prod", "prod-small", "prod-small", "prod-two", "prod-dr"),
    "size": tuple((name, size) for name in ("dev", "prod") for size in ("small", "large", "enormous")),
    "data": tuple((name, data) for name in ("dev", "prod") for data in ("Fictive", "Real")),
    "group": (["admins"], ["admins", "more"]),
    "release": (0, 1),
    "sync": (True, False),
    "revision": ("main", "other"),
    "url": ("app", "other"),
    "flow": (True, False),
    "decide one": (None,),
    "waive": ("SecurityAudited",),
    "withdraw": (None,),
    "suspend": (None,),
    "facts": (True, False),
}
STEPS: Final[tuple[Step, ...]] = tuple((kind, value) for kind, values in CHOICES.items() for value in values)


def environment(walk: Walk, name: str) -> dict[str, Any] | None:
    return next((item for item in walk.spec["environments"] if item["name"] == name), None)


def _set(walk: Walk, value: tuple[str, Any], field: str) -> None:
    if (found := environment(walk, value[0])) is not None:
        found[field] = value[1]
        walk.declare()


def _field(walk: Walk, name: str, value: Any) -> None:
    walk.spec = {**walk.spec, name: value}
    walk.declare()


def _add(walk: Walk, name: str) -> None:
    if environment(walk, name) is None:
        walk.spec["environments"].append({"name": name, **ENVIRONMENTS[name]})
        _release(walk, name, walk.commits[0])


def _release(walk: Walk, name: str, commit: str) -> None:
    found = environment(walk, name)
    if found is not None and name in PRODUCTION:
        found["deployments"] = [{"repository": "app", "revision": commit}]
    walk.declare()


def _group(walk: Walk, names: list[str]) -> None:
    walk.spec["team"]["groups"]["admin"] = names
    walk.declare()


def _repository(walk: Walk, **fields: str) -> None:
    walk.spec["repositories"][0] |= fields
    walk.declare()


def _decide_one(walk: Walk, _: Any) -> None:
    if asked := list(walk.asked()):
        walk.decide(**asked[0])


def _withdraw(walk: Walk, _: Any) -> None:
    if walk.given:
        walk.withdraw(next(reversed(walk.given)))


DO: Final[dict[str, Callable[[Walk, Any], Turns | None]]] = {
    "journey": lambda walk, name: _field(walk, "journey", name),
    "classify": lambda walk, fields: _field(walk, "classification", fields),
    "add": _add,
    "add production": _add,
    "size": lambda walk, value: _set(walk, value, "size"),
    "data": lambda walk, value: _set(walk, value, "data"),
    "group": _group,
    "release": lambda walk, number: _release(walk, "prod", walk.commits[number]),
    "sync": lambda walk, value: _set(walk, ("prod", value), "autoSync"),
    "revision": lambda walk, name: _repository(walk, revision=name),
    "url": lambda walk, name: _repository(walk, url=walk.url(name)),
    "flow": lambda walk, there: _field(walk, "flows", [FLOW] if there else []),
    "decide": lambda walk, _: walk.decide_all(),
    "decide one": _decide_one,
    "waive": lambda walk, check: walk.decide(decision="Waive", check=check, expires=walk.until),
    "withdraw": _withdraw,
    "suspend": lambda walk, _: walk.decide(decision="Suspend"),
    "facts": lambda walk, good: walk.run(good=good),
}


def gained(before: Revision | None, after: Revision) -> bool:
    """Return whether a revision has something that the one before had not; a revocation only takes away."""
    if before is None:
        return True
    fields = ("resources", "container", "network", "auto_sync")
    grown = any(getattr(before, name) != getattr(after, name) for name in fields)
    added = any(_items(after, name) - _items(before, name) for name in ("flows", "repositories", "value_repositories"))
    return grown or added or bool(_groups(after) - _groups(before))


def _items(revision: Revision, name: str) -> set[str]:
    return {item.model_dump_json() for item in getattr(revision, name)}


def _groups(revision: Revision) -> set[tuple[str, str]]:
    return {(binding.persona, group) for binding in revision.bindings for group in binding.groups}


def take(walk: Walk, step: Step) -> Turns:
    """Take a step; production gains nothing unless all is met, and nothing that was there is lost."""
    there, admitted = walk.objects(), walk.admitted()
    yield from DO[step[0]](walk, step[1]) or ()
    yield
    assert there <= walk.objects(), f"{step} took away {there - walk.objects()}"
    for namespace, revision in walk.admitted().items():
        if revision.environment in PRODUCTION and gained(admitted.get(namespace), revision):
            missing = unmet(walk, revision.environment)
            assert missing == [], f"{step} opened {namespace} without {missing}"
