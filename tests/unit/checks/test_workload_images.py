"""A reference of an image is read as a container runtime reads it."""

import pytest

from onboarding.checks.images import parse_image

DIGEST = "sha256:" + "0123456789abcdef" * 4
READ = {
    "nginx": ("docker.io", "library/nginx", "", ""),
    "nginx:1.2": ("docker.io", "library/nginx", "1.2", ""),
    "docker.io/nginx": ("docker.io", "library/nginx", "", ""),
    "index.docker.io/team/app": ("docker.io", "team/app", "", ""),
    "docker.io:443/nginx": ("docker.io:443", "nginx", "", ""),
    "GHCR.io/team/app": ("GHCR.io", "team/app", "", ""),
    "team/app:1": ("docker.io", "team/app", "1", ""),
    "localhost/app:1": ("localhost", "app", "1", ""),
    "localhost:5000/app": ("localhost:5000", "app", "", ""),
    "ghcr.io/team/app:v1.2_3-4": ("ghcr.io", "team/app", "v1.2_3-4", ""),
    f"ghcr.io/team/app@{DIGEST}": ("ghcr.io", "team/app", "", DIGEST),
    f"ghcr.io/a/b__c---d.e:1@{DIGEST}": ("ghcr.io", "a/b__c---d.e", "1", DIGEST),
}
NOT_READ = [
    "",
    ":1",
    "a:",
    "a:1:2",
    "A",
    "a/B",
    "A/b",
    "a" * 256,
    "a//b",
    "a/../b",
    "/a",
    "a/",
    "a b",
    "a\n",
    "a:1\n",
    "https://ghcr.io/a",
    "user:word@ghcr.io/a:1",
    "a@sha256:12",
    "a:" + "1" * 129,
    "ghcr.io/team/аpp:1",
]
FROM = {
    ("ghcr.io/team/app", "ghcr.io/team"): True,
    ("ghcr.io/team/app", "ghcr.io/team/"): True,
    ("ghcr.io/team/app", "ghcr.io/team/app"): True,
    ("ghcr.io/team/app", "ghcr.io"): True,
    ("ghcr.io/teams/app", "ghcr.io/team"): False,
    ("ghcr.io.evil.org/team/app", "ghcr.io"): False,
    ("evil.org/ghcr.io/team", "ghcr.io"): False,
    ("ghcr.io:444/team/app", "ghcr.io"): False,
    ("nginx", "docker.io/library"): True,
    ("nginx", "docker.io"): True,
    ("docker.io/nginx", "docker.io/library"): True,
}


@pytest.mark.parametrize("reference", READ)
def test_a_reference_is_read(reference: str) -> None:
    assert parse_image(reference) == READ[reference]


@pytest.mark.parametrize("reference", NOT_READ)
def test_what_is_no_reference_is_not_read(reference: str) -> None:
    assert parse_image(reference) is None


@pytest.mark.parametrize(("reference", "prefix"), FROM)
def test_a_prefix_ends_where_a_part_of_the_name_does(reference: str, prefix: str) -> None:
    image = parse_image(reference)
    assert image is not None
    assert image.comes_from(prefix) is FROM[reference, prefix]


@pytest.mark.timeout(5)
def test_a_long_reference_takes_no_time() -> None:
    for part in ("a", "a-", "a.", "a_", "a/", "a:", "-"):
        assert parse_image(part * 100_000 + "!") is None
