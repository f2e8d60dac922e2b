"""Does a Git repository answer, has it a revision, and that revision a path? By Git's smart HTTP, without a clone."""

import asyncio
import re
from dataclasses import dataclass

import httpx

from onboarding.adapters.probes.guard import parse_url
from onboarding.adapters.probes.http import HttpLogin, Reply, Session, Web
from onboarding.adapters.probes.logins import Logins
from onboarding.adapters.probes.pack import FOLDER, Pack, read_pack
from onboarding.adapters.probes.pktline import FLUSH, SEPARATOR, lines, packet, texts, unband
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.checks.probe import RepositoryFacts, RepositoryRequest

_SERVICE = "git-upload-pack"
_LIMIT = 1024 * 1024
"""Bytes of one answer."""
_UNPACKED = 4
"""How many times its size a pack may unpack to."""
_DEEPEST = 16
_REFUSALS = frozenset({401, 403, 404, 410})
_COMMIT = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})")
_HASHES = frozenset({"sha1", "sha256"})
_NO_FILTER = (
    "the Git server does not offer partial clones (filter), and without them a path cannot be looked up: "
    "set uploadpack.allowFilter on it, or have the check waived"
)
_PLAIN = re.compile(r"[A-Za-z0-9._/-]+")


@dataclass(frozen=True, slots=True)
class _Server:
    """A Git server that speaks protocol version 2, and how to ask it."""

    session: Session
    base: httpx.URL
    login: HttpLogin | None
    formats: tuple[str, ...]
    """The hash that names objects, where the server says so: else it is SHA-1."""
    filters: bool
    """Whether it offers partial clones, so that it can send one object without all that hangs on it."""

    async def command(self, name: str, *arguments: str) -> bytes:
        """Send a command and return its answer; ProbeProblem if it has none."""
        said = (f"command={name}", *(f"object-format={name}" for name in self.formats))
        reply = await self.session.fetch(
            _under(self.base, _SERVICE),
            method="POST",
            content=b"".join((*map(packet, said), SEPARATOR, *map(packet, arguments), FLUSH)),
            headers={"Content-Type": f"application/x-{_SERVICE}-request", "Git-Protocol": "version=2"},
            login=self.login,
            limit=_LIMIT,
        )
        if reply.status != 200:
            raise ProbeProblem(f"the Git server answers {reply.phrase}")
        return reply.body


async def ask_repository(request: RepositoryRequest, web: Web, logins: Logins) -> RepositoryFacts:
    """Return what a Git server says of a repository; ProbeProblem where it does not say."""
    if not request.url.startswith(("https://", "http://")):
        raise ProbeProblem("a repository is asked over HTTPS only: an SSH URL cannot be checked")
    url = parse_url(request.url)
    folders = [part for part in request.path.split("/") if part not in {"", "."}]
    if url.query or url.fragment or not _PLAIN.fullmatch(request.revision) or len(folders) > _DEEPEST:
        raise ProbeProblem("this URL, revision or path is not one that can be asked for")
    login = await logins.find(url)
    async with web.session() as session:
        reply = await session.fetch(
            _under(url, "info/refs", query=f"service={_SERVICE}"),
            headers={"Git-Protocol": "version=2"},
            login=login,
            limit=_LIMIT,
        )
        if reply.status in _REFUSALS:
            return RepositoryFacts(found=False, refusal=reply.phrase)
        greeting = _greeting(reply)
        if greeting[:1] != ["version 2"]:
            return _old(greeting, request.revision, folders)
        return await _look(_server(session, reply, login, greeting), request.revision, folders)


async def _look(server: _Server, revision: str, folders: list[str]) -> RepositoryFacts:
    commit = revision if _COMMIT.fullmatch(revision) else await _commit(server, revision)
    if not commit:
        return RepositoryFacts(found=True)
    if not folders and commit != revision:
        return RepositoryFacts(found=True, commit=commit, path_found=True)
    if not server.filters:
        raise ProbeProblem(_NO_FILTER)
    pack = await _fetch(server, commit, "deepen 1")
    if pack is None or not (tree := pack.root(commit)):
        return RepositoryFacts(found=True)
    return RepositoryFacts(found=True, commit=commit, path_found=await _holds(server, pack, tree, folders))


