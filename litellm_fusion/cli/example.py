"""`example_config.yaml`, wherever it is: beside the package in a checkout, inside it when installed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

NAME = "example_config.yaml"


def example_path() -> Path:
    """The file. The wheel carries it inside the package; an editable install reads the checkout's."""
    package = Path(__file__).resolve().parent.parent
    for place in (package / NAME, package.parent / NAME):
        if place.is_file():
            return place
    raise FileNotFoundError(f"{NAME} is missing from this installation")


@lru_cache(maxsize=1)
def example_text() -> str:
    """Its text, comments and all."""
    return example_path().read_text("utf-8")
