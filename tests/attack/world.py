"""Two onboarded projects, everybody who attacks them, and the objects that are attacked."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from devcluster import ControlPlane
from onboarding import names
from onboarding.build.kinds import Manifest
from tests.api.persons import Person
from tests.attack.rows import Row, actors
from tests.attack.sending import Answer, Sender
from tests.support import insiders
from tests.support.api import Api, RefusedError
from tests.support.hub import PROJECTS, Hub
from tests.support.installing import ROOT, project
from tests.support.operator import OperatorProcess
from tests.support.waiting import wait_until

FOLDER: Final = Path(__file__).parent
OPTIONAL: Final = ("roles", "credentials")
"""Folders of manifests that a platform may leave out, besides insiders."""
TENANTS: Final = ("payments", "billing")
ENVIRONMENTS: Final = ("dev", "prod")
ROOT_ACTOR: Final = "root"
"""Name of the actor who holds every verb, bypass included."""
_VARIABLE: Final = re.compile(r"\$\{([\w.+]+)\}")
_EVERYBODY: Final = "system:authenticated"


class World:
    """Control plane with two projects and everybody who attacks."""

    def __init__(self, cluster: ControlPlane) -> None:
        self.cluster = cluster
        self.hub = Hub(cluster)
        self.api = {ROOT_ACTOR: self.hub.api}
        for name, actor in actors().items():
            if actor.account:
                continue
            self.api[name] = Api(cluster, cluster.kubeconfig_for(actor.user, actor.groups))
        # More groups than a record of insiders holds.
        self.variables: dict[str, Any] = {
            f"many.{name}": {f"persona-{number}": [f"{name}-{number}-{n}" for n in range(20)] for number in range(8)}
            for name in ("a", "b")
        }
        for number in (0x1B, 0x200B, 0x2028, 0x202E):
            self.variables[f"text.U+{number:04X}"] = f"a{chr(number)}b"
        told = json.loads(cluster.kubectl("auth", "whoami", "--output=json").stdout)["status"]["userInfo"]
        self._root = {"username": told["username"], "groups": told["groups"]}
        self.sender: Sender

    def become_accounts(self) -> None:
        """Log in with the tokens of all service accounts, once they exist."""
        for name, actor in actors().items():
            if actor.account:
                place, _, account = actor.account.partition("/")
                self.api[name] = Api(self.cluster, self.cluster.kubeconfig_for_service_account(place, account))

    def send(self, actor: str, row: Row) -> Answer:
        """Send a request of a row as an actor."""
        known = self.variables | self._self(actor)
        filled = row.model_copy(update={"body": _filled(row.body, known), "send": _text(row.send, known)})
        return self.sender.send(self.api[actor], filled)

    def _self(self, name: str) -> dict[str, Any]:
        """Return the variables that are about the actor."""
        if name == ROOT_ACTOR:
            return {"me": self._root}
        actor = actors()[name]
        if actor.account:
            place, _, account = actor.account.partition("/")
            groups = ["system:serviceaccounts", f"system:serviceaccounts:{place}", _EVERYBODY]
            return {"me": {"username": f"system:serviceaccount:{place}:{account}", "groups": groups}}
        return {"me": {"username": actor.user, "groups": [*actor.groups, _EVERYBODY]}}


def _filled(value: Any, known: dict[str, Any]) -> Any:
    """Return a body with its variables: ``${name}`` alone stands for any value, within a text for a text."""
    if isinstance(value, dict):
        return {_text(key, known): _filled(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, known) for item in value]
    if isinstance(value, str):
        alone = _VARIABLE.fullmatch(value)
        return known[alone.group(1)] if alone else _text(value, known)
    return value


def _text(text: str, known: dict[str, Any]) -> str:
    return _VARIABLE.sub(lambda found: str(known[found.group(1)]), text)


@contextmanager
def a_world(cluster: ControlPlane, directory: Path) -> Iterator[World]:
    """Onboard two projects, let everybody log in and lay out what is attacked; remove all of it in the end."""
    admin = Person(cluster, cluster.kubeconfig)
    with ExitStack() as last:
        for folder in OPTIONAL:
            rendered = str(ROOT / "manifests" / folder)
            admin.does("apply", "--server-side", "-k", rendered)
            last.callback(admin.does, "delete", "--ignore-not-found", "-k", rendered)
        admin.does("apply", "--server-side", "--filename", str(FOLDER / "grants.yaml"))
        last.callback(admin.does, "delete", "--ignore-not-found", "--filename", str(FOLDER / "grants.yaml"))
        for place, name in _missing(admin):
            admin.does("create", "serviceaccount", name, f"--namespace={place}")
            last.callback(admin.does, "delete", "serviceaccount", name, f"--namespace={place}")
        last.callback(insiders.remove, admin)
        insiders.bind(admin)
        last.callback(OperatorProcess.on(cluster, directory).stop)
        world = World(cluster)
        last.callback(_remove, world, admin)
        _onboard(world)
        admin.does("apply", "--server-side", "--filename=-", body=_targets(world))
        world.become_accounts()
        world.sender = Sender(world.hub.api)
        _decide(world)
        yield world


def _missing(admin: Person) -> list[tuple[str, str]]:
    """Return the account of Argo CD, unless another suite has left it here."""
    place, name = "argocd", "argocd-application-controller"
    return [(place, name)] if admin.refusal("get", "serviceaccount", name, f"--namespace={place}") else []


def _onboard(world: World) -> None:
    """Let the administrators of both projects declare them."""
    for tenant, who in zip(TENANTS, ("administrator", "neighbour"), strict=True):
        groups = {persona: [f"{tenant}-{persona}s"] for persona in ("admin", "developer", "viewer")}
        spec = {
            "team": {"groups": groups},
            "repositories": [{"name": "app", "url": f"https://git.example.org/{tenant}/app.git", "path": "deploy"}],
            "environments": [{"name": stage, "stage": stage} for stage in ENVIRONMENTS],
        }
        body = project(tenant, **spec)
        api = world.api[who]
        wait_until(lambda api=api, body=body: _declared(api, body), what=f"{who} may declare {tenant}")
    for tenant in TENANTS:
        world.hub.wait(tenant)
        uid = (world.hub.project(tenant) or {})["metadata"]["uid"]
        world.variables |= {tenant: {"name": tenant, "uid": uid}, f"{tenant}.uid": uid}
    labels = world.hub.api.request("GET", "/api/v1/namespaces/payments-dev")["metadata"]["labels"]
    installation = labels[names.LABEL_INSTALLATION]
    uids = {tenant: world.variables[f"{tenant}.uid"] for tenant in TENANTS}
    for tenant, uid in {**uids, "gone": "00000000-0000-0000-0000-000000000000"}.items():
        world.variables[f"of.{tenant}"] = {
            names.LABEL_MANAGED_BY: names.MANAGER,
            names.LABEL_INSTALLATION: installation,
            names.LABEL_PROJECT: tenant,
            names.LABEL_PROJECT_UID: uid,
        }
    world.variables["installation"] = installation


def _declared(api: Api, body: Manifest) -> bool:
    """Declare a project; the rights to it may be a moment late."""
    try:
        api.create(PROJECTS, body)
    except RefusedError as error:
        if error.status == 403 and "cannot create" in str(error):
            return False
        raise
    return True


def _targets(world: World) -> Manifest:
    """Return the objects that are attacked besides those of the operator."""
    return _filled(yaml.safe_load((FOLDER / "targets.yaml").read_text(encoding="utf-8")), world.variables)


def _decide(world: World) -> None:
    """Let the deciders make the decisions that are attacked."""
    for item in yaml.safe_load_all((FOLDER / "decisions.yaml").read_text(encoding="utf-8")):
        who = item.pop("who")
        body = _filled(item, world.variables | world._self(who))
        world.api[who].create(f"/apis/{names.API_VERSION}/onboardingdecisions", body)


def _remove(world: World, admin: Person) -> None:
    """Remove the projects as their administrators do, and then what stays of them."""
    admin.does("delete", "onboardingdecisions", "--selector=matrix")
    for tenant in TENANTS:
        if world.hub.project(tenant):
            world.hub.delete(tenant)
    for tenant in TENANTS:
        world.hub.wait_gone(tenant)
    places = [f"{tenant}-{stage}" for tenant in TENANTS for stage in ENVIRONMENTS]
    admin.does("delete", "namespace", *places, "--ignore-not-found", "--wait=false")
    if "installation" in world.variables:
        admin.does("delete", "--ignore-not-found", "--wait=false", "--filename=-", body=_targets(world))
    for place in places:
        wait_until(
            lambda place=place: world.hub.api.get(f"/api/v1/namespaces/{place}") is None, what=f"the end of {place}"
        )
