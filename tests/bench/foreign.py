"""Guard rails that others have made in the namespaces of the projects: the operator watches and remembers them."""

from collections.abc import Iterator, Sequence
from itertools import islice, product
from typing import Any

from onboarding.build.kinds import LIMIT_RANGE, NETWORK_POLICY, ROLE_BINDING, ChildKind
from tests.bench.contender import writer
from tests.bench.load import ENVIRONMENTS, Plan
from tests.bench.plane import STRANGER, Plane
from tests.bench.progress import Progress
from tests.support.waiting import wait_until

_KINDS: Sequence[tuple[ChildKind, dict[str, Any]]] = (
    (
        ROLE_BINDING,
        {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "onboarding:viewer"}},
    ),
    (NETWORK_POLICY, {"spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}),
    (LIMIT_RANGE, {"spec": {"limits": []}}),
)
_TOLD = "made by others"


def add_foreign_guards(plane: Plane, projects: Sequence[str], count: int, progress: Progress) -> None:
    """Have a stranger POST this many guard rails, and return when the status of every project names some."""
    if not count:
        return
    progress.tell(f"adding {count} guard rails of others")
    with writer(plane.kubeconfig(STRANGER), _plan(projects, count), plane.cluster.directory) as stranger:
        stranger.write_all()
    wait_until(
        lambda: _told(plane) == min(len(projects), count),
        what="the guard rails of others are told",
        within=300,
        every=1,
    )


def _plan(projects: Sequence[str], count: int) -> Plan:
    steps: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for namespace, path, manifest in islice(_manifests(projects), count):
        steps.setdefault(namespace, []).append((path, manifest))
    return [[step] for step in steps.values()]


def _manifests(projects: Sequence[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield objects without end: one in each project before the second in any, and each kind in turn."""
    number = 0
    while True:
        for (environment, _), project in product(ENVIRONMENTS, projects):
            kind, content = _KINDS[number % len(_KINDS)]
            namespace, metadata = f"{project}-{environment}", {"name": f"theirs-{number}"}
            manifest = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **content}
            yield namespace, kind.path(namespace), manifest
        number += 1


def _told(plane: Plane) -> int:
    path = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].message}{"\\n"}{end}'
    answer = plane.cluster.kubectl("get", "projectonboardings", "-o", f"jsonpath={path}").stdout
    return sum(_TOLD in line for line in answer.splitlines())
