"""A member's tool loop: what is called, what is told back, and how it ends, whatever its model does."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import litellm
import pytest
from fakes import LONG, Say, Scripted, run_of, steps
from hypothesis import given, settings
from hypothesis import strategies as st
from web import Web, fact

from litellm_fusion import prompts
from litellm_fusion.fusion import fuse
from litellm_fusion.panel import ask_panel
from litellm_fusion.run import Run
from litellm_fusion.types import Answer, Event, News, Request

SEARCH = {"query": "pumps"}
CONFIG: dict[str, Any] = {"panel": ["a"], "judge": "off", "limits": {"grace_seconds": 0.1}}


def tools(web: Web, **more: Any) -> dict[str, Any]:
    return {"web_search": "sx", "web_fetch": True, "allow_private": [web.host], **more}


def results(*urls: str) -> list[dict[str, str]]:
    return [{"url": url, "title": f"Title {n}", "snippet": f"Snippet {n}"} for n, url in enumerate(urls, 1)]


def _router(*names: str, **info: Any) -> Scripted:
    return Scripted(*(names or ("a",)), info=info)


async def _ask(run: Run) -> Answer:
    (answer,) = await _panel(run)
    return answer


def told(router: Scripted, turn: int = -1) -> list[str]:
    """What the tools gave, as the model saw it in one of its turns."""
    return [message["content"] for message in router.asked[turn]["messages"] if message["role"] == "tool"]


def _turn(router: Scripted, turn: int = -1) -> Any:
    """The model's own last turn with calls, as it was sent back to it."""
    return next(message for message in reversed(router.asked[turn]["messages"]) if message.get("tool_calls"))


async def _panel(run: Run) -> tuple[Answer, ...]:
    try:
        return await ask_panel(run)
    finally:
        if run.browser is not None:
            await run.browser.aclose()


async def test_a_member_searches_reads_and_cites(web: Web) -> None:
    router = _router()
    page = web.url("/pumps/3")
    router.found["*"] = results(page)
    router.says(
        "a", Say(calls=(("web_search", SEARCH),)), Say(calls=(("web_fetch", {"url": page}),)), "It was 14 percent [1]."
    )  # fmt: skip
    events: list[Event] = []
    run = run_of(router, {**CONFIG, "tools": tools(web)}, events=events)
    answer = await _ask(run)
    assert (answer.status, answer.text) == ("ok", "It was 14 percent [1].")
    (source,) = answer.sources
    assert (source.url, source.title, source.member, source.fetched) == (page, "Title 1", 1, True)
    assert fact("pumps", 3) in source.passages[-1]
    assert fact("pumps", 3) in told(router)[1]
    assert [span.role for span in run.recorder.spans] == ["member", "search", "member", "fetch", "member"]
    assert [span.tool_calls for span in run.recorder.spans if span.role == "member"] == [1, 1, 0]
    assert run.recorder.members() == (1, 1)
    assert run.recorder.cost_usd() == pytest.approx(0.005)
    said = [event.text for event in events if isinstance(event, News)]
    assert "a searches: pumps" in said
    assert f"a reads {web.host.partition(':')[0]}" in said


async def test_tools_are_offered_until_the_last_turn(web: Web) -> None:
    router = _router()
    router.found["*"] = results("https://a.test/1")
    router.says("a", *[Say(calls=(("web_search", {"query": f"q{n}"}),)) for n in range(2)], LONG)
    await _ask(run_of(router, {**CONFIG, "tools": tools(web, max_calls=2)}))
    assert [call.get("tool_choice") for call in router.asked] == [None, None, "none"]
    assert [tool["function"]["name"] for tool in router.asked[0]["tools"]] == ["web_search", "web_fetch"]
    assert router.asked[-1]["messages"][-1]["content"] == prompts.LAST_TURN


