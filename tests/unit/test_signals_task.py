"""The lexical estimate of the task: what weighs, what must not, and housekeeping."""

# ruff: noqa: RUF001 - users write in full-width signs too
from __future__ import annotations

from typing import Any

import pytest

from litellm_fusion import signals
from litellm_fusion.signals import lexicon, topics
from litellm_fusion.signals.conversation import plain
from litellm_fusion.types import Request, Signals

FUSES = 0.6
"""Above this the shipped policies take a panel."""
PASTE = "\n".join(
    f"Paragraph {n}: we compare, research and evaluate the trade-offs that experts should weigh." for n in range(600)
)


def read(*messages: Any, **options: Any) -> Signals:
    turns = tuple({"role": "user", "content": m} if isinstance(m, str) else m for m in messages)
    return signals.read(Request(model="m", messages=turns, **options))


def number(value: float | None) -> float:
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("research", "What are the long-term effects of remote work on productivity? Cite evidence."),
        ("research", "Investigate the causes of the 2008 financial crisis"),
        ("research", "Analysiere die Auswirkungen der Inflation auf den Mittelstand"),
        ("research", "Investiga los efectos de las redes sociales en adolescentes"),
        ("research", "请深入研究远程办公对生产力的影响"),
        ("compare", "Compare Postgres and MongoDB for our analytics workload"),
        ("compare", "Vergleiche Wärmepumpe und Gasheizung für ein Altbau-Haus"),
        ("compare", "Quels sont les avantages et inconvénients du nucléaire ?"),
        ("compare", "比较一下租房和买房的优缺点"),
        ("compare", "電気自動車とハイブリッド車を比較してください"),
        ("critique", "Critique this business plan: we sell ice to penguins"),
        ("critique", "What do you think of my essay's argument? Poke holes in it."),
        ("decide", "Should I accept the job in Berlin or stay in Madrid?"),
        ("decide", "Soll ich meine Altersvorsorge in Aktien oder Anleihen anlegen?"),
        ("decide", "Devrais-je acheter ou louer un appartement à Paris ?"),
        ("decide", "¿Debería aceptar la oferta de trabajo o quedarme?"),
        ("decide", "我应该买房还是租房？"),
        ("decide", "家を買うべきか、借りるべきか？"),
    ],
)
def test_open_ended_question_deliberates(task: str, text: str) -> None:
    found = read(text)
    assert found.task == task
    assert number(found.deliberation) >= 0.65
    assert found.verifiable is False


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("lookup", "What is the capital of France?"), ("lookup", "Who wrote Hamlet?"),
        ("lookup", "Wer war der erste Bundeskanzler?"),
        ("lookup", "¿Cuál es la capital de Perú?"), ("lookup", "法国的首都是哪里？"),
        ("lookup", "フランスの首都はどこですか"),
        ("lookup", "Which is bigger, Lake Victoria or Lake Superior?"), ("chat", "Hi, how are you?"),
        ("chat", "Danke!"), ("chat", "你好"),
        ("translate", "Translate \"good morning\" to Spanish"),
        ("translate", "Übersetze ins Englische: Soll ich kündigen?"),
        ("translate", "Translate this into German: Should we compare several experts' opinions?"),
        ("translate", "把这句话翻译成英文：我应该买房吗"),
        ("extract", "Summarize the pros and cons in this article"),
        ("extract", "Extract all dates from the text below"), ("extract", "请总结这篇文章"),
        ("math", "What is 17% of 340?"), ("math", "Solve for x: 3x + 5 = 20"), ("math", "Berechne 12 * 34"),
        ("math", "计算 25 乘以 4 等于多少"),
        ("code", "Write a Python function that reverses a linked list"),
        ("code", "Fix this bug: TypeError: 'NoneType' object is not subscriptable"),
        ("code", "写一个函数来反转链表"), ("write", "Write a poem about autumn"),
        ("write", "Draft an email to my boss asking for a raise"),
    ],
)  # fmt: skip
def test_closed_task_does_not_deliberate(task: str, text: str) -> None:
    found = read(text)
    assert found.task == task
    assert number(found.deliberation) < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "Review my code for design problems:\n```python\ndef f(x): return x\n```",
        "Review this architecture: our services talk over Kafka",
        "How would you design the database schema and API of a chat backend?",
    ],
)
def test_judgement_about_software_deliberates_moderately(text: str) -> None:
    found = read(text)
    assert found.domain == "software"
    assert 0.4 <= number(found.deliberation) <= 0.7
    assert number(found.deliberation) > number(read("Write a Python function that reverses a list").deliberation)


@pytest.mark.parametrize(
    ("text", "verifiable"),
    [
        ("What is 17% of 340?", True),
        ("Who wrote Hamlet?", True),
        ("Which statement holds?\nA) all of them\nB) none of them\nC) one of them", True),
        ("Is the theorem true or false?", True),
        ("Prove that the square root of 2 is irrational", False),
        ("Compare A and B", False),
        ("Write a poem about autumn", False),
    ],
)
def test_verifiable_is_what_has_a_short_checkable_answer(text: str, verifiable: bool) -> None:
    assert read(text).verifiable is verifiable


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Can my landlord evict me without notice?", "law"),
        ("Darf mir mein Vermieter kündigen? Brauche ich einen Anwalt?", "law"),
        ("Is 800 mg of ibuprofen a safe dose?", "medicine"), ("孕妇可以吃这种药吗？有什么症状？", "medicine"),
        ("How do I rebalance my ETF portfolio?", "finance"),
        ("住宅ローンは固定金利と変動金利のどちらがいいですか", "finance"),
        ("How does CRISPR edit a genome?", "science"),
        ("Why does my Kubernetes pod restart?", "software"), ("What should I cook tonight?", "other"),
        ("Plan a multi-tenant birthday", "other"),
    ],
)  # fmt: skip
def test_domain_goes_by_its_words(text: str, domain: str) -> None:
    assert read(text).domain == domain


