"""The commands of the page on sites connect a site, and renew its login while projects live there."""

import base64
import contextlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest
import yaml

from devcluster import ControlPlane
from onboarding.build.kinds import NAMESPACE, NETWORK_POLICY
from tests.support.api import Api, RefusedError
from tests.support.audit import SITE_ACCOUNT
from tests.support.hub import ROOT, Hub
from tests.support.installing import ROOT as FILES
from tests.support.operator import NAMESPACE as HOME
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

SECRET = f"/api/v1/namespaces/{HOME}/secrets/site-a"
TARGET = f"{ROOT}/hostingtargets/region-a"
CREDENTIAL = "authentication.kubernetes.io/credential-id"
POLICIES = NETWORK_POLICY.path("reached-dev")


def blocks(section: str, language: str) -> list[str]:
    """Return the blocks of a language in a section of the page on sites."""
    page = (FILES / "docs/clusters-and-sites.md").read_text(encoding="utf-8")
    (text,) = re.findall(rf"^#+ {section}\n(.*?)(?=^#+ |\Z)", page, re.MULTILINE | re.DOTALL)
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


APPLY, SHORT_TOKEN, LONG_TOKEN, HAND_OVER = blocks("Connect a site", "sh")
(END_LOGIN,) = blocks("Renew the login of a site", "sh")
NAMES, _ = APPLY.split("kubectl --context", 1)


@dataclass
class Shell:
    """A shell of somebody who administers both clusters."""

    folder: Path
    kubectl: Path

    def run(self, *commands: str) -> str:
        """Run blocks of the page as one script, which ends at the first error, and return what they said."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(commands)],
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": f"{self.kubectl.parent}:{os.environ['PATH']}",
                "KUBECONFIG": str(self.folder / "both"),
                "KUBECACHEDIR": str(self.folder / "cache"),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def log_in(self, *commands: str) -> str:
        """Run blocks that make a login and hand it over; return the Secret on the site that it ends with."""
        said = self.run(*commands, 'echo "login: $LOGIN"')
        assert SITE_ACCOUNT in said, "the kubeconfig was tried before it was handed over"
        assert not list(self.folder.glob("*.kubeconfig")), "no login is left behind in a file"
        return said.rpartition("login: ")[2].strip()


@pytest.fixture(scope="module")
def site() -> Iterator[ControlPlane]:
    """An empty cluster."""
    with ControlPlane.start("site-a") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def shell(installed: ControlPlane, site: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell whose kubectl has the contexts that the page names, beside the project's files."""
    folder = tmp_path_factory.mktemp("shell")
    (folder / "manifests").symlink_to(FILES / "manifests")
    config: dict[str, list[object]] = {"clusters": [], "users": [], "contexts": []}
    for name, cluster in {"hub": installed, "site-a": site}.items():
        given = yaml.safe_load(cluster.kubeconfig.read_text())
        config["clusters"].append({**given["clusters"][0], "name": name})
        config["users"].append({**given["users"][0], "name": name})
        config["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    (folder / "both").write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **config}))
    return Shell(folder, site.kubectl_binary)


@pytest.fixture(scope="module")
def first_login(hub: Hub, shell: Shell, operator: OperatorProcess) -> Iterator[str]:
    """A site connected as the page says, the target of the page, and a project that is Ready there."""
    login = shell.log_in(APPLY, SHORT_TOKEN, HAND_OVER)
    hub.api.create(TARGET.removesuffix("/region-a"), yaml.safe_load(blocks("Clusters and sites", "yaml")[0]))
    hub.declare("reached", environments=[{"name": "dev", "stage": "dev", "target": "region-a"}])
    hub.wait("reached", within=60)
    yield login
    # A cluster that is not there holds teardowns: the suite's other projects shall not wait for this one.
    hub.api.delete(TARGET)
    hub.api.delete(SECRET)


def token_id(hub: Hub) -> str:
    """Return the identity of the token that the Secret on the hub holds; the empty string where it has none."""
    secret = hub.api.get(SECRET)
    assert secret is not None
    kubeconfig = yaml.safe_load(base64.b64decode(secret["data"]["kubeconfig"]))
    payload = kubeconfig["users"][0]["user"]["token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return f"JTI={claims['jti']}" if "jti" in claims else ""


def repairs(site: ControlPlane, since: int) -> list[str]:
    """Return the identities of the tokens with which the network policy was made again."""
    with site.audit_log.open("rb") as log:
        log.seek(since)
        lines = [json.loads(line) for line in log.read().splitlines(keepends=True) if line.endswith(b"\n")]
    made = [line for line in lines if line["user"]["username"] == SITE_ACCOUNT and line["verb"] == "create"]
    return [
        next(iter(line["user"].get("extra", {}).get(CREDENTIAL, [])), "")
        for line in made
        if line["objectRef"]["resource"] == "networkpolicies" and line["responseStatus"]["code"] == 201
    ]


def test_the_page_connects_a_site(hub: Hub, site: ControlPlane, first_login: str) -> None:
    """The account of the site opens the environment; the Secret holds the login once, and not in an annotation too."""
    assert Api(site).get(NAMESPACE.path(name="reached-dev"))
    assert repairs(site, 0)[-1:] == [token_id(hub)]
    secret = hub.api.get(SECRET)
    assert secret is not None
    assert secret["metadata"].get("annotations", {}) == {}


def test_the_page_renews_the_login_of_a_site(hub: Hub, site: ControlPlane, shell: Shell, first_login: str) -> None:
    """By either kind of token the operator goes on once the former one has been ended, and repairs what was missing."""
    far, former = Api(site), first_login
    named = [item["metadata"]["name"] for item in far.items(POLICIES)]
    policies = cycle(named)
    for token in (SHORT_TOKEN, LONG_TOKEN):
        login = shell.log_in(NAMES, token, HAND_OVER)
        since = site.audit_log.stat().st_size
        assert "hub-login-20260901-090000" in END_LOGIN
        shell.run(NAMES, END_LOGIN.replace("hub-login-20260901-090000", former))

        def goes_on(since: int = since) -> bool:
            # An API server may take a former token for some seconds more, and a quiet cluster is asked for nothing.
            # Each time another policy: one that is repaired again and again is slowed down.
            with contextlib.suppress(RefusedError):
                far.delete(f"{POLICIES}/{next(policies)}")
            return token_id(hub) in repairs(site, since)

        wait_until(goes_on, what="the operator goes on with the new login", within=60, every=2)
        wait_until(lambda: len(far.items(POLICIES)) == len(named), what="what was missing is repaired")
        former = login
    hub.wait("reached", within=60)
