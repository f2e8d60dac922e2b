"""The largest objects that the models allow, by the limits of their fields: built, not written by hand."""

from typing import Any, Final

import yaml

from onboarding.api.delivery import Helm, Repository, ResourceKind, Window, WindowKind
from onboarding.api.personas import ArgoAction
from onboarding.api.target import ArgoCD
from onboarding.build.kinds import Manifest
from onboarding.build.revision import Binding, Owner, Revision
from onboarding.build.wanted import build_wanted
from tests.golden.test_golden import FOLDER

ENVIRONMENTS, SITES, PERSONAS, GROUPS, REPOSITORIES, KINDS, WINDOWS = 20, 10, 8, 20, 10, 200, 10
ACTIONS = (ArgoAction.GET, ArgoAction.SYNC, ArgoAction.LOGS)
"""With 8 personas in 20 environments these lead to 480 policies of the 500 that an AppProject may have."""
OWNER = Owner("inst-1", "l" * 30, "44444444-4444-4444-8444-444444444444")
_BASE: Final[dict[str, Any]] = yaml.safe_load((FOLDER / "input" / "production.yaml").read_text())["revisions"][0]


def padded(text: str, size: int) -> str:
    """Return a text of a size."""
    return text + "x" * (size - len(text))


def _bindings(environment: str) -> tuple[Binding, ...]:
    return tuple(
        Binding(
            persona=padded(f"persona{persona}", 20),
            cluster_role="onboarding:developer",
            groups=tuple(padded(f"{environment}/{persona}/{group:02}", 253) for group in range(GROUPS)),
            argocd=ACTIONS,
            own=True,
        )
        for persona in range(PERSONAS)
    )


def _repositories(environment: str) -> tuple[Repository, ...]:
    """Return repositories that another environment does not have: it may keep those of before."""
    return tuple(
        Repository(
            name=f"r{number}",
            url=padded(f"https://git.example.org/{environment}/{number}/", 500),
            revision="r" * 100,
            path="p" * 200,
            helm=Helm(value_files=tuple(padded(f"{file}", 200) for file in range(10))),
        )
        for number in range(REPOSITORIES)
    )


def _windows() -> tuple[Window, ...]:
    return tuple(
        Window(kind=WindowKind.DENY, schedule=f"{minute} 0 * * *", duration="8h", description="w" * 255)
        for minute in range(WINDOWS)
    )


def _revision(number: int, site: int) -> Revision:
    environment = padded(f"e{number:02}", 20 - 2)
    given = {key: value for key, value in _BASE.items() if key not in ("bindings", "repositories")}
    base = Revision.model_validate({**given, "namespace": padded(f"n{number:02}", 63), "environment": environment})
    return base.with_values(
        site=f"s{site}",
        sole_site=False,
        cluster=f"site-{site}",
        argocd=ArgoCD(destination_server="https://" + padded(f"s{site}.", 240) + ":6443"),
        bindings=_bindings(environment),
        repositories=_repositories(environment),
        windows=_windows(),
        additional_kinds=tuple(
            ResourceKind(group=padded(f"g{kind}.", 99) + "o", kind=padded(f"K{kind}", 63)) for kind in range(KINDS)
        ),
    )


def doubled(value: Any) -> Any:
    """Return a manifest of twice the size: every list twice as long, but those in an item of a list."""
    if isinstance(value, dict):
        return {key: doubled(item) for key, item in value.items()}
    return value * 2 if isinstance(value, list) else value


def _largest() -> dict[str, Manifest]:
    wanted = build_wanted(OWNER, [_revision(number, site) for number in range(ENVIRONMENTS) for site in range(SITES)])
    found: dict[str, Manifest] = {}
    for item in wanted:
        kind = item.manifest["kind"]
        if kind in ("AppProject", "Application", "RoleBinding"):
            found.setdefault(kind, item.manifest)
    return found


LARGEST: Final = _largest()
"""By kind."""
