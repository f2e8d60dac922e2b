"""The play: apply the example, watch what appears, and say how long it took and what to try next."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import yaml
from rich.console import Console
from rich.live import Live

from demo import view
from demo.board import Board, Manifest
from demo.errors import DemoError
from demo.stage import ROOT, Scene
from onboarding import names
from onboarding.adapters.client import Client
from onboarding.build.kinds import CHILD_KINDS
from onboarding.errors import OnboardingError

EXAMPLE = ROOT / "examples" / "dossier-usagers.yaml"
_READY_SECONDS = 60
_SILENCE_SECONDS = 75
_PROJECTS = f"/apis/{names.API_VERSION}/projectonboardings"

Heard = Callable[[str, Manifest], None]


async def perform(scene: Scene, console: Console) -> None:
    """Apply the example and follow it until it is Ready; DemoError where that does not happen in time."""
    control_plane = scene.control_plane
    board = Board(yaml.safe_load(EXAMPLE.read_text()))
    client = await Client.from_environment(str(control_plane.kubeconfig), patience=30)
    try:
        seconds = await _apply_and_follow(scene, client, board, console)
    finally:
        await client.close()
    console.print()
    console.print(view.tree(board))
    console.print("\n[bold]$ kubectl get projectonboardings[/bold]")
    console.print(control_plane.kubectl("get", "projectonboardings").stdout, end="", markup=False, soft_wrap=True)
    console.print(f"\n[bold green]Ready[/bold green] {seconds:.1f} s after kubectl apply was started")
    view.closing(console, control_plane)


async def _apply_and_follow(scene: Scene, client: Client, board: Board, console: Console) -> float:
    """Return the seconds from the start of kubectl apply to Ready."""
    ready = asyncio.Event()
    began = time.monotonic()
    console.print(f"\n[bold]$ kubectl apply -f {EXAMPLE.relative_to(ROOT)}[/bold]")
    with _shown(board, console, began) as appeared:

        def heard(event: str, manifest: Manifest) -> None:
            if board.take(event, manifest):
                appeared(manifest)
            if board.is_ready():
                ready.set()

        watches = _watch_all(client, board.name, heard)
        try:
            await asyncio.gather(_apply(scene, EXAMPLE), asyncio.wait_for(ready.wait(), _READY_SECONDS))
        except TimeoutError:
            raise DemoError(_why(board, scene)) from None
        finally:
            seconds = time.monotonic() - began
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)
    return seconds


async def _apply(scene: Scene, path: Path) -> None:
    await asyncio.to_thread(scene.control_plane.kubectl, "apply", "-f", str(path))


def _watch_all(client: Client, project: str, heard: Heard) -> list[asyncio.Task[None]]:
    """Begin to watch the project and every kind of its objects; what is there already is told first."""
    selector = {"labelSelector": f"{names.LABEL_PROJECT}={project}"}
    paths = {kind.path(): selector for kind in CHILD_KINDS}
    paths[_PROJECTS] = {"fieldSelector": f"metadata.name={project}"}
    return [asyncio.create_task(_watch(client, path, query, heard)) for path, query in paths.items()]


async def _watch(client: Client, path: str, query: dict[str, str], heard: Heard) -> None:
    while True:
        with contextlib.suppress(OnboardingError):
            watch = client.watch(
                path, query={**query, "watch": "true"}, accept="application/json", silence=_SILENCE_SECONDS
            )
            async with watch as lines:
                async for line in lines:
                    event = orjson.loads(line)
                    if event["type"] in ("ADDED", "MODIFIED", "DELETED"):
                        heard(event["type"], event["object"])
        await asyncio.sleep(0.5)


@contextlib.contextmanager
def _shown(board: Board, console: Console, began: float) -> Iterator[Callable[[Manifest], None]]:
    """Show the board as it fills: in place on a terminal, else a line for each object; yield what to call for one."""
    if console.is_terminal:
        with Live(
            get_renderable=lambda: view.live(board, time.monotonic() - began),
            console=console,
            refresh_per_second=20,
            transient=True,
        ):
            yield lambda _manifest: None
    else:
        yield lambda manifest: console.print(view.line(manifest, time.monotonic() - began), soft_wrap=True)


def _why(board: Board, scene: Scene) -> str:
    condition = board.condition()
    said = f"{condition['reason']}: {condition['message']}" if condition else "the operator has not reported on it"
    actions = "\n".join(board.next_actions())
    return (
        f"{board.name} was not Ready within {_READY_SECONDS} s. {said}\n{actions}\n"
        f"The end of the operator's log {scene.operator.log}:\n{scene.operator.tail()}"
    )
