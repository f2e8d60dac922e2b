"""Somebody who meets the rules of the API server, and what they try with kubectl."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devcluster import ControlPlane
from onboarding import names


@dataclass(frozen=True)
class Person:
    """Somebody with a kubeconfig."""

    cluster: ControlPlane
    kubeconfig: Path

    def does(self, *command: str, body: Any = None) -> str:
        """Run kubectl and return what it prints."""
        stdin = None if body is None else json.dumps(body)
        return self.cluster.kubectl(*command, stdin=stdin, kubeconfig=self.kubeconfig).stdout

    def refusal(self, *command: str, body: Any = None) -> str:
        """Run kubectl and return why it failed, or nothing if it did not."""
        stdin = None if body is None else json.dumps(body)
        done = self.cluster.kubectl(*command, stdin=stdin, kubeconfig=self.kubeconfig, check=False)
        return done.stderr if done.returncode else ""

    def is_refused_by(self, rule: str, *command: str, body: Any = None) -> bool:
        """Run kubectl and return whether this rule refused it."""
        return f"(rule {rule})" in self.refusal(*command, body=body)

    def meets(self, rule: str, *command: str, body: Any = None) -> None:
        """Demand that this rule refuses a command."""
        refusal = self.refusal(*command, body=body)
        assert f"(rule {rule})" in refusal, f"{command}: {refusal or 'nothing refused it'}"


def patch(kind: str, name: str, change: Any, *options: str) -> list[str]:
    """Return the command that changes an object."""
    form = "json" if isinstance(change, list) else "merge"
    return ["patch", kind, name, f"--type={form}", f"--patch={json.dumps(change)}", *options]


@contextmanager
def reading_projects(admin: Person) -> Iterator[None]:
    """Let the operator's account get projects: kubectl reads what it patches, which the operator does not."""
    account = f"--serviceaccount=project-onboarding:{names.MANAGER}"
    admin.does("create", "clusterrole", "test-reading", "--verb=get", f"--resource=projectonboardings.{names.GROUP}")
    admin.does("create", "clusterrolebinding", "test-reading", "--clusterrole=test-reading", account)
    yield
    admin.does("delete", "clusterrole,clusterrolebinding", "test-reading")
