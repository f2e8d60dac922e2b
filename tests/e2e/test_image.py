"""The operator does its work with the packages that the image has."""

from dataclasses import replace
from pathlib import Path

from devcluster.image import checkout_image
from image import trial
from tests.support.trimmed import trimmed_client


def test_a_project_is_onboarded_without_the_models_of_the_client(tmp_path: Path) -> None:
    """What `make image` tries, with this machine's Python and the client as the image has it."""
    trimmed = trimmed_client(tmp_path / "trimmed")
    checkout = checkout_image()
    image = replace(
        checkout,
        folders=[*checkout.folders, str(trimmed)],
        environment={**checkout.environment, "PYTHONPATH": str(trimmed)},
    )
    assert trial.onboard(image, tmp_path, lambda _: None) == "Ready: 1 of 1 environments are in place"
