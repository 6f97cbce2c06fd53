"""Imports run one way: a module imports only from levels above its own in LEVELS, never from its own or below.

A new module goes into the highest level that lets it import what it needs. Imports inside functions count; those
under TYPE_CHECKING do not, as nothing runs there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "litellm_fusion"
NAME = PACKAGE.name

LEVELS: tuple[frozenset[str], ...] = tuple(
    frozenset(level.split())
    for level in (
        "errors types progress presets seams metrics",
        "bursts conditions limits room agreement vote thinking contract markup",
        "config prompts",
        "layers lineup policy web waiting",
        "signals models outcomes asks",
        "params sources toolcalls",
        "outflow estimate trace body responses",
        "client context",
        "sinks identity outlet budgets",
        "planning logged outgoing",
        "second",
        "run explain",
        "desk",
        "research",
        "member judge mending",
        "panel synthesis",
        "direct",
        "fusion",
        "gate registry",
        "derived",
        "serving watch",
        "intake provider",
        "plugin",
        "sdk simulated",
        "cli",
    )
)
"""Top to bottom. A folder is one unit here: what its own files import from each other is its own business."""

KNOWS_THE_PROXY = frozenset({"plugin", "budgets"})
"""Who may import the proxy's and the callbacks' types. Everybody else sees LiteLLM as a library."""
PROXY_TYPES = ("litellm.proxy", "litellm.integrations", "fastapi")

LAZY = frozenset({"__init__"})
"""The package's own front door imports inside functions, from anywhere."""


def unit(path: Path) -> str:
    """The module's name, or its folder's."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, as dotted names; `from x import y` gives `x.y` for our own package."""
    tree = ast.parse(path.read_text("utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == NAME:
                yield from (f"{NAME}.{alias.name}" for alias in node.names)
            else:
                yield node.module


FILES = sorted(path for path in PACKAGE.rglob("*.py") if unit(path) not in LAZY)
LEVEL_OF = {name: level for level, names in enumerate(LEVELS) for name in names}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_upwards(path: Path):
    own = unit(path)
    assert own in LEVEL_OF, f"{own} has no level yet: put it into LEVELS"
    for name in imported(path):
        if not name.startswith(f"{NAME}."):
            continue
        other = name.split(".")[1]
        if other in ("__version__", own):
            assert path.parent != PACKAGE or other != own, f"{own} imports itself"
            continue
        assert LEVEL_OF[other] < LEVEL_OF[own], f"{own} imports {other}, which stands on its level or below it"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_plugin_knows_the_proxys_types(path: Path):
    if unit(path) in KNOWS_THE_PROXY:
        return
    found = [name for name in imported(path) if name.startswith(PROXY_TYPES)]
    assert not found, f"{unit(path)} imports {found}; that belongs in {', '.join(sorted(KNOWS_THE_PROXY))}"


def test_every_level_names_modules_that_exist():
    there = {unit(path) for path in FILES}
    assert set(LEVEL_OF) - there == set()
