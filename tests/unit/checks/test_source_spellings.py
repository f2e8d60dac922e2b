"""Repositories are found by what their URL means, whichever way it is written."""

import pytest

from onboarding.api.delivery import Repository
from onboarding.api.urls import lies_under
from onboarding.checks import sources
from tests.unit.snapshots import environment, inputs_of, policy_of, spec_of
from tests.unit.spellings import PERHAPS_THE_SAME, PREFIX, REFUSED, SAME


@pytest.mark.parametrize("url", [*SAME, *PERHAPS_THE_SAME])
def test_no_spelling_reaches_what_is_reserved_for_others(url: str) -> None:
    """Finding F9, case 02: a doubled slash led around a reservation, and Argo CD deployed a neighbour's repository."""
    policy = policy_of(
        delivery={
            "credentials": [
                {"name": "all", "secret": "all", "prefixes": ["https://git.example.org/"]},
                {"name": "billing", "secret": "billing", "prefixes": [PREFIX], "projects": ["billing"]},
            ]
        }
    )
    # Without validation: the definition refuses some of them, and those that were stored before it did are judged, too.
    repository = Repository.model_construct(name="app", url=url)
    inputs = inputs_of(spec_of(environment()).model_copy(update={"repositories": (repository,)}), policy=policy)
    found = sources.repositories_are_open_to_the_project.run(inputs)
    assert found is not None
    assert found.message.endswith("is read with a login of other projects: billing")
    assert not sources.may_be_named(policy, "shop", url)
    assert sources.may_be_named(policy, "billing", url)


@pytest.mark.parametrize("url", REFUSED)
def test_what_cannot_be_compared_may_not_be_named(url: str) -> None:
    assert not sources.may_be_named(policy_of(), "shop", url)


@pytest.mark.parametrize(
    ("url", "prefix", "under"),
    [
        ("https://git.example.org/a/b", "https://git.example.org", True),
        ("https://git.example.org/a/b", "https://git.example.org/", True),
        ("https://git.example.org/a/b", "https://git.example.org/a", True),
        ("https://git.example.org/a", "https://git.example.org/a", True),
        ("https://git.example.org.evil.example/a", "https://git.example.org", False),
        ("https://git.example.org:8443/a", "https://git.example.org", False),
        ("https://git.example.org/a-evil/b", "https://git.example.org/a", False),
        ("http://git.example.org/a", "https://git.example.org/", False),
        ("https://GIT.example.org/a", "https://git.example.org/", True),
        ("https://git.example.org/A/b", "https://git.example.org/a", False),
        ("git@git.example.org:team/a", "git@git.example.org:", True),
        ("git@git.example.org:team/a", "git@git.example.org:team", True),
        ("git@git.example.org:team-evil/a", "git@git.example.org:team", False),
    ],
)
def test_a_prefix_reaches_up_to_a_slash(url: str, prefix: str, under: bool) -> None:
    assert lies_under(url, prefix) is under
