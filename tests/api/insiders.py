"""Everybody who writes projects on a server that records insiders, and what they write."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from devcluster import ControlPlane
from onboarding import names
from tests.api.persons import Person, patch, reading_projects
from tests.support.insiders import (
    ADA,
    KEY,
    bind,
    project,
    recorded,
    remove,
)

KIND = "projectonboarding"
WRITES = f"{KIND}s.{names.GROUP}"
BEGUN = ["generation:1", "creator:ins-ann", "group:admin:ins-admins", "person:ada@example.org"]
ARGO = "system:serviceaccount:argocd:argocd-application-controller"


class People(NamedTuple):
    """Everybody writes projects by RBAC; those without ``edit`` are administrators of the project."""

    admin: Person
    """Holds edit, as every verb."""
    ann: Person
    bob: Person
    argo: Person
    """A service account that holds every verb, as Argo CD's stock role does."""
    operator: Person


@pytest.fixture(scope="module")
def people(installed: ControlPlane) -> Iterator[People]:
    """Install the component until the last test."""
    admin = Person(installed, installed.kubeconfig)
    verbs = "--verb=create,get,list,update,patch,delete"
    admin.does("create", "clusterrole", "ins", verbs, f"--resource={WRITES},{WRITES}/status")
    admin.does("create", "clusterrolebinding", "ins", "--clusterrole=ins", "--group=ins-admins")
    account = "--serviceaccount=argocd:argocd-application-controller"
    # An earlier module or Argo CD may have left its account, which harms nobody and stays.
    made = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ARGO.rpartition(":")[2]}}
    admin.does("apply", "--filename=-", "--namespace=argocd", body=made)
    admin.does("create", "clusterrolebinding", "ins-argo", "--clusterrole=cluster-admin", account)
    ann, bob = (Person(installed, installed.kubeconfig_for(f"ins-{who}", ["ins-admins"])) for who in ("ann", "bob"))
    argo = Person(installed, installed.kubeconfig_for_service_account("argocd", "argocd-application-controller"))
    operator = Person(installed, installed.kubeconfig_for_service_account("project-onboarding", names.MANAGER))
    bind(admin)
    with reading_projects(admin):
        yield People(admin, ann, bob, argo, operator)
    remove(admin)
    admin.does("delete", KIND, "--selector=ins", "--ignore-not-found")
    admin.does("delete", "clusterrole,clusterrolebinding", "ins")
    admin.does("delete", "clusterrolebinding", "ins-argo")


@pytest.fixture
def shop(people: People) -> Iterator[str]:
    """A project that ann created."""
    people.ann.does("create", "--filename=-", body=project("ins-shop"))
    yield "ins-shop"
    people.admin.does(*patch(KIND, "ins-shop", {"metadata": {"finalizers": None}}))
    people.admin.does("delete", KIND, "ins-shop")


def spec(**fields: Any) -> dict[str, Any]:
    return {"spec": fields}


def annotated(value: str | None, **fields: Any) -> dict[str, Any]:
    return {"metadata": {"annotations": {KEY: value}}, **({"spec": fields} if fields else {})}


def change_all_but_the_spec(people: People, shop: str) -> None:
    """Change everything that is no spec, and demand that nobody is recorded."""
    people.bob.does("label", KIND, shop, "a=b")
    people.bob.does(*patch(KIND, shop, spec(owner=ADA)))
    people.operator.does(*patch(KIND, shop, {"metadata": {"finalizers": [names.FINALIZER]}}))
    people.admin.does(*patch(KIND, shop, {**annotated("x"), "status": {"stage": "a"}}, "--subresource=status"))
    people.operator.does(*patch(KIND, shop, {"metadata": {"finalizers": None}}))
    assert recorded(people.admin, shop) == BEGUN
