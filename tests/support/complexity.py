"""Length and cyclomatic complexity of functions; unlike ruff's C901 it counts boolean operators and comprehensions."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert, ast.match_case)
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Function(NamedTuple):
    """A function and its measures."""

    place: str
    lines: int
    complexity: int


def functions(path: Path) -> Iterator[Function]:
    """Measure every function of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Function(f"{path}:{node.lineno} {node.name}", lines, 1 + sum(map(_branches, _own(node))))


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """Return the nodes of a function without those of the functions in it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, _INNER):
            yield child
            yield from _own(child)


def _branches(node: ast.AST) -> int:
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    return int(isinstance(node, _BRANCHES))
