"""The proxy's own budgets, by its own functions: what a caller has left, and a reservation for each inner call.

Rules that this file owns:
1. A fused request gives back what LiteLLM reserved for it when it came in, and reserves each inner call by itself: an
   exhausted budget stops a run in its middle, and concurrent runs cannot overshoot by more than plain requests would.
2. A reservation goes with its call and is settled by LiteLLM when it logs the call's cost. A call that failed or was
   cut short gives it back here.
3. Model budgets (`model_max_budget` of key, team, user, end user) bound inner calls as they bound plain requests.
4. Whatever LiteLLM refuses is LiteLLM's own BudgetExceededError. What can't be read is unknown and refuses nothing that
   LiteLLM let pass.

With `plugin.py` the only file that calls the proxy's functions. Nothing is imported from the proxy before a request
came in: only a running proxy has budgets.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import litellm

from litellm_fusion.errors import origin
from litellm_fusion.types import UNLIMITED

log = logging.getLogger("litellm_fusion")
ROUTE = "/v1/chat/completions"
"""What LiteLLM's functions are told that an inner call is."""
Reservation = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """Whose money one request's inner calls spend, as LiteLLM's budget functions want to know it.

    `counters` are the budgets that bound this caller: key, team, member, user, end user, tags, organisation, project,
    and their windows.
    """

    auth: Any
    asked: Mapping[str, Any]
    team: Any = None
    user: Any = None
    end_user: Any = None
    end_user_id: str | None = None
    counters: Sequence[Any] = ()

    async def left(self) -> float:
        """US dollars that the tightest budget has left: budget, less spend, less what *other* requests have reserved.
        Infinite without a budget.
        """
        from litellm.proxy.proxy_server import get_current_spend

        own = _reserved(getattr(self.auth, "budget_reservation", None))
        left = UNLIMITED
        for counter in self.counters:
            spent = await get_current_spend(counter.counter_key, counter.fallback_spend)
            left = min(left, counter.max_budget - spent + own.get(counter.counter_key, 0.0))
        return left

    async def hand_over(self) -> None:
        """Give back what was reserved for the request itself: from here on its inner calls reserve for themselves."""
        await self.release(getattr(self.auth, "budget_reservation", None))

    async def reserve(self, body: Mapping[str, Any]) -> Reservation | None:
        """Reserve the worst case of one inner call; `body` is what it sends. None where no budget is to be reserved.

        Raises LiteLLM's BudgetExceededError when a budget, or a model's budget, has nothing left.
        """
        await self.check_model(str(body["model"]))
        if not self.counters:
            return None
        from litellm.proxy import proxy_server
        from litellm.proxy.spend_tracking.budget_reservation import reserve_budget_for_request

        settings = proxy_server.general_settings
        if settings.get("disable_budget_reservation") is True:
            return None
        return await reserve_budget_for_request(
            request_body={**self.asked, **body},
            route=ROUTE,
            llm_router=proxy_server.llm_router,
            valid_token=self.auth,
            team_object=self.team,
            user_object=self.user,
            prisma_client=proxy_server.prisma_client,
            user_api_key_cache=proxy_server.user_api_key_cache,
            proxy_logging_obj=proxy_server.proxy_logging_obj,
            end_user_id=self.end_user_id,
            end_user_object=self.end_user,
            apply_user_budget_to_team_keys=settings.get("apply_user_budget_to_team_keys") is True,
        )

    async def release(self, reservation: Reservation | None) -> None:
        """Give a reservation back, unless LiteLLM has settled it. Never raises."""
        if not reservation or reservation.get("finalized"):
            return
        from litellm.proxy.spend_tracking.budget_reservation import release_budget_reservation

        with suppress(Exception):  # what stays reserved runs out by itself; no answer may fail of it
            await asyncio.shield(release_budget_reservation(reservation))

    async def check_model(self, model: str) -> None:
        """Raises LiteLLM's BudgetExceededError when the caller's budget for this one model is spent."""
        auth = self.auth
        own, team = getattr(auth, "model_max_budget", None), getattr(auth, "team_model_max_budget", None)
        user, end_user = getattr(auth, "user_model_max_budget", None), getattr(auth, "end_user_model_max_budget", None)
        if not (own or team or user or end_user):
            return
        from litellm.proxy.proxy_server import model_max_budget_limiter as limiter

        if own:
            await limiter.is_key_within_model_budget(auth, model)
        if team and auth.team_id:
            await limiter.is_team_within_model_budget(auth.team_id, team, own, model)
        if user and auth.user_id:
            await limiter.is_user_within_model_budget(auth.user_id, user, model)
        if end_user and self.end_user_id:
            await limiter.is_end_user_within_model_budget(self.end_user_id, end_user, model)


async def account(auth: Any, data: Mapping[str, Any]) -> Account | None:
    """The account behind an authenticated request, or None where the proxy keeps no budgets or they can't be read."""
    try:
        return await _account(auth, data)
    except Exception as error:
        log.warning("fusion.budgets can't be read, inner calls make no reservations: %s", origin(error))
        return None


async def _account(auth: Any, data: Mapping[str, Any]) -> Account | None:
    from litellm.proxy import proxy_server
    from litellm.proxy.auth import auth_checks
    from litellm.proxy.spend_tracking.budget_reservation import _get_budget_counters

    if proxy_server.prisma_client is None:
        return None
    shared: dict[str, Any] = {
        "prisma_client": proxy_server.prisma_client,
        "user_api_key_cache": proxy_server.user_api_key_cache,
        "proxy_logging_obj": proxy_server.proxy_logging_obj,
    }
    # LiteLLM has read all of these for this very request: they come from its cache.
    team = user = end_user = None
    if auth.team_id:
        team = await auth_checks.get_team_object(team_id=auth.team_id, **shared)
    if auth.user_id:
        with suppress(Exception):  # a user id without a row has no budget
            user = await auth_checks.get_user_object(user_id=auth.user_id, user_id_upsert=False, **shared)
    end_user_id = getattr(auth, "end_user_id", None)
    if end_user_id:
        with suppress(litellm.BudgetExceededError):  # reading also checks; the check was LiteLLM's to make
            end_user = await auth_checks.get_end_user_object(end_user_id=end_user_id, **shared)
    metadata = {**(data.get("metadata") or {}), **(data.get("litellm_metadata") or {})}
    asked = {"metadata": {"tags": metadata["tags"]}} if isinstance(metadata.get("tags"), list) else {}
    counters = await _get_budget_counters(
        request_body=dict(asked),
        valid_token=auth,
        team_object=team,
        user_object=user,
        end_user_id=end_user_id,
        end_user_object=end_user,
        apply_user_budget_to_team_keys=proxy_server.general_settings.get("apply_user_budget_to_team_keys") is True,
        **shared,
    )
    return Account(auth, asked, team, user, end_user, end_user_id, tuple(counters))


def _reserved(reservation: Mapping[str, Any] | None) -> dict[str, float]:
    """What a reservation holds, by counter."""
    if not reservation or reservation.get("finalized"):
        return {}
    whole = float(reservation.get("reserved_cost") or 0.0)
    return {
        str(entry["counter_key"]): float(entry.get("reserved_cost") or whole)
        for entry in reservation.get("entries") or ()
        if "counter_key" in entry
    }
