"""Whose signed thinking a history holds, and which of it a model may see again.

Providers sign thinking for one model and for the very conversation that it stood in; a block that fits neither is
refused. What a synthesizer thought stood behind the panel's answers, which no history repeats, so its signature carries
a mark of ours with the model's name. The rules, without any state:

1. Marked thinking goes back to the model that the mark names, inside an open tool loop only; the mark comes off. Models
   that think adaptively can do without, and the newest refuse what stood in another conversation: they get none.
2. Unmarked thinking goes back where one model alone answers directly, so that it must be the one that thought it, and
   inside an open tool loop, which has one model. Elsewhere it goes.
3. Members see none: it is another model's, or another conversation's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litellm_fusion.types import Message

_MARK = "fusion|signed|"
_BLOCKS = ("thinking", "redacted_thinking")
_PROOF = {"thinking": "signature", "redacted_thinking": "data"}
_RESULTS = ("tool_result", "function_call_output", "custom_tool_call_output", "computer_call_output")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is to read a history. `sole`: no other model answers directly. `unsigned`: it takes thinking without a signature.
    `needs_loop`: a provider that was told to think refuses a loop's call without the thinking before it.
    """

    model: str
    sole: bool = True
    unsigned: bool = True
    needs_loop: bool = True


def marked(blocks: Any, model: str) -> Any:
    """Thinking blocks with our mark on every signature: `model` wrote them in a fused run."""
    if not isinstance(blocks, list | tuple):
        return blocks
    return [_with_proof(block, f"{_MARK}{model}|{proof}") if (proof := _proof(block)) else block for block in blocks]


def unthought(messages: Sequence[Message]) -> tuple[Message, ...]:
    """A chat's messages without anybody's thinking. Messages without any are the same objects."""
    return tuple(_unthought(message) for message in messages)


def replayed(messages: Sequence[Any], reader: Reader) -> list[Any]:
    """A history, in any API's form, with the thinking that its reader may see again. Untouched turns are the same objects."""
    loop = loop_start(messages)
    kept = (_replayed(turn, reader, at >= loop) for at, turn in enumerate(messages))
    return [turn for turn in kept if turn is not None]


def clean(body: dict[str, Any], reader: Reader) -> None:
    """The same for a request's body, which is changed. Bodies without thinking stay as they are."""
    for key in ("messages", "input"):
        turns = body.get(key)
        if isinstance(turns, list) and any(_thinks(turn) for turn in turns):
            body[key] = replayed(turns, reader)


def loop_start(messages: Sequence[Any]) -> int:
    """Where the open tool loop begins: behind the user's last words if the history ends in a tool's result, else at its
    end.
    """
    last = next((turn for turn in reversed(messages) if _role(turn) not in ("system", "developer")), None)
    if last is None or not _is_result(last):
        return len(messages)
    spoken = (at for at in range(len(messages) - 1, -1, -1) if _role(messages[at]) == "user" and not _is_result(messages[at]))
    return next(spoken, -1) + 1


def _replayed(turn: Any, reader: Reader, in_loop: bool) -> Any:
    if not _thinks(turn):
        return turn
    kept = _kept(turn, reader, in_loop)
    return turn if kept == turn else kept


def _kept(turn: Any, reader: Reader, in_loop: bool) -> Any:
    native = reader.sole or in_loop

    def allowed(block: Any) -> Any:
        if not isinstance(block, Mapping) or block.get("type") not in _BLOCKS:
            return block
        proof = _proof(block)
        if proof is None:
            return block if reader.unsigned else None
        if not proof.startswith(_MARK):
            return block if native else None
        maker, _, original = proof.removeprefix(_MARK).rpartition("|")
        fits = in_loop and reader.needs_loop and maker == reader.model
        return _with_proof(block, original) if fits else None

    result = dict(turn)
    if turn.get("type") == "reasoning":
        blocks = _encoded(turn["encrypted_content"])
        if blocks is None:
            return turn if native else None
        kept = [block for one in blocks if (block := allowed(one)) is not None]
        result["encrypted_content"] = json.dumps(kept, separators=(",", ":"))
        return result if kept else None
    for key in ("content", "thinking_blocks"):
        if isinstance(turn.get(key), list):
            result[key] = [block for one in turn[key] if (block := allowed(one)) is not None]
    if not result.get("thinking_blocks", True):
        del result["thinking_blocks"]
    return None if result.get("content") == [] and turn.get("content") and not result.get("tool_calls") else result


def _unthought(message: Message) -> Message:
    if not _thinks(message) and "reasoning_content" not in message:
        return message
    result = {key: value for key, value in message.items() if key not in ("thinking_blocks", "reasoning_content")}
    if isinstance(message.get("content"), list):
        result["content"] = [part for part in message["content"] if not _is_thinking(part)] or ""
    return result


def _thinks(turn: Any) -> bool:
    """Whether a turn holds thinking blocks, or a reasoning item's encrypted content."""
    if not isinstance(turn, Mapping):
        return False
    content = turn.get("content")
    return (
        bool(turn.get("thinking_blocks"))
        or (turn.get("type") == "reasoning" and isinstance(turn.get("encrypted_content"), str))
        or (isinstance(content, list) and any(_is_thinking(part) for part in content))
    )


def _is_thinking(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") in _BLOCKS


def _is_result(turn: Any) -> bool:
    if not isinstance(turn, Mapping):
        return False
    if turn.get("role") in ("tool", "function") or turn.get("type") in _RESULTS:
        return True
    content = turn.get("content")
    return isinstance(content, list) and any(isinstance(part, Mapping) and part.get("type") in _RESULTS for part in content)


def _role(turn: Any) -> Any:
    return turn.get("role") if isinstance(turn, Mapping) else None


def _proof(block: Any) -> str | None:
    """What proves a block to its provider: a signature, or the data of a redacted one."""
    proof = block.get(_PROOF.get(str(block.get("type")), "")) if isinstance(block, Mapping) else None
    return proof if isinstance(proof, str) and proof else None


def _with_proof(block: Mapping[str, Any], proof: str) -> dict[str, Any]:
    return {**block, _PROOF[block["type"]]: proof}


def _encoded(content: str) -> list[Any] | None:
    """The thinking blocks that LiteLLM's Responses bridge wrote into an encrypted content; None for a provider's own."""
    try:
        blocks = json.loads(content)
    except ValueError:
        return None
    return blocks if isinstance(blocks, list) else None
