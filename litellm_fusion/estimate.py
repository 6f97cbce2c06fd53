"""What a decided request would call, and what that would cost: (config, lineup, decision) → Estimate. Nobody is asked.

Two figures per call: the expected one assumes EXPECTED_TOKENS of output, the worst one every token that the call may
write. Judge repairs, reserves, backups, retries and the price of searches are in neither: they come up to
`limits.max_cost_usd`. A member with web tools is expected to take RESEARCH_TURNS turns before it answers, at worst one per
call that it may make, each reading everything before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from litellm_fusion import params
from litellm_fusion.config import FusionConfig, Tools
from litellm_fusion.limits import PANEL_SHARE, Price, fitting
from litellm_fusion.lineup import Lineup, Seat
from litellm_fusion.models import Models
from litellm_fusion.room import BYTES_PER_TOKEN, conversation_tokens, has_image
from litellm_fusion.toolcalls import names
from litellm_fusion.types import UNLIMITED, Decision, Request, Role

EXPECTED_TOKENS = 700
"""Output of a typical call: a page of text."""
RESEARCH_TURNS = 2
WORDS_OF_OURS = 600
"""Tokens that our own instructions and fences add for the judge and for the synthesizer."""


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """Calls of one role to one model: `count` of them as a rule, `at_most` so many. Money is US dollars for all of
    them, the worst case for `at_most`; None where the price, or the most that the call may write, is unknown.
    """

    role: Role
    model: str
    count: int
    at_most: int
    prompt_tokens: int
    estimated_cost_usd: float | None
    worst_case_cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """The calls in order, who is left out and why, and the sums. `direct_cost_usd` is what one direct call would cost.

    The worst case counts the operator's ceiling: a run stops asking when it is reached.
    """

    calls: tuple[PlannedCall, ...]
    left_out: tuple[tuple[str, str], ...]
    estimated_cost_usd: float | None
    worst_case_cost_usd: float | None
    direct_cost_usd: float | None


def estimate(config: FusionConfig, lineup: Lineup, decision: Decision, request: Request, models: Models) -> Estimate:
    """What this decision would call and cost. Prices are LiteLLM's; one unknown price makes its sums None."""
    prompt = conversation_tokens(request.messages, request.tools)
    direct = _planned("direct", lineup.direct, models, prompt, params.for_synthesizer(request.params, None)[1])
    calls: tuple[PlannedCall, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    if decision.use == "fuse":
        calls, left_out = _fused(config, lineup, request, models, prompt)
    if not calls and decision.use != "refuse":
        calls = (direct,)
    ceiling = config.limits.max_cost_usd if decision.use == "fuse" else None
    worst = _sum([call.worst_case_cost_usd for call in calls])
    if worst is not None and ceiling is not None:
        worst = min(worst, ceiling)
    expected = _sum([call.estimated_cost_usd for call in calls])
    return Estimate(calls, left_out, expected, worst, direct.estimated_cost_usd)


def _fused(
    config: FusionConfig, lineup: Lineup, request: Request, models: Models, prompt: int
) -> tuple[tuple[PlannedCall, ...], tuple[tuple[str, str], ...]]:
    """Members, judge and synthesizer; no calls at all when too few members would be left for a panel."""
    able, left_out = _able(lineup.seats, request, models, prompt)
    budget = request.caller.budget_left_usd
    ceilings = [usd for usd in (config.limits.max_cost_usd, budget) if usd is not None and usd != UNLIMITED]
    panel_usd = min(ceilings) * PANEL_SHARE if ceilings else None
    limit = config.limits.max_completion_tokens
    kept, most = fitting([models.price(seat.model) for seat in able], prompt, limit, panel_usd)
    left_out += [(seat.model, "over_limit") for position, seat in enumerate(able) if position not in kept]
    if len(kept) < min(2, len(able)) or len(kept) < config.limits.min_answers:
        return (), tuple(left_out)
    seats = [able[position] for position in kept]
    limits = [_least(params.for_member(seat.params, request.params, limit)[1], most) for seat in seats]
    groups = Counter((seat.model, tokens, _web(config, seat, models)) for seat, tokens in zip(seats, limits, strict=True))
    calls = []
    for (model, tokens, tools), count in groups.items():
        turns, at_most = (1 + RESEARCH_TURNS, 1 + tools.max_calls) if tools is not None else (1, 1)
        page = 0 if tools is None else int(tools.max_page_chars / BYTES_PER_TOKEN)
        # Each turn reads what came before it: on average half of all pages.
        read, read_at_most = prompt + page * RESEARCH_TURNS // 2, prompt + page * (at_most - 1) // 2
        calls.append(_planned("member", model, models, read, tokens, count * turns, count * at_most, read_at_most))
    return (*calls, *_after_the_panel(config, lineup, request, models, prompt, limits)), tuple(left_out)


def _after_the_panel(
    config: FusionConfig, lineup: Lineup, request: Request, models: Models, prompt: int, limits: Sequence[int | None]
) -> list[PlannedCall]:
    """The judge's and the synthesizer's calls over answers of at most `limits` tokens each."""
    bound = bool(request.tools) or request.params.get("response_format") not in (None, {"type": "text"})
    voting = config.aggregate == "vote" and not bound
    if len(limits) == 1 and not bound:
        return []
    read = prompt + WORDS_OF_OURS + len(limits) * EXPECTED_TOKENS
    read_at_most = _answers_at_most(limits, config)
    read_at_most = None if read_at_most is None else prompt + WORDS_OF_OURS + read_at_most
    limit = config.limits.max_completion_tokens
    calls = []
    if lineup.judges and len(limits) > 1:
        expected = 0 if voting else 1  # a clear majority needs no judge
        calls.append(_planned("judge", lineup.judges[0], models, read, limit, expected, 1, read_at_most))
    picks = config.aggregate != "synthesis" and not bound and bool(lineup.judges)
    if lineup.synthesizers:
        most = params.for_synthesizer(request.params, limit)[1]
        if lineup.judges:
            read, read_at_most = read + EXPECTED_TOKENS, _add(read_at_most, limit)
        expected = 0 if picks or voting else 1
        calls.append(_planned("synthesizer", lineup.synthesizers[0], models, read, most, expected, 1, read_at_most))
    return calls


def _planned(
    role: Role, model: str, models: Models, prompt: int, most: int | None, count: int = 1, at_most: int | None = None,
    prompt_at_most: int | None = -1,
) -> PlannedCall:  # fmt: skip
    """`prompt_at_most` is the worst case's prompt; -1 when the prompt is known, None when it has no bound."""
    at_most = count if at_most is None else at_most
    prompt_at_most = prompt if prompt_at_most == -1 else prompt_at_most
    price: Price | None = models.price(model)
    expected = worst = None
    if price is not None:
        expected = count * price.cost(prompt, EXPECTED_TOKENS if most is None else min(most, EXPECTED_TOKENS))
        if most is not None and prompt_at_most is not None:
            worst = at_most * price.cost(prompt_at_most, most)
    return PlannedCall(role, model, count, at_most, prompt, expected, worst)


def _web(config: FusionConfig, seat: Seat, models: Models) -> Tools | None:
    """The function tools that a seat is offered, or None."""
    facts = models.facts(seat.model)
    offered = isinstance(config.tools, Tools) and seat.tools and not (facts is not None and facts.tools is False)
    return config.tools if isinstance(config.tools, Tools) and offered and names(config.tools) else None


def _able(seats: Sequence[Seat], request: Request, models: Models, prompt: int) -> tuple[list[Seat], list[tuple[str, str]]]:
    """The seats that can serve the request, and the others with the reason."""
    images = any(has_image(message) for message in request.messages)
    able: list[Seat] = []
    left_out: list[tuple[str, str]] = []
    for seat in seats:
        facts = models.facts(seat.model)
        if facts is None:
            left_out.append((seat.model, "no_such_model"))
        elif images and facts.vision is False:
            left_out.append((seat.model, "no_images"))
        elif facts.window is not None and prompt > facts.window:
            left_out.append((seat.model, "context_window"))
        else:
            able.append(seat)
    return able, left_out


def _answers_at_most(limits: Sequence[int | None], config: FusionConfig) -> int | None:
    chars = config.limits.max_answer_chars
    ceiling = None if chars is None else int(chars / BYTES_PER_TOKEN)
    known = [limit for limit in limits if limit is not None]
    return _least(sum(known) if len(known) == len(limits) else None, ceiling)


def _least(*values: int | None) -> int | None:
    return min((value for value in values if value is not None), default=None)


def _add(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else left + right


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
