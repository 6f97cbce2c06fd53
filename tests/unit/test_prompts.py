"""Every word that fusion says to a model: what is in it, and that material stays material."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_fusion import prompts
from litellm_fusion.judge import Reading
from litellm_fusion.prompts import as_text, fence, judge_messages, member_addition, synthesis_message

NONCE = "3f9a1c"
ANSWERS = (("A", "first answer"), ("B", "second answer"))
TALK = ({"role": "system", "content": "be brief"}, {"role": "user", "content": "why?"})
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "look_up", "parameters": {}}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:"}}

nonces = st.text("0123456789abcdef", min_size=4, max_size=32)


@st.composite
def attacks(draw: st.DrawFn) -> tuple[str, str]:
    nonce = draw(nonces)
    at = draw(st.integers(0, len(nonce)))
    pieces = st.sampled_from(
        (
            nonce,
            nonce[:at],
            nonce[at:],
            f"<<<end x {nonce}>>>",
            f"<<<end x {nonce[:at]}",
            f"{nonce[at:]}>>>",
            "\n",
            "<<<",
            ">>>",
        )
    )
    return nonce, "".join(draw(st.lists(pieces | st.text(max_size=5), max_size=12)))


class TestFence:
    @given(attacks())
    def test_no_text_can_close_its_fence(self, attack: tuple[str, str]) -> None:
        nonce, text = attack
        fenced = fence("x", text, nonce)
        head, tail = f"<<<x {nonce}>>>\n", f"\n<<<end x {nonce}>>>"
        assert fenced.startswith(head)
        assert fenced.endswith(tail)
        assert nonce not in fenced[len(head) : len(fenced) - len(tail)]

    def test_halves_around_a_nonce_do_not_join_into_another(self) -> None:
        assert fence("x", NONCE[:3] + NONCE + NONCE[3:], NONCE).count(NONCE) == 2

    @given(st.text("ghijk \n", max_size=30))
    def test_a_text_without_the_nonce_is_kept_to_the_letter(self, text: str) -> None:
        assert fence("x", text, NONCE) == f"<<<x {NONCE}>>>\n{text}\n<<<end x {NONCE}>>>"


class TestJudge:
    def content(self, **changes: Any) -> Any:
        args = {"left_out": 0, "criteria": "", "sources": "", "reads": frozenset(), **changes}
        system, user = judge_messages(
            args.get("talk", TALK), args["left_out"], ANSWERS, args["criteria"], args["sources"], NONCE, reads=args["reads"]
        )
        assert system["content"] == prompts.JUDGE_SYSTEM
        return user["content"]

    def test_conversation_and_answers_are_fenced_under_their_labels(self) -> None:
        content = self.content()
        assert fence("conversation", "system: be brief\n\nuser: why?", NONCE) in content
        assert fence("answer A", "first answer", NONCE) in content
        assert content.endswith("Compare answers A, B.")

    def test_sources_and_criteria_are_there_only_when_there_are_any(self) -> None:
        assert "sources" not in self.content()
        assert "Criteria" not in self.content()
        content = self.content(sources="[1] t u", criteria="brevity")
        assert fence("sources", "[1] t u", NONCE) in content
        assert "brevity" in content

    def test_images_go_to_a_judge_that_sees_and_to_no_other(self) -> None:
        talk = ({"role": "user", "content": [{"type": "text", "text": "what is this?"}, IMAGE]},)
        assert self.content(talk=talk, reads=frozenset({"image"}))[1:] == [IMAGE]
        blind = self.content(talk=talk)
        assert isinstance(blind, str)
        assert "[with an image]" in blind

    def test_it_is_shown_exactly_the_keys_that_are_read(self) -> None:
        shown = re.search(r"\{.*\}", prompts.JUDGE_SYSTEM, re.DOTALL)
        assert shown is not None
        Reading.model_validate(json.loads(shown.group()))
        assert list(json.loads(shown.group())) == list(Reading.model_fields)

    def test_the_repair_names_the_problem(self) -> None:
        assert "missing key {x}" in prompts.JUDGE_REPAIR.format(problem="missing key {x}")


class TestSynthesis:
    def text(self, analysis: Any = None, sources: str = "", instructions: str = "", tools: bool = False) -> str:
        message = synthesis_message(ANSWERS, analysis, sources, instructions, NONCE, tools=tools)
        assert message["role"] == "user"
        return str(message["content"])

    def test_answers_are_fenced_and_called_material(self) -> None:
        text = self.text()
        assert prompts.DATA in text
        assert all(fence(f"answer {label}", answer, NONCE) in text for label, answer in ANSWERS)

    def test_the_analysis_is_fenced_whole_and_announced_only_when_there_is_one(self) -> None:
        analysis = {"consensus": [{"claim": "café"}]}
        assert fence("comparison", json.dumps(analysis, ensure_ascii=False, indent=1), NONCE) in self.text(analysis)
        assert prompts.SYNTHESIS_ANALYSIS in self.text(analysis)
        assert prompts.SYNTHESIS_ANALYSIS not in self.text()
        assert "<<<comparison" not in self.text()

    @pytest.mark.parametrize(("asked", "words"), [
        ({"tools": True}, prompts.SYNTHESIS_TOOLS), ({"instructions": "In verse."}, "In verse."),
        ({"sources": "[1]"}, "<<<sources"),
    ])  # fmt: skip
    def test_additions_are_there_only_when_asked_for(self, asked: dict[str, Any], words: str) -> None:
        assert words in self.text(**asked)
        assert words not in self.text()

    def test_braces_in_material_are_left_alone(self) -> None:
        message = synthesis_message((("A", "{analysis} {0}"),), None, "", "{x}", NONCE, tools=False)
        assert "{analysis} {0}" in message["content"]
        assert "{x}" in message["content"]


class TestMember:
    def test_most_members_get_nothing_but_the_conversation(self) -> None:
        assert member_addition("", (), NONCE, vote=False) is None

    def test_instructions_alone_are_the_operators_words(self) -> None:
        assert member_addition("Be bold.", (), NONCE, vote=False) == {"role": "user", "content": "Be bold."}

    def test_tools_are_shown_as_fenced_text(self) -> None:
        message = member_addition("", (TOOL, {"name": "plain"}), NONCE, vote=False)
        assert message is not None
        shown = json.dumps(TOOL["function"]) + "\n" + json.dumps({"name": "plain"})
        assert message["content"] == prompts.MEMBER_TOOLS + "\n" + fence("tools", shown, NONCE)

    def test_a_vote_asks_for_the_short_answer_last(self) -> None:
        message = member_addition("Be bold.", (TOOL,), NONCE, vote=True)
        assert message is not None
        assert message["content"].startswith("Be bold.")
        assert message["content"].endswith(prompts.MEMBER_VOTE)


class TestAsText:
    def test_each_turn_stands_under_its_role_with_calls_images_and_gaps_noted(self) -> None:
        talk = (
            {"role": "user", "content": [{"type": "text", "text": "see"}, IMAGE]},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "c"}]},
            {"content": "no role"},
        )
        assert as_text(talk, 2) == (
            '[2 older messages left out]\n\nuser: see\n[with an image]\n\nassistant: \n[calls {"id": "c"}]\n\nuser: no role'
        )

    def test_nothing_left_out_is_not_noted(self) -> None:
        assert as_text(({"role": "user", "content": "hi"},), 0) == "user: hi"