async def test_the_tools_of_a_history_stay_defined_beside_the_webs(web: Web) -> None:
    router = _router()
    router.found["*"] = results("https://a.test/1")
    router.says("a", Say(calls=(("web_search", SEARCH),)), LONG)
    looked = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    history = (
        {"role": "user", "content": "Look it up."}, {"role": "assistant", "content": None, "tool_calls": [looked]},
        {"role": "tool", "tool_call_id": "c1", "content": "Nothing there."}, {"role": "user", "content": "Compare both."},
    )  # fmt: skip
    answer = await _ask(run_of(router, {**CONFIG, "tools": tools(web)}, request=Request("fusion/test", history)))
    assert answer.status == "ok"
    for call in router.asked:
        assert [tool["function"]["name"] for tool in call["tools"]] == ["look_up", "web_search", "web_fetch"]
    assert "tool_choice" not in router.asked[0]


async def test_calls_of_one_turn_run_at_the_same_time(web: Web) -> None:
    router = _router()
    router.search_seconds = web.delay_seconds = 0.2
    searches = (("web_search", {"query": f"q{n}"}) for n in range(3))
    router.says("a", Say(calls=(*searches, ("web_fetch", {"url": web.url("/pumps/1")}))), LONG)
    request = Request("fusion/test", ({"role": "user", "content": f"Read {web.url('/pumps/1')}."},))
    run = run_of(router, {**CONFIG, "tools": tools(web)}, request=request)
    started = time.monotonic()
    await _ask(run)
    assert time.monotonic() - started < 0.75
    assert len(told(router)) == 4
    ids = [message["tool_call_id"] for message in router.asked[-1]["messages"] if message["role"] == "tool"]
    assert ids == [call["id"] for call in _turn(router)["tool_calls"]]


async def test_max_calls_counts_calls_and_not_turns(web: Web) -> None:
    router = _router()
    router.found["*"] = results("https://a.test/1")
    router.says("a", Say(calls=tuple(("web_search", {"query": f"q{n}"}) for n in range(5))), LONG)
    run = run_of(router, {**CONFIG, "tools": tools(web, max_calls=3)})
    await _ask(run)
    assert len(router.searched) == 3
    assert told(router)[3:] == [prompts.NO_CALLS_LEFT] * 2
    assert ("panel", "research_ends") in steps(run)


async def test_an_unknown_tool_and_bad_arguments_are_told_and_corrected(web: Web) -> None:
    router = _router()
    router.found["*"] = results("https://a.test/1")
    wrong = (
        ("run_shell", {"cmd": "ls"}), ("web_search", "not json at all"), ("web_search", {"q": "x"}), ("web_fetch", {"url": 5}),
        ("web_fetch", {"url": "https://a.test/1", "start": "soon"}), ("web_search", []), ("", {}),
    )  # fmt: skip
    router.says("a", Say(calls=wrong), Say(calls=(("web_search", SEARCH),)), LONG)
    answer = await _ask(run_of(router, {**CONFIG, "tools": tools(web, max_calls=20)}))
    assert answer.status == "ok"
    first = told(router, 1)
    assert "There is no tool 'run_shell'. Your tools: web_search, web_fetch." in first[0]
    assert all('"query"' in text for text in (first[1], first[2], first[5]))
    assert all('"url"' in text for text in (first[3], first[4]))
    assert len(router.searched) == 1
    for call in _turn(router, 1)["tool_calls"]:
        json.loads(call["function"]["arguments"])  # what goes back to the provider is JSON again


async def test_arguments_that_can_be_mended_are(web: Web) -> None:
    router = _router()
    router.says("a", Say(calls=(("web_search", '{"query": "pumps",}'),)), LONG)
    await _ask(run_of(router, {**CONFIG, "tools": tools(web)}))
    assert [search["query"] for search in router.searched] == ["pumps"]


