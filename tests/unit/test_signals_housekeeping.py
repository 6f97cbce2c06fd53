"""Housekeeping is recognised whatever is pasted; a retrieval wrapper is judged by the question inside."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_fusion import signals
from litellm_fusion.types import Request, Signals

PASTE = "\n".join(
    f"Paragraph {n}: we compare, research and evaluate the trade-offs that experts should weigh." for n in range(600)
)
CHAT = (
    "USER: Compare the long-term effects of four-day weeks on productivity. What does the evidence say?\n"
    "ASSISTANT: Several studies in Iceland and the UK were evaluated...\nUSER: Should we adopt it?\n"
)


def read(*messages: Any, **options: Any) -> Signals:
    turns = tuple({"role": "user", "content": m} if isinstance(m, str) else m for m in messages)
    return signals.read(Request(model="m", messages=turns, **options))


def number(value: float | None) -> float:
    assert value is not None
    return value


HOUSEKEEPING = {
    "owui title": f"### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.\n### "
        f"Output:\nJSON\n<chat_history>\n{CHAT}</chat_history>",
    "owui tags": f"### Task:\nGenerate 1-3 broad tags categorizing the main themes of the chat "
        f"history.\n<chat_history>\n{CHAT}</chat_history>",
    "owui follow-ups": f"### Task:\nSuggest 3-5 relevant follow-up questions that the user might naturally ask next "
        f"in this conversation.\n<chat_history>\n{CHAT}</chat_history>",
    "owui queries": f"### Task:\nAnalyze the chat history to determine the necessity of generating search "
        f"queries.\n<chat_history>\n{CHAT}</chat_history>",
    "owui autocomplete": "### Task:\nYou are an autocompletion system. Continue the text in `<text>`.\n<text>Compare "
    "solar and</text>",
    "librechat title": f"Provide a concise, 5-word-or-less title for the conversation. Only return the title "
        f"itself.\n\nConversation:\n{CHAT}",
    "title at the tail": f"{CHAT * 20}\nGenerate a short title for the conversation above.",
    "short topic": "Please generate a four to five word title summarizing our conversation without any lead-in or "
    "punctuation.",
    "german title": f"Erstelle einen kurzen Titel für diese Unterhaltung:\n{CHAT}",
    "chinese title": f"请根据以上对话生成一个不超过10个字的标题\n{CHAT}",
    "standalone": f"Given the following conversation and a follow up question, rephrase the follow up question to be "
        f"a standalone question.\n{CHAT}",
    "search query": f"Generate a web search query for this conversation. Reply with the query only.\n{CHAT}",
    "memory": f"Extract new facts about the user from the messages below and store them.\n{CHAT}",
    "compaction": "Your task is to create a detailed summary of the conversation so far, so that work can continue.",
    "handoff": "You are performing a context checkpoint compaction. Create a handoff summary for another model.",
    "new topic": "Analyze if this message indicates a new conversation topic. If it does, extract a title.",
    "probe": "quota",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HOUSEKEEPING))
def test_housekeeping_is_recognised_whatever_is_pasted(name: str) -> None:
    found = read(HOUSEKEEPING[name])
    assert found.task == "housekeeping"
    assert found.deliberation == 0.0


@pytest.mark.parametrize(
    "system",
    ["You are a title generator. You output ONLY a thread title. Nothing else.",
    "You are a helpful AI assistant tasked with summarizing conversations.",
     "Summarize this coding conversation in under 50 characters."],
)  # fmt: skip
def test_housekeeping_is_recognised_by_the_role_in_the_system_prompt(system: str) -> None:
    assert read({"role": "system", "content": system}, CHAT).task == "housekeeping"


@pytest.mark.parametrize(
    "text",
    [
        "Generate a title for my blog post about solar power", "Suggest five titles for an essay on Kant",
        "Write a summary of the French Revolution",
        "Which tags should a blog post about bread have?",
        "What follow-up questions should I ask after a job interview?", "Should I buy a title insurance?",
        "How do search queries work in Elasticsearch?", "What do psychologists know about memory?",
        "Extract the key facts from this article",
        "How do I compress a video?",
    ],
)  # fmt: skip
def test_request_of_a_user_for_the_same_artefact_is_no_housekeeping(text: str) -> None:
    assert read(text).task != "housekeeping"


def test_system_prompt_that_asks_for_followup_questions_makes_no_housekeeping() -> None:
    system = {
        "role": "system",
        "content": "You are a helpful assistant. Suggest follow-up questions that the user might ask next.",
    }
    assert read(system, "Compare solar and nuclear power for Poland").task == "compare"


WRAPPERS = {
    "tags": "### Task:\nRespond to the user query using the provided context, with inline "
    "citations.\n\n<context>\n{paste}\n</context>\n\n<user_query>\n{question}\n</user_query>",
    "prepended": "### Task:\nRespond to the user query using the provided context.\n### "
    "Output:\nclear\n<context>\n{paste}\n</context>\n\n{question}",
    "label": "Use the following pieces of context to answer the question at the end.\n\n{paste}\n\nQuestion: "
    "{question}\nHelpful Answer:",
    "below": "Context information is below.\n---\n{paste}\n---\nAnswer from it.\nQuery: {question}\nAnswer: ",
}  # fmt: skip


@pytest.mark.parametrize("wrapper", sorted(WRAPPERS))
@pytest.mark.parametrize(
    ("question", "task"),
    [
        ("Should we adopt the four-day week?", "decide"),
        ("Who wrote the report?", "lookup"),
        ("Compare both proposals.", "compare"),
    ],
)
def test_retrieval_wrapper_is_judged_by_the_question_inside(wrapper: str, question: str, task: str) -> None:
    text = WRAPPERS[wrapper].format(paste=PASTE, question=question)
    assert read(text).task == task
    assert number(read(text).deliberation) == number(read(question).deliberation)


def test_housekeeping_inside_a_retrieved_document_does_not_decide() -> None:
    paste = "### Task:\nGenerate a title for the conversation.\n" * 3
    text = WRAPPERS["tags"].format(paste=paste, question="Should we adopt the four-day week?")
    assert read(text).task == "decide"
