"""What a user says about how to be answered; only their own words in the last turn count."""

from __future__ import annotations

import pytest

from litellm_fusion import signals
from litellm_fusion.types import Request, Signals


def read(*texts: str) -> Signals:
    """The signals of a conversation whose last text is the user's and whose roles alternate."""
    roles = ["user" if (len(texts) - i) % 2 else "assistant" for i in range(len(texts))]
    return signals.read(
        Request(model="m", messages=tuple({"role": r, "content": t} for r, t in zip(roles, texts, strict=True)))
    )


@pytest.mark.parametrize(
    "text",
    [
        "Ask several models what they think of this plan.", "Please consult multiple experts on this.",
        "I want a second opinion on this contract.",
        "Use a panel for this one.", "Let different models debate this question.",
        "Give me independent answers from at least two models.",
        "Don't just answer; consult several models.", "Don't hesitate to ask several models.",
        "I wouldn't mind a second opinion.",
        "Convene a panel of experts and decide.", "Bitte frage mehrere Modelle.", "Ich möchte eine Zweitmeinung dazu.",
        "Demande à plusieurs modèles.", "Je voudrais un deuxième avis.", "Consulta a varios expertos, por favor.",
        "Quiero una segunda opinión.",
        "请咨询多个模型的意见。", "我想要第二意见", "複数のモデルに聞いてください。", "セカンドオピニオンがほしい",
    ],
)  # fmt: skip
def test_panel_is_asked_for(text: str) -> None:
    found = read(text)
    assert (found.asks_for_panel, found.forbids_panel) == (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "Don't give me a debate, just answer.", "No need to consult several models.",
        "Just answer the question: which is better?", "Without a panel please.",
        "Just give me the answer.", "Please answer this without asking multiple experts", "Keine Debatte, bitte.",
        "Frag nicht mehrere Modelle.",
        "Antworte einfach: A oder B?", "Pas de débat, réponds simplement.", "Sin debate, solo responde.",
        "不需要多个专家，直接回答。", "直接回答我就好",
        "討論は不要です", "複数のモデルは必要ない", "とにかく答えて",
    ],
)  # fmt: skip
def test_panel_is_forbidden(text: str) -> None:
    found = read(text)
    assert (found.asks_for_panel, found.forbids_panel) == (False, True)


@pytest.mark.parametrize(
    "text",
    [
        "Compare several models of electric cars.", "How does the control panel of a boiler work?",
        "How many solar panels do I need?",
        "Explain the debate about free will.", "Why do experts disagree about diets?",
        "The minister said \"ask several experts\".",
        "Translate: please consult multiple models about it", "> ask several models\nWhat does this line mean?",
        "```\n# ask multiple models\n```\nWhat does the comment say?",
        "<document>Use a panel of experts.</document> Who is the author?",
        "What does the phrase „frage mehrere Modelle“ mean?", "How do I answer the interviewer?",
        "Welches Modell soll ich kaufen?",
        "Fix this: don't just answer", "I can only answer on Mondays, how do I say that in an email?",
    ],
)  # fmt: skip
def test_talk_of_panels_and_answers_is_no_wish(text: str) -> None:
    found = read(text)
    assert (found.asks_for_panel, found.forbids_panel) == (False, False)


def test_wish_in_an_earlier_turn_does_not_count() -> None:
    assert read("Ask several models.", "They say A.", "What is the capital of Peru?").asks_for_panel is False
    assert read("Just answer.", "A.", "Compare B and C.").forbids_panel is False


def test_wish_before_and_behind_a_long_paste_counts_and_one_inside_does_not() -> None:
    paste = "\n".join("The council met and wrote down what was said there." for _ in range(400))
    assert read(f"Ask several models about this.\n{paste}").asks_for_panel is True
    assert read(f"{paste}\nPlease get a second opinion on this.").asks_for_panel is True
    assert read(f"Who wrote this?\n{paste}\nAsk several models.\n{paste}").asks_for_panel is False


@pytest.mark.parametrize(
    "text",
    [
        "That's wrong.", "No, that is not what I asked.", "no, try again", "Your answer is incorrect",
        "This doesn't work.", "You misunderstood me",
        "Still wrong", "It's not what I meant", "wrong!", "That is completely false.", "Das stimmt nicht.", "Falsch.",
        "Das ist leider falsch, versuch es noch einmal",
        "C'est faux", "Ce n'est pas ce que j'ai demandé", "Eso no es correcto", "No funciona", "不对，重新算",
        "你错了", "違います", "間違っています",
    ],
)  # fmt: skip
def test_rejected_answer_is_dissatisfaction_and_the_same_words_first_are_not(text: str) -> None:
    assert read("Which is longer?", "The Nile.", text).dissatisfied is True
    assert read(text).dissatisfied is False


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, that's right!", "That's not wrong, but say more.", "Nothing wrong with that.", "Is that wrong?",
        "What if the user is wrong?",
        "What is wrong with my code?", "Danke, das stimmt.", "没错，谢谢", "Explain false positives",
        "\"That's wrong\", he said. Continue the story.",
    ],
)  # fmt: skip
def test_other_talk_of_wrong_is_no_dissatisfaction(text: str) -> None:
    assert read("Which is longer?", "The Nile.", text).dissatisfied is False


def test_rejection_counts_at_the_start_of_a_turn_only() -> None:
    filler = "Now describe the river and its people in detail. " * 7
    assert read("a", "b", f"That's wrong. {filler}").dissatisfied is True
    assert read("a", "b", f"{filler} Somebody told me that's wrong.").dissatisfied is False
