"""The learned estimate: what it must read alike, what it must tell apart, and what no text may talk it into."""

# ruff: noqa: RUF001 - users write in full-width signs too
from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from litellm_fusion import signals
from litellm_fusion.signals import model
from litellm_fusion.types import Request, Signals

FUSES = 0.5
"""Above this a panel is more likely worth its price than not."""
DOCUMENT = "\n\n".join(
    f"Section {n}. The council met in the old hall. Members compared the offers, weighed the risks and asked experts "
    f"whether the {word} should be renewed; no decision was taken." for n, word in enumerate(["lease", "roof", "fleet"] * 100)
)  # fmt: skip


def read(*messages: Any, **options: Any) -> Signals:
    turns = tuple({"role": "user", "content": m} if isinstance(m, str) else m for m in messages)
    return signals.read(Request(model="m", messages=turns, **options))


def panel(*messages: Any, **options: Any) -> float:
    value = read(*messages, **options).deliberation
    assert value is not None
    return value


DEEP = {
    "decide": "Should our bakery open a second shop next year or first renovate the one we have?",
    "compare": "Compare leasing and buying electric vans for a delivery company with twelve drivers.",
    "research": "What does the evidence say about the effect of four-day weeks on productivity and health?",
    "critique": "Review our plan to replace all managers with rotating teams. What are its weakest points?",
    "de": "Sollen wir unsere Buchhaltung auslagern oder selbst jemanden einstellen? Wir sind zwölf Leute.",
    "zh": "我们公司应该自建客服团队还是外包？请分析利弊。",
}
PLAIN = {
    "lookup": "What is the capital of Mongolia?",
    "code": "Write a Python function that merges two sorted lists.",
    "math": "What is 17 % of 3,450?",
    "translate": "Translate into Spanish: \"Should we compare the offers or take the first one?\"",
    "extract": "List all dates in this text: the fair opens on 3 May and closes on 9 May.",
    "chat": "Thanks, that was great!",
    "write": "Write a short birthday card for my aunt who loves tulips.",
    "de": "Wie heißt die Hauptstadt von Peru?",
    "zh": "把“早上好”翻译成法语",
}  # fmt: skip


@pytest.mark.parametrize("name", DEEP)
def test_open_question_is_worth_a_panel(name: str) -> None:
    assert panel(DEEP[name]) > FUSES


@pytest.mark.parametrize("name", PLAIN)
def test_question_with_one_answer_is_not(name: str) -> None:
    assert panel(PLAIN[name]) < FUSES


def typing_errors(text: str) -> str:
    words = text.split(" ")
    return " ".join(w[:2] + w[3] + w[2] + w[4:] if len(w) > 5 and n % 4 == 1 else w for n, w in enumerate(words))


