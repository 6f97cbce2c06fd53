"""The peers' side of `peers.py`: runs in a peer's own environment, so it imports nothing but the standard library and
that peer.

    python benchmarks/contestants.py KIND BASE_URL FOLDER

For each line on standard input, `{"at": 20, "waves": 3, "tag": "x"}`, asks that many questions and prints a line with
`[seconds, answers that came in, error or null]` of each. KIND is one of `WAYS`.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

PANEL = ("m1", "m2", "m3")
Outcome = tuple[float, int, "str | None"]
Ask = Callable[[str], int]


def question(tag: str) -> str:
    """What is asked in run `tag`, by whichever way."""
    return f"[run {tag}] Should a small company build or buy its billing system? Compare both."


def timed(ask: Ask, tag: str) -> Outcome:
    """One run, whatever becomes of it."""
    started = time.perf_counter()
    try:
        came, error = ask(question(tag)), None
    except Exception as raised:  # a lost run is a figure, not a failure of this script
        came, error = 0, f"{type(raised).__name__}: {raised}"[:200]
    return time.perf_counter() - started, came, error


def in_threads(ask: Ask, at_once: int, tags: list[str]) -> list[Outcome]:
    """A wave, a thread for each run."""
    with ThreadPoolExecutor(at_once) as threads:
        return list(threads.map(lambda tag: timed(ask, tag), tags))


def seed(base_url: str, folder: Path) -> Ask:
    """Fusion by hand, as a published script has it: three Anthropic calls in threads, a judge's text, a synthesis."""
    import anthropic

    client: Any = anthropic.Anthropic(api_key="x", base_url=base_url.removesuffix("/v1"))

    def say(model: str, prompt: str, max_tokens: int = 1024) -> str:
        message = client.messages.create(model=model, max_tokens=max_tokens, messages=[{"role": "user", "content": prompt}])
        return str(message.content[0].text)

    def tried(model: str, prompt: str) -> tuple[str, str | None]:
        try:
            return model, say(model, prompt)
        except Exception:  # the script goes on with whoever answered
            return model, None

    def ask(prompt: str) -> int:
        with ThreadPoolExecutor(max_workers=len(PANEL)) as executor:
            futures = [executor.submit(tried, model, prompt) for model in PANEL]
            answers = [future.result() for future in as_completed(futures)]
        told = "\n\n".join(f"--- {model} ---\n{text}" for model, text in answers)
        found = say("judge", f"Find consensus, contradictions, unique insights, blind spots.\n\nPROMPT: {prompt}\n\n{told}")
        say("synth", f"Write the final answer.\n\nPROMPT: {prompt}\n\nANALYSIS: {found}", 2048)
        return sum(text is not None for _, text in answers)

    return ask


def seed_process(base_url: str, folder: Path) -> Ask:
    """The same script started anew for each question, as a script is."""

    def ask(prompt: str) -> int:
        command = [sys.executable, __file__, "seed", base_url, str(folder), prompt]
        return int(subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout)

    return ask


def consortium(base_url: str, folder: Path) -> Ask:
    """llm-consortium through its Python API, one consortium for each question, as its command makes one."""
    os.environ["HOME"], os.environ["XDG_CONFIG_HOME"] = str(folder), str(folder)
    os.environ["LLM_USER_PATH"] = str(folder / "io.datasette.llm")
    own = folder / "io.datasette.llm"
    own.mkdir(parents=True, exist_ok=True)
    models = [{"model_id": f"bench-{name}", "model_name": name, "api_base": base_url} for name in (*PANEL, "arbiter")]
    (own / "extra-openai-models.yaml").write_text(json.dumps(models))  # JSON is YAML
    import llm_consortium

    def ask(prompt: str) -> int:
        made = llm_consortium.create_consortium([f"bench-{name}" for name in PANEL], arbiter="bench-arbiter")
        result = made.orchestrate(prompt)
        if not result["iterations"]:
            raise RuntimeError("no iteration")
        answers = result["iterations"][0]["model_responses"]
        return sum(not answer.get("error") and bool(answer.get("response")) for answer in answers)

    return ask


def router(base_url: str, folder: Path) -> Callable[[int, list[str]], list[Outcome]]:
    """The five calls bare through litellm.Router, without proxy or plugin, in one event loop."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm.router

    params = {"api_base": base_url, "api_key": "x", "num_retries": 0}
    models = [
        {"model_name": name, "litellm_params": {"model": f"openai/{name}", **params}} for name in (*PANEL, "judge", "synth")
    ]
    asked: Any = litellm.router.Router(model_list=models, num_retries=0)
    loop = asyncio.new_event_loop()

    async def run(tag: str) -> Outcome:
        messages = [{"role": "user", "content": question(tag)}]
        started = time.perf_counter()
        error: str | None = None
        answers: list[Any] = []
        try:
            answers = await asyncio.gather(*(asked.acompletion(name, messages) for name in PANEL))
            told = [answer.choices[0].message.content for answer in answers]
            told.append((await asked.acompletion("judge", add(messages, told))).choices[0].message.content)
            await asked.acompletion("synth", add(messages, told))
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"[:200]
        return time.perf_counter() - started, len(answers), error

    def add(messages: list[dict[str, str]], told: list[str]) -> list[dict[str, str]]:
        return [*messages, {"role": "user", "content": "\n\n".join(told)}]

    async def wave(tags: list[str]) -> list[Outcome]:
        return list(await asyncio.gather(*(run(tag) for tag in tags)))

    return lambda at_once, tags: loop.run_until_complete(wave(tags))


WAYS: dict[str, Callable[[str, Path], Ask]] = {"seed": seed, "seed_process": seed_process, "consortium": consortium}


def main() -> None:
    """Answer lines until standard input ends."""
    kind, base_url, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    if len(sys.argv) > 4:
        print(WAYS[kind](base_url, folder)(sys.argv[4]))
        return
    if kind == "router":
        go = router(base_url, folder)
    else:
        ask = WAYS[kind](base_url, folder)

        def go(at_once: int, tags: list[str]) -> list[Outcome]:
            return in_threads(ask, at_once, tags)

    print("ready", flush=True)
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        outcomes: list[Outcome] = []
        for wave in range(asked["waves"]):
            outcomes += go(asked["at"], [f"{asked['tag']}w{wave}n{n}" for n in range(asked["at"])])
        print(json.dumps(outcomes), flush=True)


if __name__ == "__main__":
    main()