@pytest.mark.parametrize(
    "leak",
    [
        '{"name": "web_search", "arguments": {"query": "pumps"}}',
        '```json\n{"name": "web_search", "parameters": {"query": "pumps"}}\n```',
        '<tool_call>\n{"name": "web_search", "arguments": {"query": "pumps"}}\n</tool_call>',
        'I will look it up.\n<tool_call>{"name": "web_search", "arguments": "{\\"query\\": \\"pumps\\"}"}</tool_call>',
        '[{"type": "function", "function": {"name": "web_search", "arguments": {"query": "pumps"}}}]',
        '{"tool_calls": [{"function": {"name": "web_search", "arguments": {"query": "pumps"}}}]}',
        '<function=web_search>{"query": "pumps"}</function>',
        'web_search({"query": "pumps"})',
        '{"tool": "web_search", "query": "pumps"}',
        '{"name": "web_search", "arguments": {"query": "pumps"}',
    ],
)
async def test_a_call_that_leaked_into_the_text_is_made(web: Web, leak: str) -> None:
    router = _router()
    router.found["*"] = results("https://a.test/1")
    router.says("a", Say(leak), LONG)
    answer = await _ask(run_of(router, {**CONFIG, "tools": tools(web)}))
    assert [search["query"] for search in router.searched] == ["pumps"]
    assert answer.text == LONG
    turn = _turn(router)
    assert (turn["content"], turn["tool_calls"][0]["function"]["name"]) == (None, "web_search")


async def test_an_answer_that_shows_a_call_is_an_answer(web: Web) -> None:
    router = _router()
    shown = f'{LONG * 6} A call looks like {{"name": "web_search", "arguments": {{"query": "x"}}}} in that API. {LONG}'
    router.says("a", shown)
    answer = await _ask(run_of(router, {**CONFIG, "tools": tools(web)}))
    assert (answer.text, router.searched) == (shown, [])


async def test_a_loop_of_the_same_call_is_cut(web: Web) -> None:
    router = _router()
    router.found["*"] = results("https://a.test/1")
    router.says("a", *[Say(calls=(("web_search", SEARCH),)) for _ in range(3)], LONG)
    answer = await _ask(run_of(router, {**CONFIG, "tools": tools(web, max_calls=30)}))
    assert (answer.text, len(router.searched), len(router.asked)) == (LONG, 1, 4)
    assert told(router)[1:] == [prompts.SAME_CALL] * 2


async def test_a_model_that_never_ends_its_calls_is_told_what_it_found(web: Web) -> None:
    router = _router()
    router.found["*"] = results("https://a.test/1")
    router.says("a", *[Say(calls=(("web_search", {"query": f"q{n}"}),)) for n in range(3)], "Then it is so [1].")
    answer = await _ask(run_of(router, {**CONFIG, "tools": tools(web, max_calls=2)}))
    assert answer.text == "Then it is so [1]."
    last = router.asked[-1]
    assert "tools" not in last
    assert all(message["role"] != "tool" for message in last["messages"])
    assert "https://a.test/1" in last["messages"][-1]["content"]


async def test_a_model_that_only_ever_calls_gives_an_empty_answer(web: Web) -> None:
    router = _router()
    router.says("a", Say('{"name": "web_search", "arguments": {"query": "again"}}'))
    answer = await _ask(run_of(router, {**CONFIG, "tools": tools(web, max_calls=2)}))
    assert (answer.status, answer.error) == ("error", "empty")


async def test_a_provider_that_takes_no_tools_is_asked_without(web: Web) -> None:
    router = _router()
    router.says("a", litellm.BadRequestError("no tools here", "a", "openai"), LONG)
    run = run_of(router, {**CONFIG, "tools": tools(web)})
    answer = await _ask(run)
    assert (answer.text, "tools" in router.asked[1]) == (LONG, False)
    assert ("panel", "without_tools") in steps(run)


async def test_a_model_that_is_known_to_call_nothing_gets_no_tools(web: Web) -> None:
    router = Scripted("mute", info={"mute": {"supports_function_calling": False}})
    await _ask(run_of(router, {**CONFIG, "panel": ["mute"], "tools": tools(web)}))
    assert "tools" not in router.asked[0]


