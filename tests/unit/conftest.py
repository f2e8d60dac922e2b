"""What holds for every unit test."""

from collections.abc import Iterator
from typing import Any

import pytest

from onboarding.build import wanted
from tests.support.argocd_rules import refusals


@pytest.fixture(autouse=True, scope="session")
def _argocd_would_take_every_app_project() -> Iterator[None]:
    """Put every AppProject that any test builds to Argo CD's own rules."""
    build = wanted.build_app_project

    def checked(*arguments: Any, **options: Any) -> dict[str, Any]:
        manifest = build(*arguments, **options)
        assert list(refusals(manifest)) == []
        return manifest

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wanted, "build_app_project", checked)
        yield
