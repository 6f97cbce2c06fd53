"""The `litellm-fusion` command. Everything heavy is imported inside the commands: `--help` answers at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="litellm-fusion",
    help="Fusion models for the LiteLLM proxy: try them, write a config, check it, ask what a prompt would do, and why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Config = Annotated[Path, typer.Option("--config", "-c", help="A LiteLLM proxy config (YAML).")]


@app.command("demo")
def _demo(
    question: Annotated[str | None, typer.Argument(help="What to ask. A research question by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Ask the panel whatever the policy decides.")] = False,
    simulated: Annotated[bool, typer.Option("--simulated", help="Use the simulated provider despite keys.")] = False,
) -> None:
    """Start a real proxy, ask one question, show the answer and how it came about.

    Uses the providers whose keys are in the environment, else an Ollama on localhost, else a simulated provider.
    """
    from litellm_fusion.cli.demo import run

    raise typer.Exit(run(question, force=force, simulated=simulated))


@app.command("init")
def _init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("config.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write a commented proxy config with the providers that are found here."""
    from litellm_fusion.cli.init import run

    raise typer.Exit(run(path, force=force))


@app.command("check")
def _check(
    config: Annotated[Path, typer.Argument(help="A LiteLLM proxy config (YAML).")],
    model: Annotated[str | None, typer.Option("--model", "-m", help="This fusion model only.")] = None,
) -> None:
    """Say what each fusion model of a config would do, and what is wrong or missing. Exit code 1 on errors."""
    _no_download()
    from litellm_fusion.cli.check import run

    raise typer.Exit(run(config, model))


@app.command("explain")
def _explain(
    prompt: Annotated[str, typer.Argument(help="The prompt, or - to read it from standard input.")],
    config: Config,
    model: Annotated[str, typer.Option("--model", "-m", help="The fusion model.")],
    system: Annotated[str | None, typer.Option("--system", help="A system prompt before it.")] = None,
    force: Annotated[bool, typer.Option("--force", help="As a request with `mode: force` would be decided.")] = False,
) -> None:
    """Say as JSON what fusion would do with a prompt, and why, and what it would cost. Nothing is asked or spent."""
    _no_download()
    from litellm_fusion.cli.explain import run

    raise typer.Exit(run(prompt, config, model, system, force=force))


@app.command("gate-score")
def _gate_score(
    config: Annotated[Path | None, typer.Option("--config", "-c", help="A LiteLLM proxy config (YAML).")] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="The fusion model whose policy decides.")] = None,
) -> None:
    """Read JSON lines ({"prompt": ...} or {"messages": [...]}) and print each one's signals and decision as JSON.

    Without --config and --model the `general` preset decides.
    """
    _no_download()
    from litellm_fusion.cli.score import run

    raise typer.Exit(run(config, model))


@app.command("shadow-report")
def _shadow_report(log: Annotated[Path, typer.Argument(help="The proxy's log.")]) -> None:
    """Say what a fusion model in shadow mode would have fused, by rule, key and team, and what it would have cost."""
    from litellm_fusion.cli.shadow import run

    raise typer.Exit(run(log))


policy = typer.Typer(help="Work on a policy.", no_args_is_help=True)
app.add_typer(policy, name="policy")


@policy.command("test")
def _policy_test(
    file: Annotated[Path, typer.Argument(help="Prompts with the `route` expected of them: YAML or JSON lines.")],
    config: Config,
    model: Annotated[str, typer.Option("--model", "-m", help="The fusion model.")],
) -> None:
    """Say which prompts a policy routes otherwise than expected. Exit code 1 when any does. Nothing is asked or spent."""
    _no_download()
    from litellm_fusion.cli.expected import run

    raise typer.Exit(run(file, config, model))


def _no_download() -> None:
    """LiteLLM's own copy of the prices will do: importing it otherwise asks GitHub for a newer one."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
