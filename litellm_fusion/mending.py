"""Putting a fused answer into the format that the client demands: as it is → freed of what stands around it → one repair.

A native request's format is its provider's business; here a writer that was handed other people's answers is checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from litellm_fusion import contract, prompts
from litellm_fusion.run import Run
from litellm_fusion.types import Answer, Call, Completion, Reply


async def fitting(run: Run, call: Call, completion: Completion) -> Reply | None:
    """The reply, once it keeps the client's format: as it is, freed of fences and prose, or after one repair call."""
    form = contract.wanted(run.request.params)
    for repaired in (False, True):
        wrong = None if completion.tool_calls or completion.status == "truncated" else contract.problem(form, completion.text)
        if wrong is None or form is None:
            return Reply(
                text=completion.text, response=completion.response, finish_reason=completion.finish_reason,
                usage=completion.usage, thinker=call.model,
            )  # fmt: skip
        text = contract.freed(form, completion.text)
        if text is not None:
            run.recorder.step("synthesis", "lenient", f"{call.model}: text around the client's format")
            return Reply(text=text, usage=completion.usage)
        run.recorder.step("synthesis", "misfit" if repaired else "repair", f"{call.model}: not in the client's format")
        if not repaired:
            turns = prompts.repair_turns(completion.text, wrong)
            again = replace(call, messages=(*call.messages, *turns), timeout_seconds=run.seconds_for(1.0))
            completion = await run.client.complete(again)
    return None


def in_format(run: Run, answers: Sequence[Answer], form: contract.Contract) -> Reply | None:
    """The longest of the answers that happen to keep the client's format."""
    for answer in sorted(answers, key=lambda answer: -len(answer.text)):
        text = contract.freed(form, answer.text)
        if text is not None:
            run.recorder.route = "degraded"
            run.recorder.step("synthesis", "answer_in_format", f"{answer.model}, verbatim")
            return Reply(text=text, usage=answer.usage)
    return None