def test_stakes_rise_with_the_harm_and_with_the_person() -> None:
    idle = number(read("Recommend a novel about the sea").stakes)
    topic = number(read("How does warfarin work?").stakes)
    personal = number(read("Can I take ibuprofen with warfarin?").stakes)
    assert idle == 0.0
    assert 0.0 < topic < 0.6
    assert personal > 0.7
    assert number(read("I have chest pain. Should I wait until tomorrow?").stakes) > 0.7
    assert number(read("Write a poem about chest pain").stakes) < 0.5


def test_difficulty_rises_from_small_talk_to_proof() -> None:
    levels = [number(read(text).difficulty) for text in (
        "Hi!", "Explain how a fridge works",
        "Prove that the consensus algorithm is optimal in an asynchronous distributed system")]  # fmt: skip
    assert levels == sorted(levels)
    assert levels[-1] > 0.5 > levels[0]


@pytest.mark.parametrize(
    "steering",
    [
        "task: research, deliberation: 1.0", "task: chat", "deliberation=0", "difficulty: 1.0",
        "This is a simple question.", "This is a very complex research task.",
        "stakes: 0.9", "Classify this as research.", "Treat this request as a lookup.", "Das ist eine einfache Frage.",
        "这是一个很复杂的问题。", "route: direct",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "question", ["What is the capital of France?", "Compare solar and nuclear power for Poland", "我应该买房还是租房？"]
)
def test_what_a_prompt_says_of_itself_changes_nothing(steering: str, question: str) -> None:
    def estimate(text: str) -> tuple[Any, ...]:
        found = read(text)
        return (
            found.task,
            found.deliberation,
            found.difficulty,
            found.stakes,
            found.domain,
            found.verifiable,
            found.task_confidence,
        )

    assert estimate(f"{steering} {question}") == estimate(question)
    assert estimate(f"{question} {steering}") == estimate(question)


def test_long_paste_does_not_decide() -> None:
    assert read(f"Translate this to German:\n\n{PASTE}").task == "translate"
    assert read(f"Summarize this document.\n\n{PASTE}").task == "extract"
    assert read(f"{PASTE}\n\nWho wrote this text?").task == "lookup"
    assert read(f"<document>{PASTE}</document>\nWho wrote this text?").task == "lookup"
    assert read(f"```\n{PASTE}\n```\nWho wrote this text?").task == "lookup"


def test_question_before_or_behind_a_long_paste_still_deliberates() -> None:
    dull = "\n".join(f"Row {n}: blue, round, nine." for n in range(3000))
    assert number(read(f"Which of these two options should I choose, and why?\n{dull}").deliberation) > FUSES
    assert number(read(f"{dull}\nCompare both tables and weigh the trade-offs.").deliberation) > FUSES


def test_last_turn_decides_and_not_the_history() -> None:
    history = ("Compare solar and nuclear power for Poland", {"role": "assistant", "content": "Solar..."})
    found = read(*history, "What is the capital of Poland?")
    assert found.task == "lookup"
    assert number(found.deliberation) < 0.5


def test_followup_without_words_of_its_own_inherits_weakly() -> None:
    question = "Compare solar and nuclear power for Poland"
    followup = read(question, {"role": "assistant", "content": "Solar..."}, "and for Spain?")
    assert followup.task == "compare"
    assert number(followup.task_confidence) < number(read(question).task_confidence)


def test_system_prompt_does_not_decide() -> None:
    system = {"role": "system", "content": "You research, compare and evaluate everything in depth."}
    assert read(system, "What is the capital of France?").task == "lookup"


def test_tool_turn_and_orders_to_an_agent_are_agent_work() -> None:
    tool = {"type": "function", "function": {"name": "bash"}}
    result = {"role": "tool", "tool_call_id": "1", "content": "3 passed"}
    assert read("Fix the failing tests", {"role": "assistant", "content": None}, result, tools=(tool,)).task == "agent"
    assert read("Run the tests and commit the result", tools=(tool,)).task == "agent"
    assert read("Compare solar and nuclear power for Poland", tools=(tool,)).task == "compare"
    assert number(read("Fix the bug", {"role": "assistant", "content": None}, result, tools=(tool,)).deliberation) < 0.5


def _phrases(source: dict[str, lexicon.Cues]) -> list[str]:
    return [p.strip() for cues in source.values() for _, listed in cues for p in listed.split(";")]


def test_every_phrase_is_in_the_form_that_texts_are_compared_in() -> None:
    listed = _phrases(lexicon.TASKS) + _phrases(topics.DOMAINS) + _phrases({"stakes": topics.STAKES})
    for text in (lexicon.DESIGN, lexicon.OPEN_ENDED, lexicon.HARD, topics.PERSONAL):
        listed += [p.strip() for p in text.split(";")]
    assert [p for p in listed if plain(p).strip() != p.rstrip("*")] == []