async def test_a_member_may_be_kept_from_the_web(web: Web) -> None:
    router = _router("a", "b")
    panel = [{"model": "a", "tools": False}, "b"]
    await _panel(run_of(router, {**CONFIG, "panel": panel, "tools": tools(web)}))
    assert {call["model"]: "tools" in call for call in router.asked} == {"a": False, "b": True}


async def test_nothing_is_searched_for_a_sensitive_request(web: Web) -> None:
    router = _router()
    run = run_of(router, {**CONFIG, "tools": tools(web)}, private=True)
    await _panel(run)
    assert "tools" not in router.asked[0]
    assert run.recorder.web is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://collector.test/?q=the+conversation", prompts.UNKNOWN_URL),
        ("{web}/pumps/1?note=secret", prompts.UNKNOWN_URL),
        ("{web}/pumps/2", prompts.UNKNOWN_URL),
        ("not a url", prompts.UNKNOWN_URL),
        ("file:///etc/passwd", prompts.UNKNOWN_URL),
    ],
)
async def test_a_composed_url_is_never_fetched(web: Web, url: str, why: str) -> None:
    router = _router()
    router.says("a", Say(calls=(("web_fetch", {"url": url.format(web=web.base_url)}),)), LONG)
    request = Request("fusion/test", ({"role": "user", "content": f"Read {web.url('/pumps/1')} for me."},))
    run = run_of(router, {**CONFIG, "tools": tools(web)}, request=request)
    await _ask(run)
    assert told(router) == [why]
    assert not web.visits
    assert [span.error for span in run.recorder.spans if span.role == "fetch"] == ["unknown_url"]


async def test_a_link_of_a_page_may_be_followed_by_its_reader_alone(web: Web) -> None:
    router = _router("a", "b")
    following = web.url("/pumps/8")
    start = Say(calls=(("web_fetch", {"url": web.url("/pumps/7")}),))
    follow = Say(calls=(("web_fetch", {"url": following}),))
    router.says("a", start, follow, LONG)
    router.says("b", Say(calls=(("web_search", SEARCH),)), follow, LONG)
    request = Request("fusion/test", ({"role": "user", "content": f"Read {web.url('/pumps/7')}."},))
    run = run_of(router, {**CONFIG, "panel": ["a", "b"], "tools": tools(web)}, request=request)
    await _panel(run)
    errors = {(span.member, span.detail): span.error for span in run.recorder.spans if span.role == "fetch"}
    assert errors[(1, following)] is None
    assert errors[(2, following)] == "unknown_url"


async def test_three_members_read_one_page_once_and_search_one_query_once(web: Web) -> None:
    router = _router("a", "b", "c")
    page = web.url("/solar/1")
    router.found["*"] = results(page)
    for name in "abc":
        router.says(name, Say(calls=(("web_search", SEARCH),)), Say(calls=(("web_fetch", {"url": page}),)), f"{name}: yes [1].")
    run = run_of(router, {**CONFIG, "panel": ["a", "b", "c"], "tools": tools(web)})
    await fuse(run)
    assert run.browser is not None
    await run.browser.aclose()
    assert web.visits == {"/solar/1": 1}
    assert len(router.searched) == 1
    assert run.recorder.web is not None
    assert (run.recorder.web.searches, run.recorder.web.pages_fetched, run.recorder.web.pages_shared) == (1, 1, 2)


async def test_the_oldest_page_text_goes_first_when_room_gets_short(web: Web) -> None:
    router = _router("narrow", narrow={"max_input_tokens": 2_600})
    pages = [web.url(f"/wind/{n}") for n in range(4)]
    router.found["*"] = results(*pages)
    reads = [Say(calls=(("web_fetch", {"url": page}),)) for page in pages]
    router.says("narrow", Say(calls=(("web_search", SEARCH),)), *reads, LONG)
    config = {**CONFIG, "panel": ["narrow"], "tools": tools(web, max_calls=8), "limits": {"max_completion_tokens": 800}}
    await _ask(run_of(router, config))
    last = told(router)
    assert len(last) == 5
    cut = [prompts.TRIMMED in text for text in last]
    assert cut == sorted(cut, reverse=True) or cut[1:] == sorted(cut[1:], reverse=True)
    assert cut[1]
    assert fact("wind", 3) in last[-1]
    assert pages[0] in last[1]  # its number and address stay, to be cited


