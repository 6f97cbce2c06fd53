"""A small task in the proxy that looks at the model list: it says at start what each fusion model resolved to, and what
is wrong, tells LiteLLM their derived prices and abilities, and does so again for models that are added or changed.

LiteLLM has no event for a loaded model list, so the task polls. It reads a few attributes a round and never changes a
deployment.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

import litellm

from litellm_fusion import derived
from litellm_fusion.errors import ConfigInvalid
from litellm_fusion.layers import Layers
from litellm_fusion.lineup import Lineup, line_up
from litellm_fusion.models import Models
from litellm_fusion.registry import REGISTRY, Entry

log = logging.getLogger("litellm_fusion")
START_SECONDS, ROUND_SECONDS = 0.5, 15.0
_task: asyncio.Task[None] | None = None


def start() -> None:
    """Begin to watch, once per process and only inside a running proxy."""
    global _task
    if "litellm.proxy.proxy_server" not in sys.modules or (_task is not None and not _task.done()):
        return
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    _show_log()
    _task = loop.create_task(_watch(), name="litellm_fusion.watch")


async def _watch() -> None:
    told: dict[str, Any] = {}
    while True:
        try:
            look(told)
        except Exception as error:  # the watch only tells; it may not end, nor take anything down
            log.warning("fusion.watch failed: %s", type(error).__name__)
        await asyncio.sleep(ROUND_SECONDS if told else START_SECONDS)


def look(told: dict[str, Any]) -> None:
    """Tell of every fusion model that is new or changed since the last look, which `told` remembers."""
    entries = REGISTRY.entries()
    if entries and not told and not any(getattr(callback, "is_fusion_hook", False) for callback in litellm.callbacks):
        log.warning("fusion.hook is not among the callbacks: no overrides, no native direct requests")
    router = REGISTRY.find_router()
    # A new or changed deployment anywhere may change what a fusion model's parts cost and can do.
    others = tuple(id(deployment) for deployment in router.model_list) if entries else ()
    changed = False
    for entry in entries:
        key = entry.id or entry.name
        before = told.get(key)
        if before is None or before[0] != entry.raw:
            _tell(entry)
        changed = changed or before != (entry.raw, others)
        told[key] = (entry.raw, others)
    if changed:
        derived.tell(router, [(entry, lineup) for entry in entries if (lineup := _lineup_of(entry)) is not None])


def _tell(entry: Entry) -> None:
    try:
        layers = REGISTRY.layers(entry)
    except ConfigInvalid:
        return  # the registry has told it
    log.info("fusion.model %s", described(entry.name, layers))


def _lineup_of(entry: Entry) -> Lineup | None:
    try:
        return _lineup(REGISTRY.layers(entry))
    except ConfigInvalid:
        return None


def _lineup(layers: Layers) -> Lineup:
    return line_up(layers.config, Models(REGISTRY.find_router()).provider)


def described(name: str, layers: Layers) -> str:
    """One line: what a fusion model resolved to."""
    lineup = _lineup(layers)
    panel = ", ".join(seat.model for seat in lineup.seats)
    judge = lineup.judges[0] if lineup.judges else "off"
    mode = REGISTRY.mode(layers)
    return (
        f"{name}: preset {layers.config.preset}, panel [{panel}], judge {judge}, synthesizer {lineup.synthesizers[0]}, "
        f"direct {lineup.direct}, {len(layers.config.policy)} rules, mode {mode}"
    )


def _show_log() -> None:
    """Where the operator has set up no logging for us, our lines go to the proxy's standard error."""
    if not log.handlers and not logging.getLogger().handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s: %(message)s"))
        log.addHandler(handler)
        log.propagate = False
    if log.level == logging.NOTSET:
        log.setLevel(logging.INFO)
