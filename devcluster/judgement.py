"""Argo CD's own judgement of projects, rights and scripts, as a reference to compare with."""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from devcluster.builds import ARGOCD
from devcluster.errors import DevclusterError

Answer = dict[str, Any]


def validate_projects(projects: Iterable[Mapping[str, Any]]) -> list[str | None]:
    """Say of each AppProject why Argo CD's API server would refuse it; None if it would not."""
    return [answer["error"] for answer in _ask("argocd-validate", projects)]


class Request(NamedTuple):
    """Something that a user with these groups would do in Argo CD; an object is ``<project>/<application>``."""

    groups: tuple[str, ...]
    resource: str
    action: str
    object: str


def enforce_project(project: Mapping[str, Any], requests: Sequence[Request]) -> list[bool]:
    """Say of each request if Argo CD's API server would allow it, by the roles of this AppProject alone."""
    question = {"project": project, "requests": [request._asdict() for request in requests]}
    (answer,) = _ask("argocd-enforce", [question])
    if answer["error"] is not None:
        raise DevclusterError(f"Argo CD cannot enforce this project: {answer['error']}")
    return [bool(allowed) for allowed in answer["result"]]


def run_script(kind: Literal["health", "discovery", "action"], script: str, manifest: Mapping[str, Any]) -> Any:
    """Run a script of a resource customization with the Lua machine of Argo CD's controllers."""
    (answer,) = _ask("argocd-lua", [{"kind": kind, "script": script, "object": manifest}])
    if answer["error"] is not None:
        raise DevclusterError(f"Argo CD cannot run this script: {answer['error']}")
    return answer["result"]


def _ask(program: str, questions: Iterable[Mapping[str, Any]]) -> list[Answer]:
    lines = "\n".join(json.dumps(question) for question in questions)
    command = [ARGOCD.folder(lambda _message: None) / program]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DevclusterError(f"{program} failed: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]
