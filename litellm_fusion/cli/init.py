"""`init`: a commented proxy config with the providers that are found here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml
from rich.text import Text

from litellm_fusion.cli import found
from litellm_fusion.cli.console import fail, out
from litellm_fusion.cli.example import example_text
from litellm_fusion.cli.found import Found

_PLACEHOLDER = Found("gpt", {"model": "openai/gpt-5.5", "api_key": "os.environ/OPENAI_API_KEY"}, "nothing was found here")


def run(path: Path, *, force: bool) -> int:
    """Write the config; gives the exit code. An existing file stays unless `force`."""
    if path.exists() and not force:
        return fail(f"{path} exists; --force overwrites it")
    models = found.look()
    try:
        path.write_text(render(models), "utf-8")
    except OSError as error:
        return fail(f"{path}: {error.strerror}")
    for model in models:
        out.print(Text(f"  {model.name:<12} {model.litellm_params['model']}  ({model.why})"))
    if not models:
        out.print("[yellow]No provider key and no Ollama found:[/] one model stands in; put your own in its place.")
    key = "export LITELLM_MASTER_KEY=sk-$(openssl rand -hex 32)"
    steps = (f"Wrote {path}. Next:", f"  litellm-fusion check {path}", f"  {key}", f"  litellm --config {path}")
    out.print(Text("\n".join(steps)), soft_wrap=True)
    return 0


def render(models: Sequence[Found]) -> str:
    """The config as text. The settings after the models are the example's own, with their comments."""
    used = list(models) or [_PLACEHOLDER]
    example = example_text()
    return "".join((
        "# A LiteLLM proxy with fusion models, written by `litellm-fusion init`.\n"
        "# Keys come from the environment: nothing secret stands in this file.\n\n"
        "model_list:\n  # ── The models that take part; clients may call them directly as well. ──\n",
        *(_model(model) for model in used),
        _fusion(used),
        example[example.index("litellm_settings:") :],
    ))  # fmt: skip


def _model(model: Found) -> str:
    entry = yaml.safe_dump([model.deployment()], sort_keys=False, allow_unicode=True)
    lines = (f"  {line}" for line in entry.splitlines())
    return f"  # found: {model.why}\n" + "\n".join(lines) + "\n"


def _fusion(models: Sequence[Found]) -> str:
    first, last = models[0].name, models[-1].name
    panel = yaml.safe_dump(found.panel(models), default_flow_style=True, width=10_000).strip()
    alone = "# one model, three independent answers: put a second provider in for more views" if len(models) == 1 else ""
    health = "    model_info:\n      disable_background_health_check: true # a health check should never pay for a panel\n"
    judge = "" if len(models) == 1 else f"        judge: {last} # who compares the answers\n"
    return (
        "\n  # ── Fusion models: clients call them like any other model. ──\n"
        "  # Open questions that deserve several views; everything else goes to one model by itself.\n"
        "  - model_name: fusion/research\n    litellm_params:\n"
        "      model: fusion/research # the part after the slash picks the preset\n"
        "      fusion_config: # whoever may use the model can read this in /model/info: no secrets\n"
        f"        panel: {panel} {alone}".rstrip()
        + f"\n{judge}        synthesizer: {first} # who writes the one answer\n"
        "        limits: {max_cost_usd: 3.00} # the most that one request may cost\n"
        "        overrides: {mode: [force], aggregate: true, limits: true, progress: true, client_trace: true}\n"
        f"{health}"
        "  # The same for everyday chats: fuses less often.\n"
        "  - model_name: fusion/general\n    litellm_params:\n      model: fusion/general\n      fusion_config:\n"
        f"        panel: {panel}\n        direct: {first} # where requests go that one model can answer\n{health}\n"
    )
