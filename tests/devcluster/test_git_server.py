"""A real Git server: read and written by Git itself."""

import os
import secrets
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from devcluster import DevclusterError, GitServer, NotRunningError
from devcluster.git_environment import GIT


def git(*args: str | Path, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *args], capture_output=True, text=True, check=check, env={**os.environ, **GIT, **environment}
    )


def with_token(url: str, token: str) -> str:
    return url.replace("://", f"://anyone:{token}@")


def test_files_are_committed_changed_and_deleted(git_server: GitServer, tmp_path: Path):
    repository = git_server.create("team/files", {"a.txt": "one\n", "folder/b.txt": "two\n"})
    first = repository.revision()
    second = repository.commit({"a.txt": "three\n", "folder/b.txt": None}, message="Grüße\n\nwith a body")
    git("clone", "--quiet", repository.url, tmp_path / "copy")
    assert (tmp_path / "copy" / "a.txt").read_text() == "three\n"
    assert not (tmp_path / "copy" / "folder").exists()
    log = git("-C", tmp_path / "copy", "log", "--format=%H %s").stdout.splitlines()
    assert log == [f"{second} Grüße", f"{first} Begin"]


def test_a_part_of_a_commit_can_be_fetched(git_server: GitServer, tmp_path: Path):
    """The probe of repositories needs it, and the well-known Git services offer it."""
    repository = git_server.create("partial", {"folder/a.txt": "one\n"})
    git("clone", "--quiet", "--bare", "--filter=tree:0", repository.url, tmp_path / "copy")
    objects = git("-C", tmp_path / "copy", "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").stdout
    assert objects.split() == ["commit"]


def test_branches_and_tags_are_what_they_were_made_from(git_server: GitServer):
    repository = git_server.create("branches", {"a.txt": "one\n"})
    first = repository.tag("v1")
    second = repository.commit({"a.txt": "two\n"})
    assert repository.branch("stable", start="v1") == first
    third = repository.commit({"b.txt": "three\n"}, branch="stable")
    listed = git("ls-remote", repository.url).stdout.split()
    references = dict(zip(listed[1::2], listed[::2], strict=True))
    assert references == {
        "HEAD": second,
        "refs/heads/main": second,
        "refs/heads/stable": third,
        "refs/tags/v1": first,
    }
    assert git("--git-dir", repository.folder, "ls-tree", "--name-only", third).stdout.split() == ["a.txt", "b.txt"]


def test_a_large_push_arrives_whole(git_server: GitServer, tmp_path: Path):
    """Git sends it in chunks, and asks before it does."""
    repository = git_server.create("large", {"a.txt": "one\n"}, token="secret")
    copy = tmp_path / "copy"
    git("clone", "--quiet", with_token(repository.url, "secret"), copy)
    (copy / "noise").write_bytes(secrets.token_bytes(20 * 1024 * 1024))
    git("-C", copy, "add", "--all")
    git("-C", copy, "commit", "--quiet", "--message=Noise")
    git("-C", copy, "push", "--quiet", "origin", "main")
    assert repository.revision() == git("-C", copy, "rev-parse", "HEAD").stdout.strip()
    git("clone", "--quiet", with_token(repository.url, "secret"), tmp_path / "second")
    assert (tmp_path / "second" / "noise").read_bytes() == (copy / "noise").read_bytes()


def test_many_references_are_asked_for_in_a_compressed_request(git_server: GitServer, tmp_path: Path):
    repository = git_server.create("many", {"a.txt": "one\n"})
    for number in range(100):
        repository.commit({"a.txt": f"{number}\n"}, branch=f"branch-{number}")
    trace = git("clone", "--quiet", repository.url, tmp_path / "copy", GIT_CURL_VERBOSE="1").stderr
    assert "content-encoding: gzip" in trace.lower()
    assert len(git("-C", tmp_path / "copy", "branch", "--remotes").stdout.splitlines()) == 102


@pytest.mark.parametrize("given", ["", "wrong", "secret2"])
def test_a_token_is_asked_for(git_server: GitServer, given: str):
    repository = git_server.create(f"private-{given or 'none'}", {"a.txt": "one\n"}, token="secret")
    address = with_token(repository.url, given) if given else repository.url
    assert git("ls-remote", address, check=False).returncode != 0
    assert "refs/heads/main" in git("ls-remote", with_token(repository.url, "secret")).stdout


@pytest.mark.parametrize(
    "path", ["/", "/nothing.git/info/refs", "/a/../../tokens.git/HEAD", "/%2e%2e/tokens/x.git/HEAD"]
)
def test_nothing_else_is_served(git_server: GitServer, path: str):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(git_server.url + path)
    assert refused.value.status == 404
    refused.value.close()


def test_the_same_name_twice_is_refused(git_server: GitServer):
    git_server.create("twice", {"a.txt": "one\n"})
    with pytest.raises(DevclusterError, match="another name"):
        git_server.create("twice", {"a.txt": "two\n"})


def test_a_certificate_of_its_own_authority_is_shown():
    with GitServer.start(tls=True) as server:
        repository = server.create("app", {"a.txt": "one\n"})
        assert git("ls-remote", repository.url, check=False).returncode != 0
        assert "refs/heads/main" in git("ls-remote", repository.url, GIT_SSL_CAINFO=str(server.ca_file)).stdout
    assert not server.directory.exists()


def test_a_detached_server_is_found_and_ended_by_another(tmp_path: Path):
    repository = GitServer.start(tmp_path, detached=True).create("app", {"a.txt": "one\n"})
    found = GitServer.load(tmp_path)
    assert repository.url.startswith(found.url)
    assert "refs/heads/main" in git("ls-remote", repository.url).stdout
    found.stop()
    assert git("ls-remote", repository.url, check=False).returncode != 0
    with pytest.raises(NotRunningError):
        GitServer.load(tmp_path)