async def test_a_long_page_comes_in_parts(web: Web) -> None:
    router = _router()
    page = web.url("/storage/2")
    router.found["*"] = results(page)
    router.says(
        "a", Say(calls=(("web_search", SEARCH),)), Say(calls=(("web_fetch", {"url": page}),)),
        Say(calls=(("web_fetch", {"url": page, "start": 500}),)),
        Say(calls=(("web_fetch", {"url": page, "start": 10**9}),)), LONG,
    )  # fmt: skip
    await _ask(run_of(router, {**CONFIG, "tools": tools(web, max_page_chars=500)}))
    first, second, beyond = told(router)[1:]
    assert "Characters 0 to 500 of" in first
    assert "start=500" in first
    assert "Characters 500 to " in second or "ends at character" in second
    assert "ends at character" in beyond
    assert web.visits == {"/storage/2": 1}


async def test_a_member_that_runs_out_of_time_answers_from_what_it_has(web: Web) -> None:
    router = _router()
    page = web.url("/pumps/3")
    router.found["*"] = results(page)
    router.says("a", Say(calls=(("web_search", SEARCH),)), Say(LONG, delay_seconds=30), "From what I have [1].")
    run = run_of(router, {**CONFIG, "tools": tools(web), "limits": {"panel_seconds": 1.2}})
    answer = await _ask(run)
    assert (answer.status, answer.text) == ("ok", "From what I have [1].")
    assert [span.status for span in run.recorder.spans if span.role == "member"] == ["ok", "timeout", "ok"]
    assert run.recorder.members() == (1, 1)


async def test_a_slow_page_does_not_take_the_answer_along(web: Web) -> None:
    router = _router()
    web.delay_seconds = 5
    page = web.url("/pumps/3")
    request = Request("fusion/test", ({"role": "user", "content": f"Read {page}."},))
    router.says("a", Say(calls=(("web_fetch", {"url": page}),)), "Without the page.")
    run = run_of(router, {**CONFIG, "tools": tools(web), "limits": {"panel_seconds": 1.0}}, request=request)
    started = time.monotonic()
    answer = await _ask(run)
    assert answer.text == "Without the page."
    assert time.monotonic() - started < 1.5


async def test_who_still_searches_when_the_others_are_done_answers_now(web: Web) -> None:
    router = _router("a", "b", "c")
    router.found["*"] = results("https://a.test/1")
    router.says("a", LONG)
    router.says("b", LONG)
    router.says("c", Say(calls=(("web_search", SEARCH),)), "In a hurry [1].")
    router.search_seconds = 30
    config = {**CONFIG, "panel": ["a", "b", "c"], "tools": tools(web), "limits": {"quorum": 2, "grace_seconds": 1.0}}
    answers = await asyncio.wait_for(_panel(run_of(router, config)), 5)
    assert [answer.status for answer in answers] == ["ok", "ok", "ok"]
    assert answers[2].text == "In a hurry [1]."


async def test_calls_that_are_almost_done_when_the_others_wait_are_let_finish(web: Web) -> None:
    router = _router("a", "b", "c")
    router.found["*"] = results("https://a.test/1")
    router.says("a", LONG)
    router.says("b", LONG)
    router.says("c", Say(calls=(("web_search", SEARCH),)), "Found it in time [1].")
    router.search_seconds = 0.3
    config = {**CONFIG, "panel": ["a", "b", "c"], "tools": tools(web), "limits": {"quorum": 2, "grace_seconds": 2.0}}
    answers = await _panel(run_of(router, config))
    assert len(answers[2].sources) == 1


