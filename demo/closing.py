"""The end of the demo: what was reached, how to look around, what to try, and how to end it."""

import shlex
import shutil

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from demo.board import Board
from demo.confirmation import write_confirmation
from demo.stage import LOGS, Scene, shown

_SYNC = """kubectl patch application dossier-usagers-prod-app -n argocd --type=merge -p '{"operation": {"sync": {}}}'"""
_QUOTA = "kubectl describe resourcequota -n dossier-usagers-dev"


def outcome(console: Console, board: Board, times: list[float]) -> None:
    """Say who must do what next, and how long it took."""
    actions = list(board.next_actions())
    if actions:
        console.print("\n[bold]status.nextActions[/bold]: who must do what next")
        for action in actions:
            console.print(f"   {action}", markup=False, soft_wrap=True)
    ready, *deployed = times
    console.print(f"\n[bold green]Ready[/bold green] {ready:.1f} s after kubectl apply was started", end="")
    for seconds in deployed:
        console.print(f", [bold green]Synced and Healthy[/bold green] after {seconds:.1f} s", end="")
    console.print()


def advice(console: Console, scene: Scene, board: Board) -> None:
    """Say how to reach the cluster, what to try, and how to end the demo."""
    say, control_plane, project = console.print, scene.control_plane, shown(scene.project)
    if scene.delivery is None:
        say("The Applications are declared; Argo CD is not started on a given cluster, so the demo deploys nothing.")
    say(Rule(style="dim") if console.is_terminal else "")
    say("The cluster and all beside it keep running. To look around:\n")
    _type(console, f"export KUBECONFIG={shlex.quote(str(control_plane.kubeconfig))}")
    if shutil.which("kubectl") is None:
        _type(console, f"export PATH=$PATH:{shlex.quote(str(control_plane.kubectl_binary.parent))}")
    say("\nThings to try:\n")
    say("1. Delete a quota and see it back at once. You may, as the administrator, who")
    say("   holds the verb bypass; for others what the operator made is frozen.")
    _type(console, "kubectl delete resourcequota onboarding -n dossier-usagers-dev", _QUOTA)
    say("2. Apply a project that breaks a rule and read the refusal.")
    _type(console, "kubectl apply -f examples/wrong.yaml")
    say("3. Make an environment larger and read its quota.")
    _type(console, f"sed 's/stage: dev}}/stage: dev, size: large}}/' {project} | kubectl apply -f -", _QUOTA)
    if scene.delivery is not None:
        _deploying(console, scene, board)
    say(f"\nThe logs: {shown(LOGS)}, first of all operator.log")
    say("To end the demo:    make demo-down")


def _deploying(console: Console, scene: Scene, board: Board) -> None:
    """Say what to try where pods run; the last of it removes the project."""
    say, confirmation = console.print, shown(write_confirmation(scene, board))
    say("4. Have fewer pods than Git says; some seconds later Argo CD has put it back.")
    _type(console, "kubectl scale deployment web --replicas=1 -n dossier-usagers-dev")
    _type(console, "kubectl get pods -n dossier-usagers-dev")
    say("5. Production does not sync by itself. Be the person who does it.")
    _type(console, _SYNC, "kubectl get pods -n dossier-usagers-prod")
    say("6. Delete the project with all it runs. Nothing goes before it is confirmed.")
    _type(console, """kubectl patch onb dossier-usagers --type=merge -p '{"spec": {"deletionPolicy": "Delete"}}'""")
    _type(console, "kubectl delete onb dossier-usagers --wait=false; kubectl get onb")
    _type(console, f"kubectl apply -f {confirmation}")
    _type(console, "kubectl wait --for=delete onb/dossier-usagers; kubectl get namespaces")


def _type(console: Console, *commands: str) -> None:
    """Show each command on a line of its own, never broken, so that it can be copied."""
    for command in commands:
        console.print(Text(f"   {command}", style="cyan"), soft_wrap=True)
