"""What the terminal shows: the table that fills, the tree at the end, and the lines to type next."""

import shlex
import shutil

from rich.console import Console, Group, RenderableType
from rich.rule import Rule
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from demo.board import ROWS, Board, Manifest, Row, environment_of
from demo.stage import FOLDER, shown
from devcluster import ControlPlane

_SPINNER = Spinner("dots")
_SHOWN_QUOTA = ("limits.cpu", "limits.memory", "requests.storage", "pods")
_QUOTA_WORDS = {"limits.cpu": "CPU", "limits.memory": "memory", "requests.storage": "storage", "pods": "pods"}


def live(board: Board, seconds: float) -> RenderableType:
    """Return the table of environments: a dim dot for what is awaited, a green tick for what is there."""
    table = Table(box=None, pad_edge=False, padding=(0, 4, 0, 0), show_header=True)
    table.add_column("")
    for environment in board.environments:
        table.add_column(environment, header_style="bold")
    for row in ROWS:
        table.add_row(row.title, *(_cell(board, row, environment) for environment in board.environments))
    condition = board.condition()
    state = f"{condition['reason']}: {condition['message']}" if condition else "waiting for the operator's first word"
    _SPINNER.update(text=Text(f"{seconds:4.1f} s  {state}", style="dim"))
    return Group(Text(), table, Text(), _SPINNER)


def _cell(board: Board, row: Row, environment: str) -> Text:
    # The AppProject serves every environment and belongs to none.
    found = board.of(row.kind, "" if row.kind == "AppProject" else environment)
    if not found:
        return Text("·", style="dim")
    return Text(f"✓ {len(found)}" if len(found) > 1 else "✓", style="green")


def line(manifest: Manifest, seconds: float) -> str:
    """Return one line for an object that appeared."""
    metadata = manifest["metadata"]
    place = f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else metadata["name"]
    where = environment_of(manifest) or "project"
    return f"  {seconds:4.1f} s  {where:<10} {manifest['kind']:<15} {place}"


def tree(board: Board) -> Tree:
    """Return the project with all that belongs to it."""
    root = Tree(f"[bold]{board.name}[/bold]", guide_style="dim")
    for environment in board.environments:
        for namespace in board.of("Namespace", environment):
            branch = root.add(f"[bold]{environment}[/bold]  namespace {namespace['metadata']['name']}")
            _environment(branch, board, environment)
    for item in board.of("AppProject"):
        spec = item["spec"]
        place = f"{item['metadata']['namespace']}/{item['metadata']['name']}"
        rules = f"{len(spec['destinations'])} destinations, {_counted(len(spec['sourceRepos']), 'source')}"
        root.add(_line("AppProject", f"{place}: {rules}"))
    return root


def _environment(branch: Tree, board: Board, environment: str) -> None:
    for item in board.of("ResourceQuota", environment):
        hard = item["spec"]["hard"]
        branch.add(_line("quota", ", ".join(f"{hard[key]} {_QUOTA_WORDS[key]}" for key in _SHOWN_QUOTA)))
    for item in board.of("LimitRange", environment):
        limits = item["spec"]["limits"][0]
        request, limit = limits["defaultRequest"], limits["default"]
        words = f"{request['cpu']} CPU and {request['memory']}, at most {limit['cpu']} and {limit['memory']}"
        branch.add(_line("limits", f"a container gets {words}"))
    holes = [item["metadata"]["name"].removeprefix("allow-") for item in board.of("NetworkPolicy", environment)]
    branch.add(_line("network", f"deny all but {', '.join(hole for hole in holes if hole != 'default-deny')}"))
    branch.add(_line("access", "; ".join(filter(None, map(_access, board.of("RoleBinding", environment))))))
    for item in board.of("Application", environment):
        sync = "syncs by itself" if "automated" in item["spec"]["syncPolicy"] else "synced by hand"
        branch.add(_line("deploy", f"Application {item['metadata']['name']}, {sync}"))


def _access(binding: Manifest) -> str:
    groups = [subject["name"] for subject in binding["subjects"] if subject["kind"] == "Group"]
    return f"{binding['metadata']['name'].partition(':')[0]}: {', '.join(groups)}" if groups else ""


def _line(title: str, words: str) -> Text:
    return Text.assemble(("✓ ", "green"), f"{title:<8} ", (words, "dim"))


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def closing(console: Console, control_plane: ControlPlane) -> None:
    """Say what does not run here, how to reach the cluster, what to try, and how to end the demo."""
    say = console.print
    say("The Applications are declared; Argo CD is not started here, so nothing is deployed from Git.")
    say(Rule(style="dim") if console.is_terminal else "")
    say("The cluster and the operator keep running. To look around:\n")
    _type(console, f"export KUBECONFIG={shlex.quote(str(control_plane.kubeconfig))}")
    if shutil.which("kubectl") is None:
        _type(console, f"export PATH=$PATH:{shlex.quote(str(control_plane.kubectl_binary.parent))}")
    say("\nThree things to try:\n")
    say("1. Delete a quota and see it back at once. Here you are the administrator, who holds the")
    say("   verb bypass; for everybody else what the operator made is frozen.")
    _type(console, "kubectl delete resourcequota onboarding -n dossier-usagers-dev")
    _type(console, "kubectl describe resourcequota -n dossier-usagers-dev")
    say("2. Apply a project that breaks a rule and read the refusal.")
    _type(console, "kubectl apply -f examples/wrong.yaml")
    say("3. Make an environment larger and read its quota.")
    _type(console, "sed 's/stage: dev}/stage: dev, size: large}/' examples/dossier-usagers.yaml | kubectl apply -f -")
    _type(console, "kubectl describe resourcequota -n dossier-usagers-dev")
    say(f"\nThe operator's log: {shown(FOLDER / 'logs' / 'operator.log')}")
    say("To end the demo:    make demo-down")


def _type(console: Console, command: str) -> None:
    """Show a command on a line of its own, never broken, so that it can be copied."""
    console.print(Text(f"   {command}", style="cyan"), soft_wrap=True)
