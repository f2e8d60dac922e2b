"""The play: apply the project, watch what appears until it is deployed, deploy a commit, and say what to try next."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml
from rich.console import Console
from rich.live import Live

from demo import closing, view
from demo.board import Board, Manifest
from demo.delivery import AFTER, Delivery
from demo.errors import DemoError
from demo.follow import Follower, follow
from demo.progress import Progress
from demo.stage import Scene, shown

_READY_SECONDS = 60
_DEPLOYED_SECONDS = 90


async def perform(scene: Scene, progress: Progress, console: Console) -> None:
    """Apply the project and follow it until it is Ready and deployed; DemoError where that does not happen in time."""
    board = Board(yaml.safe_load(scene.project.read_text()))
    async with follow(board, str(scene.control_plane.kubeconfig)) as follower:
        act = _Act(scene, follower, console)
        times = await act.onboard()
        console.print()
        console.print(view.tree(board))
        if scene.delivery is not None:
            console.print()
            with progress.step(
                "Waiting for Argo CD to deploy a commit", f"A commit, web with {AFTER} replicas: {view.running(board)}"
            ):
                await act.deploy(scene.delivery)
    console.print(f"\n[bold]$ kubectl get onb {board.name}[/bold]")
    answer = scene.control_plane.kubectl("get", "projectonboardings", board.name).stdout
    console.print(answer, end="", markup=False, soft_wrap=True)
    closing.outcome(console, board, times)
    closing.advice(console, scene, board)


@dataclass(frozen=True)
class _Act:
    """What happens on the stage, in order."""

    scene: Scene
    follower: Follower
    console: Console

    async def onboard(self) -> list[float]:
        """Apply the project; return the seconds until it is Ready, and until it is deployed where that happens."""
        began = time.monotonic()
        times = []
        board, delivery = self.follower.board, self.scene.delivery
        self.console.print(f"\n[bold]$ kubectl apply -f {shown(self.scene.project)}[/bold]")
        with self._shown(began) as self.follower.appeared:
            apply = ("apply", "-f", str(self.scene.project))
            await asyncio.gather(
                asyncio.to_thread(self.scene.control_plane.kubectl, *apply),
                self._until(board.is_ready, "Ready", _READY_SECONDS),
            )
            times.append(time.monotonic() - began)
            if delivery is not None:
                commit = delivery.repository.revision()
                await self._until(lambda: board.is_deployed(commit), "deployed", _DEPLOYED_SECONDS)
                times.append(time.monotonic() - began)
        return times

    async def deploy(self, delivery: Delivery) -> None:
        """Commit, and wait until the project says that this runs."""
        commit = delivery.commit()
        board = self.follower.board
        found = [item["name"] for environment in board.syncing() for item in board.applications(environment)]
        # As a webhook of the Git server would; else Argo CD looks every ten seconds here.
        await asyncio.gather(*(asyncio.to_thread(delivery.argocd.refresh, name) for name in found))
        await self._until(lambda: board.is_deployed(commit), "deployed again", _DEPLOYED_SECONDS)

    async def _until(self, reached: Callable[[], bool], what: str, seconds: float) -> None:
        try:
            await self.follower.until(reached, seconds)
        except TimeoutError:
            raise DemoError(self._why(what, seconds)) from None

    def _why(self, what: str, seconds: float) -> str:
        board, operator = self.follower.board, self.scene.operator
        condition = board.condition()
        said = f"{condition['reason']}: {condition['message']}" if condition else "the operator has not reported on it"
        told = [
            f"{item['name']}: {view.standing(item)}" for name in board.environments for item in board.applications(name)
        ]
        lines = [f"{board.name} was not {what} within {seconds:.0f} s. {said}", *board.next_actions(), *told]
        return "\n".join([*lines, f"The end of the operator's log {operator.log}:", operator.tail()])

    @contextlib.contextmanager
    def _shown(self, began: float) -> Iterator[Callable[[Manifest], None]]:
        """Show the board as it fills: in place on a terminal, else a line per object; yield what to call for one."""
        board, console = self.follower.board, self.console
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