async def test_without_money_for_another_round_a_member_answers(web: Web) -> None:
    router = _router(a={"input_cost_per_token": 1e-5, "output_cost_per_token": 1e-4})
    page = web.url("/pumps/3")
    router.found["*"] = results(page)
    router.says(
        "a", Say(calls=(("web_search", SEARCH),), cost=0.55), Say(calls=(("web_fetch", {"url": page}),)), "Cut short [1]."
    )  # fmt: skip
    run = run_of(router, {**CONFIG, "tools": tools(web), "limits": {"max_cost_usd": 0.9}})
    answer = await _ask(run)
    assert [call.get("tool_choice") for call in router.asked[:2]] == [None, "none"]
    assert answer.text == "Cut short [1]."
    assert not web.visits


async def test_a_failed_search_is_told_and_costs_the_run_nothing(web: Web) -> None:
    router = _router()
    router.found["pumps"] = litellm.RateLimitError("key sk-123 is over its limit", "searxng", "x")
    router.says("a", Say(calls=(("web_search", SEARCH),)), LONG)
    run = run_of(router, {**CONFIG, "tools": tools(web)})
    answer = await _ask(run)
    assert answer.status == "ok"
    assert told(router) == [prompts.SEARCH_FAILED.format(kind="rate_limited")]
    (span,) = [span for span in run.recorder.spans if span.role == "search"]
    assert (span.status, span.error, span.cost_usd, span.detail) == ("error", "rate_limited", 0.0, "pumps")


async def test_a_search_that_money_does_not_cover_is_not_made(web: Web) -> None:
    router = _router()
    router.search_tools = [{"search_tool_name": "sx", "litellm_params": {"search_provider": "exa_ai"}}]  # type: ignore[typeddict-item]
    router.says("a", Say(calls=(("web_search", SEARCH),)), LONG)
    run = run_of(router, {**CONFIG, "tools": tools(web), "limits": {"max_cost_usd": 0.004, "max_completion_tokens": 1_200}})
    await _ask(run)
    assert router.searched == []
    assert told(router) == [prompts.NO_MONEY]


async def test_a_search_carries_the_callers_identity_and_none_of_its_secrets(web: Web) -> None:
    from litellm_fusion.client import Identity

    router = _router()
    router.says("a", Say(calls=(("web_search", SEARCH),)), LONG)
    extra = {"litellm_trace_id": "t", "cache": {"x": 1}, "some_vendor_secret": "s"}
    run = run_of(
        router, {**CONFIG, "tools": tools(web, allow_domains=["a.test"])}, identity=Identity({"user_api_key": "h"}, extra)
    )
    await _ask(run)
    (search,) = router.searched
    assert search["litellm_metadata"]["user_api_key"] == "h"
    assert search["litellm_metadata"]["spend_logs_metadata"]["fusion_role"] == "search"
    assert (search["litellm_trace_id"], search["search_domain_filter"]) == ("t", ["a.test"])
    assert "some_vendor_secret" not in search
    assert "cache" not in search


async def test_results_of_forbidden_sites_are_left_out(web: Web) -> None:
    router = _router()
    router.found["*"] = results(
        "https://good.test/1", "https://bad.test/1", "javascript:alert(1)", "https://u:p@good.test/", ""
    )
    router.says("a", Say(calls=(("web_search", SEARCH),)), LONG)
    answer = await _ask(run_of(router, {**CONFIG, "tools": tools(web, deny_domains=["bad.test"])}))
    assert [source.url for source in answer.sources] == ["https://good.test/1"]
    assert "bad.test" not in told(router)[0]


