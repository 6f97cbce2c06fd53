"""What every client is asked: the scenario by name, the proxy by environment, the outcome as one line of JSON."""

import json
import os
import sys

SCENARIO = sys.argv[1]
ROOT, KEY, MODEL = os.environ["FUSION_ROOT"], os.environ["FUSION_KEY"], os.environ["FUSION_MODEL"]
URL = f"{ROOT}/v1"
QUESTION = os.environ["FUSION_QUESTION"]
SCHEMA = {
    "type": "object", "properties": {"choice": {"type": "string"}, "points": {"type": "integer"}},
    "required": ["choice", "points"], "additionalProperties": False,
}  # fmt: skip
PARAMETERS = {"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"], "additionalProperties": False}
called: list[str] = []


def price(item: str) -> str:
    """The price of an item in francs."""
    called.append(item)
    return f"{item} costs 42 francs"


def done(**outcome: object) -> None:
    """Say what came out."""
    print(json.dumps({**outcome, "called": called}))
