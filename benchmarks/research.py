"""What a research run costs in time beyond what it waits for: three members, six calls each, through the real proxy.

    python benchmarks/research.py [rounds] [seconds per call]

Every model turn, search and page takes the same injected time. Each member makes six calls in three turns (two at a
time) and then answers, so the critical path is: 3 x (turn + calls), the answer, the judge, the synthesizer. Overhead is
what the run took beyond that. Members read partly the same pages: the web's own counts show what the cache saved.
Pages come from a host in `allow_private`, which the polite pace per host leaves out.
"""

from __future__ import annotations

import os
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import provider as loopback
import web as loopback_web
from proxy import Proxy, config, fusion

QUESTION = "How do pumps, solar and wind compare? Research it and cite your sources."
TURNS = 3
_RESULT = re.compile(r"Source \[\d+\]:\n<<<result \w+>>>\n[^\n]*\n(http\S+)")


def member(topic: str, seconds: float) -> Callable[[dict[str, Any]], Any]:
    """Searches twice, reads twice and twice again (one of them the page that all three read), then answers."""

    def pages(first: int) -> Callable[[list[str]], Any]:
        def step(results: list[str]) -> Any:
            own = [url for result in results for url in _RESULT.findall(result) if f"/{topic}/" in url]
            shared = [url for result in results for url in _RESULT.findall(result) if "/pumps/4" in url]
            chosen = list(dict.fromkeys(own))[first : first + 2] if first == 0 else [own[2], shared[0]]
            return [("web_fetch", {"url": url}) for url in chosen]

        return step

    searches = [("web_search", {"query": f"{topic} and pumps"}), ("web_search", {"query": f"{topic} costs, also of pumps"})]
    plan = loopback_web.researcher(searches, pages(0), pages(1), f"What I read on {topic} holds [1] and more [2]. " * 3)

    def reply(body: dict[str, Any]) -> loopback.Reply:
        made: loopback.Reply = plan(body)
        return loopback.Reply(text=made.text, tool_calls=made.tool_calls, delay_seconds=seconds)

    return reply


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    served, web = loopback.Provider(), loopback_web.start()
    stop = loopback.start(served)
    own = {"tools": {"web_search": "sx", "web_fetch": True, "max_calls": 6, "allow_private": [web.host]}}
    made = config(served.base_url, [fusion("fusion/research", client_trace="full", **own)])
    made["search_tools"] = [
        {"search_tool_name": "sx", "litellm_params": {"search_provider": "searxng", "api_base": web.base_url}}
    ]
    proxy = Proxy(made)
    took: list[float] = []
    trace: dict[str, Any] = {}
    try:
        with proxy.client() as client:
            for n in range(rounds + 1):
                web.reset()
                web.delay_seconds = seconds
                for name, topic in (("m1", "pumps"), ("m2", "solar"), ("m3", "wind")):
                    served.script(name, loopback.Reply(make=member(topic, seconds)))
                served.script("judge", loopback.Reply(text=_analysis(), delay_seconds=seconds))
                served.script("synth", loopback.Reply(text="All of it holds [1], and more [2]. " * 4, delay_seconds=seconds))
                started = time.perf_counter()
                response = client.post(
                    "/v1/chat/completions",
                    json={"model": "fusion/research", "messages": [{"role": "user", "content": QUESTION}]},
                )
                response.raise_for_status()
                if n:  # the first one imports what reads pages
                    took.append(time.perf_counter() - started)
                trace = response.json()["choices"][0]["message"]["provider_specific_fields"]["fusion"]
    finally:
        proxy.stop()
        stop()
        web.stop()
    path = seconds * (2 * TURNS + 1 + 2)
    middle = statistics.median(took)
    calls = [span["role"] for span in trace["spans"]]
    print(f"{'seconds per call':<34}{seconds:>10.2f}")
    print(f"{'critical path, s':<34}{path:>10.2f}")
    print(f"{'run, s: median / worst':<34}{middle:>10.2f} / {max(took):.2f}")
    print(f"{'overhead: median / worst':<34}{(middle / path - 1) * 100:>9.1f} % / {(max(took) / path - 1) * 100:.1f} %")
    print(f"{'member turns, searches, reads':<34}{calls.count('member'):>10}, {calls.count('search')}, {calls.count('fetch')}")
    print(f"{'pages asked of the web':<34}{sum(web.visits.values()):>10}")
    print(f"{'reads saved by the cache':<34}{trace['web']['pages_shared']:>10}")


def _analysis() -> str:
    import json

    return json.dumps(loopback.ANALYSIS)


if __name__ == "__main__":
    main()
