"""`demo`: a real proxy with `example_config.yaml`, one question from the real openai client, and how the answer came
about. Everything that is started ends with the block that started it, by its own pid.
"""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import yaml
from rich.panel import Panel
from rich.text import Text

from litellm_fusion.cli import found, proxy, show
from litellm_fusion.cli.console import err, fail, out
from litellm_fusion.cli.example import example_text
from litellm_fusion.cli.found import Found

MODEL = "fusion/research"
QUESTION = (
    "Research this: should a company of twenty people host its own chat assistant or buy a hosted one? Compare the "
    "options, weigh the trade-offs, and recommend one."
)
ANSWER_SECONDS = 330.0


def run(question: str | None, *, force: bool, simulated: bool) -> int:
    """Run the demo; gives the exit code. 130 after Ctrl-C, as shells expect."""
    try:
        with _ended_politely(), ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="litellm-fusion-demo-")))
            models: Sequence[Found] = () if simulated else found.look()
            if not models:
                models = stack.enter_context(_simulation())
            _introduce(models)
            config = found.recast(yaml.safe_load(example_text()), models)
            with out.status("starting a LiteLLM proxy ..."):
                running = stack.enter_context(proxy.running(config, folder))
            out.print(f"[dim]LiteLLM proxy on {running.url}, pid {running.pid}, up in {running.start_seconds:.1f} s[/]\n")
            return _ask(running, question or QUESTION, force=force)
    except proxy.ProxyFailed as error:
        return fail(str(error))
    except KeyboardInterrupt:
        err.print("\nstopped")
        return 130


def _ask(running: proxy.Proxy, question: str, *, force: bool) -> int:
    import openai

    client = openai.OpenAI(
        base_url=f"{running.url}/v1",
        api_key=running.key,
        max_retries=0,
        timeout=ANSWER_SECONDS,
        http_client=openai.DefaultHttpxClient(trust_env=False),  # loopback goes through nobody's proxy
    )
    out.print(Text.assemble((MODEL, "bold"), f" is asked: {question}\n"))
    extra = {"fusion": {"mode": "force", "client_trace": "full"} if force else {"client_trace": "full"}}
    try:
        with client:
            raw = client.chat.completions.with_raw_response.create(
                model=MODEL, messages=[{"role": "user", "content": question}], stream=True,
                stream_options={"include_usage": True}, extra_body=extra,
            )  # fmt: skip
            trace = show.stream(raw.parse())
            headers = {name: value for name, value in raw.headers.items() if name.startswith("x-fusion-")}
    except openai.APIError as error:
        return fail(f"{error}\nThe proxy's log ends with:\n{proxy.said(running.log)}")
    out.print()
    if trace is None:
        show.direct(headers)
    else:
        show.trace(trace)
    return 0


@contextmanager
def _simulation() -> Iterator[Sequence[Found]]:
    """The scripted provider on loopback while the block lasts, as models that can be asked."""
    from litellm_fusion.simulated import serve

    with serve() as provider:
        yield tuple(
            Found(
                name,
                {"model": f"openai/{name}", "api_base": provider.url, "api_key": "not-needed"},
                SIMULATION,
                {"input_cost_per_token": prices[0], "output_cost_per_token": prices[1], "max_input_tokens": 128_000},
            )
            for name, prices in SIMULATED.items()
        )


SIMULATION = "simulated"
SIMULATED: Mapping[str, tuple[float, float]] = {
    "simulated-ada": (3e-6, 15e-6),
    "simulated-bo": (2e-6, 10e-6),
    "simulated-cora": (1e-6, 4e-6),
}
"""Made-up models with made-up prices in US dollars per token, so that the cost columns have something to add up."""


def _introduce(models: Sequence[Found]) -> None:
    if any(model.why == SIMULATION for model in models):
        text = (
            "No provider key and no Ollama is used: a scripted provider on this machine answers.\n"
            "[bold]Its answers, speeds and prices are made up.[/] Proxy, decision, run and trace are real.\n"
            "With OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or OPENROUTER_API_KEY set, real models answer."
        )
        out.print(Panel(text, title="SIMULATED PROVIDER", border_style="yellow"))
        return
    told = ", ".join(f"{model.name} ({model.litellm_params['model']}, {model.why})" for model in models)
    out.print(Text(f"Asking real models, which costs real money: {told}\n"))


@contextmanager
def _ended_politely() -> Iterator[None]:
    """SIGTERM unwinds the stack as Ctrl-C does, so that no child outlives us. Main thread only: Python's own rule."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> Any:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
