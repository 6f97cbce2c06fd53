"""The command's own voice: one console for results, one for everything else."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def fail(text: str) -> int:
    """Say what went wrong; gives exit code 1."""
    err.print(Text.assemble(("error", "bold red"), f" {text}"), soft_wrap=True)
    return 1
