"""What the terminal shows of the project: the table that fills, and the tree at the end."""

from rich.console import Group, RenderableType
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from demo.board import ROWS, Board, Manifest, Row, environment_of, syncs_by_itself, well

_SPINNER = Spinner("dots")
_CELL = len("Progressing")
"""So that no column moves while the words in it change."""
_SHOWN_QUOTA = ("limits.cpu", "limits.memory", "requests.storage", "pods")
_QUOTA_WORDS = {"limits.cpu": "CPU", "limits.memory": "memory", "requests.storage": "storage", "pods": "pods"}


def live(board: Board, seconds: float) -> RenderableType:
    """Return the table of environments: a dim dot for what is awaited, a green tick for what is there."""
    table = Table(box=None, pad_edge=False, padding=(0, 4, 0, 0), show_header=True)
    table.add_column("")
    for environment in board.environments:
        table.add_column(environment, header_style="bold", min_width=_CELL)
    for row in ROWS:
        table.add_row(row.title, *(_cell(board, row, environment) for environment in board.environments))
    table.add_row("Deployed from Git", *(_deployed(board, environment) for environment in board.environments))
    condition = board.condition()
    state = f"{condition['reason']}: {condition['message']}" if condition else "waiting for the operator's first word"
    if board.is_ready():
        state += "; waiting for Argo CD"
    _SPINNER.update(text=Text(f"{seconds:4.1f} s  {state}", style="dim"))
    return Group(Text(), table, Text(), _SPINNER)


def _cell(board: Board, row: Row, environment: str) -> Text:
    # The AppProject serves every environment and belongs to none.
    found = board.of(row.kind, "" if row.kind == "AppProject" else environment)
    if not found:
        return Text("·", style="dim")
    return Text(f"✓ {len(found)}" if len(found) > 1 else "✓", style="green")


def _deployed(board: Board, environment: str) -> Text:
    told = board.applications(environment)
    if not any("sync" in item for item in told):
        return Text("·", style="dim")
    if all(map(well, told)):
        return Text("✓ Healthy", style="green")
    if environment not in board.syncing():
        return Text("by hand", style="yellow")
    worst = next(item for item in told if not well(item))
    words = worst.get("health") if worst.get("sync") == "Synced" else worst.get("sync")
    return Text(words or "·", style="dim")


def line(manifest: Manifest, seconds: float) -> str:
    """Return one line for an object that appeared."""
    metadata = manifest["metadata"]
    place = f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else metadata["name"]
    where = environment_of(manifest) or "project"
    return f"  {seconds:4.1f} s  {where:<10} {manifest['kind']:<15} {place}"


def standing(told: Manifest) -> str:
    """Return where an Application of the status stands."""
    words = ", ".join(filter(None, (told.get("sync"), told.get("health"))))
    if not words:
        return "not looked at by Argo CD"
    if "message" in told:
        return f"{words}: {told['message']}"
    return f"{words}, commit {told['revision']}" if "revision" in told else words


def running(board: Board) -> str:
    """Return where Argo CD deploys by itself, and where it does not."""
    syncing = board.syncing()
    waiting = [environment for environment in board.environments if environment not in syncing]
    there = f"deployed to {_listed(syncing)}"
    return f"{there}; {_listed(waiting)} waits for a person" if waiting else there


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
    told = {item["name"]: item for item in board.applications(environment)}
    for item in board.of("Application", environment):
        name, sync = item["metadata"]["name"], "syncs by itself" if syncs_by_itself(item) else "synced by hand"
        branch.add(_line("deploy", f"Application {name}, {sync}"))
        if "sync" in told.get(name, {}):
            branch.add(_state(told[name]))


def _access(binding: Manifest) -> str:
    groups = [subject["name"] for subject in binding["subjects"] if subject["kind"] == "Group"]
    return f"{binding['metadata']['name'].partition(':')[0]}: {', '.join(groups)}" if groups else ""


def _state(told: Manifest) -> Text:
    words = standing(told)
    return _line("state", words) if well(told) else Text.assemble(("· ", "yellow"), f"{'state':<8} ", (words, "yellow"))


def _line(title: str, words: str) -> Text:
    return Text.assemble(("✓ ", "green"), f"{title:<8} ", (words, "dim"))


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
