"""Edits of a spec, and short ways to write the specs before and after them."""

from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

GIT: Final = "https://git.example.org"
Fragment = dict[str, Any]


class Edit(NamedTuple):
    """An edit of a spec, and the facts that it changes in what is built."""

    before: Fragment
    after: Fragment
    goes: AbstractSet[str] = frozenset()
    """Gone at once, held or not."""
    replaced: AbstractSet[str] = frozenset()
    """Gone as soon as what is new is admitted."""
    waits: AbstractSet[str] = frozenset()
    """There as soon as it is admitted."""
    unless_suspended: AbstractSet[str] = frozenset()
    """Gone at once, but not while the environment is suspended."""


def prod(name: str = "prod", **fields: Any) -> Fragment:
    return {"name": name, "stage": "prod", "target": "g-cloud", "sites": ["toulouse"], **fields}


def of_prod(**fields: Any) -> Fragment:
    return {"environments": [prod(**fields)]}


def of_classes(classes: dict[str, str]) -> Fragment:
    amounts = {"cpu": "4", "memory": "8Gi", "ephemeralStorage": "20Gi", "storage": "50Gi", "pods": 50}
    return of_prod(resources={**amounts, "storageClasses": classes})


def flows(name: str = "api", **fields: Any) -> Fragment:
    end = {} if "environment" in fields else {"zone": "internal"}
    three = [prod(), prod("other"), prod("third")] if "environment" in fields or "environments" in fields else [prod()]
    return {"flows": [{"name": name, **end, "port": 443, "justification": "x", **fields}], "environments": three}


def repositories(*items: Fragment, **fields: Any) -> Fragment:
    return {"repositories": [{"url": f"{GIT}/{item['name']}", **item} for item in items], **of_prod(**fields)}


def team(*people: Fragment) -> Fragment:
    return {"team": {"groups": {"admin": ["a"]}, "people": people}}


def groups(**named: list[str]) -> Fragment:
    return {"team": {"groups": named}}


def own(**named: list[str]) -> Fragment:
    """Return a spec whose production has groups of its own beside those of the team."""
    return {**groups(admin=["a"]), **of_prod(groups=named)}


def window(schedule: str) -> Fragment:
    return {"kind": "Deny", "schedule": schedule, "duration": "1h"}


def without_object(before: Fragment, add: Fragment, change: Fragment, rename: Fragment, remove: Fragment) -> Any:
    """Return the edits of a list that no object is built from."""
    afters = {"add": add, "change": change, "rename": rename, "remove": remove}
    return {name: Edit(before, after) for name, after in afters.items()}


def listed(field: str, *, first: str, second: str) -> Any:
    """Return the edits of a list of an environment that no object is built from."""
    lists = ([first], [first, second], [second], [f"x{first}"], [])
    return without_object(*(of_prod(**{field: item}) for item in lists))


def chart(*files: str) -> Fragment:
    return {"name": "app", "path": "chart", "helm": {"valueFiles": files}}


def files(*names: str) -> set[str]:
    return {f"prod app: {GIT}/app HEAD {','.join(names)}"}