async def _commit(server: _Server, revision: str) -> str:
    """Return the commit that a branch or tag stands for; the empty string where there is none of that name."""
    answer = await server.command("ls-refs", "peel", *(f"ref-prefix {name}" for name in _names(revision)))
    refs: dict[str, str] = {}
    for line in texts(answer):
        commit, name, *attributes = f"{line} ".split(" ")
        peeled = (text.removeprefix("peeled:") for text in attributes if text.startswith("peeled:"))
        refs[name] = next(peeled, commit)
    return _choose(refs, revision)


async def _holds(server: _Server, pack: Pack, tree: str, folders: list[str]) -> bool:
    """Return whether a path exists below a tree, fetching one folder after the other."""
    mode = FOLDER
    for folder in folders:
        if mode != FOLDER:
            return False
        if tree not in pack.objects:
            pack = await _fetch(server, tree) or pack
        entry = pack.entries(tree).get(folder)
        if entry is None:
            return False
        mode, tree = entry
    return True


async def _fetch(server: _Server, wanted: str, *depth: str) -> Pack | None:
    """Return a pack with one object; None if the server does not have it."""
    found = lines(await server.command("fetch", "no-progress", f"want {wanted}", *depth, "filter tree:0", "done"))
    if found and found[0].startswith(b"ERR "):
        if b"not our ref" in found[0]:
            return None
        raise ProbeProblem("the Git server refuses to show the commit")
    hash_name = next(iter(server.formats), "sha1")
    return await asyncio.to_thread(read_pack, unband(found), hash_name=hash_name, limit=_UNPACKED * _LIMIT)


def _greeting(reply: Reply) -> list[str]:
    if reply.status != 200:
        raise ProbeProblem(f"the Git server answers {reply.phrase}")
    if reply.headers.get("content-type", "") != f"application/x-{_SERVICE}-advertisement":
        raise ProbeProblem("the server answers, but not as a Git server: is this the URL of a repository?")
    return [line for line in texts(reply.body) if line != f"# service={_SERVICE}"]


def _server(session: Session, reply: Reply, login: HttpLogin | None, greeting: list[str]) -> _Server:
    path = reply.url.path
    if not path.endswith("/info/refs"):
        raise ProbeProblem("the server redirects to what is no Git repository")
    offers = {name: value for name, _, value in (line.partition("=") for line in greeting)}
    features = offers.get("fetch", "").split(" ")
    formats = tuple(offers[name] for name in ("object-format",) if name in offers)
    if not _HASHES.issuperset(formats) or "shallow" not in features:
        raise ProbeProblem("the Git server does not offer what is needed to look at one commit")
    base = reply.url.copy_with(path=path.removesuffix("/info/refs"), query=None)
    return _Server(session, base, login, formats, "filter" in features)


def _old(greeting: list[str], revision: str, folders: list[str]) -> RepositoryFacts:
    """Return what the first version of the protocol tells, which lists all names and shows no folder."""
    refs: dict[str, str] = {}
    for line in greeting:
        commit, _, name = line.partition("\0")[0].partition(" ")
        refs[name.removesuffix("^{}")] = commit
    commit = _choose(refs, revision)
    if folders or _COMMIT.fullmatch(revision):
        raise ProbeProblem("the Git server is too old to show a path without a clone: it lacks protocol version 2")
    return RepositoryFacts(found=True, commit=commit, path_found=bool(commit))


def _names(revision: str) -> tuple[str, ...]:
    """Return the full names that a revision may stand for, in the order in which Argo CD tries them."""
    return ("HEAD",) if revision == "HEAD" else (f"refs/heads/{revision}", f"refs/tags/{revision}", revision)


def _choose(refs: dict[str, str], revision: str) -> str:
    return next((refs[name] for name in _names(revision) if _COMMIT.fullmatch(refs.get(name, ""))), "")


def _under(base: httpx.URL, name: str, query: str | None = None) -> httpx.URL:
    return base.copy_with(path=f"{base.path.rstrip('/')}/{name}", query=query.encode() if query else None)
