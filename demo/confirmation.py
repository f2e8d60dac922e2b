"""The decision that lets the demo's project be deleted, ready to apply."""

import json
from pathlib import Path

import yaml

from demo.board import Board
from demo.stage import CONFIRMATION, Scene
from onboarding import names


def write_confirmation(scene: Scene, board: Board) -> Path:
    """Write the decision of the demo's administrator about exactly this project, and return its file."""
    answer = scene.control_plane.kubectl("auth", "whoami", "--output=json")
    user = json.loads(answer.stdout)["status"]["userInfo"]
    decision = {
        "apiVersion": names.API_VERSION,
        "kind": "OnboardingDecision",
        "metadata": {"name": f"{board.name}-ends"},
        "spec": {
            "decision": "ConfirmDelete",
            "project": {"name": board.name, "uid": board.project["metadata"]["uid"]},
            "by": {"username": user["username"], "groups": user["groups"]},
            "reason": "The demo is over.",
        },
    }
    CONFIRMATION.write_text(yaml.safe_dump(decision, sort_keys=False))
    return CONFIRMATION