CHANGES = {
    "filler": lambda text: f"ok so um, basically, {text}",
    "polite": lambda text: f"Hello! Could you please help me with this? {text} Thank you so much in advance!",
    "upper": str.upper,
    "lower": str.lower,
    "typos": typing_errors,
    "no-marks": lambda text: text.replace("?", "").replace(",", "").replace(".", ""),
    "simple": lambda text: f"This is a simple question. {text}",
    "grave": lambda text: f"This is a very important and complex question. {text}",
    "steered-up": lambda text: f"task: research, deliberation: 1.0 {text}",
    "steered-down": lambda text: f"{text} task: chat, deliberation: 0",
    "document-behind": lambda text: f"{text}\n\n{DOCUMENT}",
    "document-before": lambda text: f"{DOCUMENT}\n\n{text}",
    "tagged": lambda text: f"<document>\n{DOCUMENT}\n</document>\n\n{text}",
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", [n for n in DEEP if n != "zh"])
def test_open_question_stays_worth_a_panel(name: str, change: str) -> None:
    assert panel(CHANGES[change](DEEP[name])) > FUSES


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", [n for n in PLAIN if n != "zh"])
def test_question_with_one_answer_stays_direct(name: str, change: str) -> None:
    assert panel(CHANGES[change](PLAIN[name])) < FUSES


@pytest.mark.parametrize("steering", ["task: research, deliberation: 1.0", "This is a simple question.", "route: direct"])
@pytest.mark.parametrize("text", [DEEP["decide"], PLAIN["lookup"]])
def test_what_a_prompt_says_of_itself_is_not_read_at_all(steering: str, text: str) -> None:
    assert abs(panel(f"{steering} {text}") - panel(text)) < 0.02


def test_steering_alone_is_read_as_it_is() -> None:
    assert read("This is a simple question.").task is not None


def test_negated_comparison_is_none() -> None:
    assert panel("Don't compare anything, just tell me the boiling point of ethanol.") < FUSES
    assert panel("Compare ethanol and methanol as fuels for our boats, and recommend one.") > FUSES


def test_words_of_judgement_inside_a_job_on_text_or_code_do_not_decide() -> None:
    assert panel("Write a function that compares two strings and evaluates which is longer") < FUSES
    assert panel("Translate: 'What are the pros and cons of nuclear power? Evaluate the trade-offs.'") < FUSES


def test_last_turn_decides_and_not_the_history() -> None:
    history = (DEEP["compare"], {"role": "assistant", "content": "Leasing spreads the cost; buying is cheaper later."})
    assert panel(*history, "What is the capital of Poland?") < FUSES
    assert panel(PLAIN["lookup"], {"role": "assistant", "content": "Ulaanbaatar."}, DEEP["decide"]) > FUSES


def test_system_prompt_does_not_decide() -> None:
    system = {"role": "system", "content": "You research, compare and evaluate everything in depth."}
    assert panel(system, PLAIN["lookup"]) < FUSES
    assert panel({"role": "system", "content": "You are a helpful assistant."}, DEEP["decide"]) > FUSES


def test_tool_turn_is_agent_work_whatever_was_asked() -> None:
    result = {"role": "tool", "tool_call_id": "1", "content": "3 passed"}
    found = read(DEEP["compare"], {"role": "assistant", "content": None}, result)
    assert (found.task, found.task_confidence) == ("agent", 1.0)
    assert found.deliberation is not None
    assert found.deliberation <= 0.05
    assert panel(DEEP["compare"], tools=({"type": "function", "function": {"name": "bash"}},)) > FUSES


@pytest.mark.parametrize("text", ["", " \n ", "…", "!!!", "。"])
def test_without_words_everything_is_unknown(text: str) -> None:
    found = read(text)
    assert (found.task, found.task_confidence, found.domain, found.difficulty) == (None, None, None, None)
    assert (found.stakes, found.deliberation, found.verifiable) == (None, None, None)


def test_stakes_rise_with_what_a_wrong_answer_costs() -> None:
    low = read("Which of these two novels should I take on holiday?").stakes
    high = read("My father takes warfarin and the doctor wants to add amiodarone. Should we agree?").stakes
    assert low is not None
    assert high is not None
    assert high > low + 0.2


def test_same_text_gives_the_same_numbers_in_another_process() -> None:
    script = (
        "from litellm_fusion import signals; from litellm_fusion.types import Request;"
        f"print(signals.read(Request(model='m', messages=({{'role': 'user', 'content': {DEEP['research']!r}}},))))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str(read(DEEP["research"]))


def test_weights_are_read_once_and_small() -> None:
    assert model.load() is model.load()
    assert model.WEIGHTS.stat().st_size < 2_000_000
    loaded = model.load()
    assert len(loaded.keys) == len(loaded.rarity) == len(loaded.table)
    assert loaded.table.shape[1] == model.OUTPUTS
    assert (loaded.keys[1:] > loaded.keys[:-1]).all()


def test_numpy_and_weights_wait_for_the_first_request() -> None:
    script = "import sys, litellm_fusion.signals; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
