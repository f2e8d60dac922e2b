"""What a pass looks at is this project's own; the room that a former one of its name takes is not lacked."""

from collections.abc import Iterator

import pytest

from onboarding.build.kinds import HUB, NAMESPACE, ObjectKey
from onboarding.build.namespace import build_namespace
from onboarding.build.revision import Owner
from onboarding.checks.probe import no_answers
from onboarding.reconcile.observed.cached_object import cached_object_of
from onboarding.reconcile.observed.capacity import SiteKey
from onboarding.reconcile.observed.ledgers import Ledgers
from onboarding.reconcile.observed.observer import Observer
from onboarding.reconcile.observed.projects import ProjectCache
from onboarding.reconcile.observed.snapshot import Project, Snapshot
from tests.unit.fakes import FakeCluster
from tests.unit.snapshots import NOW, OWNER, UID, environment, revisions, spec_of, stored

REVISION = revisions(spec_of(environment()))[0]
SPACE = ObjectKey(HUB, NAMESPACE, "", REVISION.namespace)
SITE = SiteKey(HUB, REVISION.target, REVISION.site)


class OneProject(ProjectCache):
    """A declaration of one project."""

    def project(self, name: str) -> Project | None:
        """Return it."""
        return Project(name, UID, 1, "1", False, (), {}, spec_of(environment())) if name == "shop" else None


def seen(owner: Owner) -> Snapshot:
    """Return the world of the project where the namespace that it wants belongs to this owner."""
    ledgers, cluster = Ledgers(OWNER.installation, lambda _project: None), FakeCluster()
    manifest = stored(build_namespace(owner, REVISION))
    cluster.put(SPACE, manifest)
    ledgers.on_update(SPACE, cached_object_of(NAMESPACE, manifest))
    observer = Observer(
        OneProject(),
        {HUB: cluster},
        installation=OWNER.installation,
        policy="default",
        clock=lambda: NOW,
        answers=no_answers(),
        ledgers=ledgers,
        teardown_hold=lambda: "",
    )
    snapshot = observer.observe("shop")
    assert snapshot is not None
    return snapshot


def owners() -> Iterator[tuple[str, Owner, bool]]:
    """Yield whose a namespace is, and whether the project may count it as its own room."""
    yield "the project's own", OWNER, True
    yield "a former incarnation's", OWNER._replace(uid="old"), True
    yield "another project's", OWNER._replace(project="other"), False


@pytest.mark.parametrize(("owner", "own"), [case[1:] for case in owners()], ids=[case[0] for case in owners()])
def test_a_namespace_of_the_projects_name_is_not_counted_against_it(owner: Owner, own: bool) -> None:
    snapshot = seen(owner)
    assert (SPACE in snapshot.live) is (owner == OWNER)
    assert snapshot.usage.sums[SITE].cpu > 0
    assert (snapshot.usage.taken(SITE, but=SPACE).cpu == 0) is own
