"""Where a finished trace goes. Each sink is a small function of one record; a new one is one more line in SINKS.

The client's sinks (headers, the message's summary) are asked for by `plugin.py`; these here are told by the run.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from litellm_fusion import metrics
from litellm_fusion.trace import Recorder

log = logging.getLogger("litellm_fusion")


def headers(recorder: Recorder, *, finished: bool, cached: bool = False) -> dict[str, str]:
    """The response headers: route, rule and id always; panel and cost once they are known. `cached`: LiteLLM answered
    from its cache, which costs nothing.
    """
    result = {
        "x-fusion-route": recorder.route,
        "x-fusion-rule": recorder.rule,
        "x-fusion-trace-id": recorder.id,
    }
    if recorder.ignored:
        result["x-fusion-ignored"] = ",".join(key for key in recorder.ignored if key.isascii() and key.isprintable())[:500]
    if cached:
        return result | {"x-fusion-cache": "hit", "x-fusion-cost-usd": "0.000000", "x-litellm-response-cost": "0.0"}
    usable, seats = recorder.members()
    if finished and seats:
        result["x-fusion-panel"] = f"{usable}/{seats}"
    cost = recorder.cost_usd()
    if finished and recorder.spans and cost is not None:
        result["x-fusion-cost-usd"] = f"{cost:.6f}"
    return result


def to_log(record: dict[str, Any]) -> None:
    """One line per run in the proxy's own log: no text of anyone."""
    decision = record["decision"]
    line = {
        "id": record["id"], "model": record["model"], "route": decision["route"], "rule": decision["rule"],
        "ladder": record["ladder"], **record["totals"],
    }  # fmt: skip
    log.info("fusion.run %s", json.dumps(line))


SINKS: list[Callable[[dict[str, Any]], None]] = [to_log, metrics.count]


def tell(record: dict[str, Any]) -> None:
    """Hand a finished record to every sink. A sink that fails is logged and costs the request nothing."""
    for sink in SINKS:
        try:
            sink(record)
        except Exception as error:  # a broken sink must not fail an answered request
            log.warning("fusion.sink %s failed: %s", getattr(sink, "__name__", "sink"), type(error).__name__)