async def test_a_model_that_searches_by_itself_gives_sources() -> None:
    router = Scripted("searcher", info={"searcher": {"supports_web_search": True}})
    said = "Pumps deliver three times as much. Prices fell."
    cited = [
        {"type": "url_citation", "url_citation": {"url": "https://a.test/1", "title": "A", "start_index": 0, "end_index": 34}},
        {"type": "url_citation", "url_citation": {"url": "https://b.test/2", "title": "B", "start_index": 35, "end_index": 47}},
        {"type": "url_citation", "url_citation": {"url": "javascript:x", "title": "C", "start_index": 0, "end_index": 3}},
        {"type": "url_citation", "url_citation": {"url": "https://c.test/3", "start_index": 7, "end_index": 10**9}},
    ]
    router.says("searcher", Say(said, annotations=tuple(cited)))
    run = run_of(router, {**CONFIG, "panel": ["searcher"], "tools": {"web_search": "native"}})
    answer = await _ask(run)
    assert router.asked[0]["web_search_options"] == {}
    assert "tools" not in router.asked[0]
    assert answer.text == "Pumps deliver three times as much.[1] Prices fell.[2]"
    assert [source.url for source in answer.sources] == ["https://a.test/1", "https://b.test/2", "https://c.test/3"]
    assert run.recorder.web is not None


async def test_native_search_is_for_models_that_have_it() -> None:
    router = _router("a")
    await _ask(run_of(router, {**CONFIG, "tools": {"web_search": "native"}}))
    assert "web_search_options" not in router.asked[0]


async def test_cancelling_a_member_leaves_nothing_running(web: Web) -> None:
    router = _router()
    router.search_seconds = 30
    router.says("a", Say(calls=(("web_search", SEARCH), ("web_fetch", {"url": web.url("/pumps/1")}))))
    web.delay_seconds = 30
    request = Request("fusion/test", ({"role": "user", "content": f"Read {web.url('/pumps/1')}."},))
    run = run_of(router, {**CONFIG, "tools": tools(web)}, request=request)
    before = len(asyncio.all_tasks())
    task = asyncio.create_task(_panel(run))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(asyncio.all_tasks()) == before


async def test_a_leak_is_looked_for_in_no_time() -> None:
    from litellm_fusion.toolcalls import leaked

    started = time.monotonic()
    for text in (
        "web_search" + " " * 15_000,
        "<tool_call>" * 1_500 + "web_search",
        "web_search{" * 1_500,
        "```json\n" * 2_000 + "web_search",
    ):
        leaked(text, ("web_search", "web_fetch"))
        leaked(text * 50, ("web_search", "web_fetch"))
    assert time.monotonic() - started < 5


async def test_a_direct_answer_after_a_failed_panel_leaves_as_it_is(web: Web) -> None:
    from litellm_fusion.outgoing import outgoing

    router = _router("a", "b")
    router.says("a", Say(calls=(("web_search", SEARCH),)), litellm.InternalServerError("x", "openai", "a"))
    router.says("b", "See https://docs.test/ and [1].")
    run = run_of(router, {**CONFIG, "tools": tools(web), "direct": "b"})
    reply = await fuse(run)
    assert run.browser is not None
    await run.browser.aclose()
    assert run.recorder.web is not None
    assert outgoing(run.recorder, run.request) is None
    assert reply.text == "See https://docs.test/ and [1]."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.sampled_from(["query", "url", "start"]), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["web_search", "web_fetch", "x"]), JSON | st.text(max_size=40)), max_size=3),
    st.text(max_size=60),
)
def test_whatever_a_model_calls_it_gets_an_answer_for_each_call(calls: list[tuple[str, Any]], text: str) -> None:
    async def go() -> None:
        router = _router()
        router.found["*"] = results("https://a.test/1")
        router.says("a", Say(text or "x", calls=tuple(calls)), LONG)
        run = run_of(router, {**CONFIG, "tools": {"web_search": "sx", "web_fetch": True}})
        await _ask(run)
        if len(router.asked) > 1:
            assert len(told(router, 1)) == len(_turn(router, 1)["tool_calls"])

    asyncio.run(go())
