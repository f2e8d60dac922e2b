"""A cluster whose admission policies answer as told, and a prober at work on it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson

from onboarding import names
from onboarding.adapters.guards import GuardProber
from onboarding.errors import OnboardingError
from tests.unit.adapters.test_guard_states import denial, sentence

KINDS = ("validatingadmissionpolicies", "validatingadmissionpolicybindings")


class Server:
    """A cluster whose policies answer as told; ``asked`` holds method, path, query and body of every probe."""

    def __init__(self) -> None:
        self.items = {kind: dict.fromkeys((*names.GUARD_POLICIES, *names.HUB_GUARD_POLICIES), 1) for kind in KINDS}
        self.items[KINDS[1]][names.FORMER_DETACHED_BINDING] = 1
        self.answers: dict[str, OnboardingError | str] = {}
        """What a policy answers instead: an error, or what becomes of the annotation of an object that passes."""
        self.silent: set[str] = set()
        self.asked: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = []
        self.news: dict[str, asyncio.Queue[dict[str, Any]]] = {kind: asyncio.Queue() for kind in KINDS}

        self.made: dict[tuple[str, str], int] = {}
        """How often something was made anew."""

    def item(self, kind: str, name: str) -> dict[str, Any]:
        generation = self.items[kind].get(name, 0)
        uid = f"{kind}-{name}-{self.made.get((kind, name), 0)}"
        return {"metadata": {"name": name, "uid": uid, "generation": generation, "resourceVersion": "2"}}

    def change(self, kind: str, name: str) -> None:
        self.items[kind][name] = self.items[kind].get(name, 0) + 1
        self.news[kind].put_nowait({"type": "MODIFIED", "object": self.item(kind, name)})

    def remove(self, kind: str, name: str) -> None:
        self.news[kind].put_nowait({"type": "DELETED", "object": self.item(kind, name)})

    async def request(self, method: str, path: str, *, query: Any, body: Any = None, **_: Any) -> dict[str, Any]:
        if method == "GET":
            kind = path.rpartition("/")[2]
            items = [self.item(kind, name) for name in (*self.items[kind], "somebody-elses")]
            return {"items": items, "metadata": {"resourceVersion": "1"}}
        self.asked.append((method, path, query, body))
        mark = body["metadata"]["annotations"][names.ANNOTATION_GUARD_PROBE]
        policy = mark.partition("/")[0]
        if policy in self.silent:
            await asyncio.Event().wait()
        answer = self.answers.get(policy, denial(sentence(policy), policy))
        if isinstance(answer, OnboardingError):
            raise answer
        return {"metadata": {"annotations": {names.ANNOTATION_GUARD_PROBE: mark} if answer == "kept" else None}}

    @asynccontextmanager
    async def watch(self, path: str, **_: Any) -> AsyncIterator[AsyncIterator[bytes]]:
        async def lines() -> AsyncIterator[bytes]:
            while True:
                yield orjson.dumps(await self.news[path.rpartition("/")[2]].get())

        yield lines()

    def probed(self) -> list[str]:
        marks = (body["metadata"]["annotations"][names.ANNOTATION_GUARD_PROBE] for *_, body in self.asked)
        return [mark.partition("/")[0] for mark in marks]


class Probed:
    """A prober at work; ``changes`` counts what it told."""

    def __init__(self, server: Server, cluster: str) -> None:
        self.changes = 0
        self.tasks: list[asyncio.Task[None]] = []
        self.projects: list[str] = []
        self.prober = GuardProber(cluster, server, "test", idle_timeout=5, changed=self._changed)  # type: ignore[arg-type]
        self.prober.probe_projects(lambda: iter(self.projects))

    def _changed(self) -> None:
        self.changes += 1

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                assert not any(task.done() for task in self.tasks), "a part of it has ended by itself"
                await asyncio.sleep(0.005)

    async def until_told(self, words: str) -> None:
        await self.until(lambda: words in self.prober.state.problem and bool(words) is bool(self.prober.state.problem))


@asynccontextmanager
async def probing(server: Server, cluster: str = "site-a/kubeconfig", *projects: str) -> AsyncIterator[Probed]:
    probed = Probed(server, cluster)
    probed.projects = list(projects)
    parts = [informer.run() for informer in probed.prober.informers]
    probed.tasks = [asyncio.create_task(part) for part in (*parts, probed.prober.run())]
    try:
        yield probed
    finally:
        for task in probed.tasks:
            task.cancel()
        await asyncio.gather(*probed.tasks, return_exceptions=True)
