"""What UIs and agents send behind the user's back: titles, tags, follow-ups, search queries, memory, compaction.

Such a request names an artefact (a title, tags) and what it is made from (this conversation), at the head or the tail
of the last user turn or at the head of the system prompt, and usually pastes the conversation between. A user who wants
a title for an article names no conversation. The cues paraphrase what Open WebUI, LibreChat, LobeChat, NextChat, Jan,
Zed, Claude Code, Codex, Cline, LangChain, Perplexica and mem0 send; `is_housekeeping` promises no more than that.
"""

from __future__ import annotations

import re

from litellm_fusion.signals.conversation import Conversation
from litellm_fusion.signals.text import is_retrieval_wrapper

EDGE = 700
"""Characters at each end in which a template gives its instruction."""

_CHAT = (
    r"(?:(?:the|this|our|following|previous|user(?:'s)?|entire|current|given|coding|a|below|das|die|dieses?|dieser|"
    r"la|cette|esta) (?:\w+ ){0,2}(?:conversation|chat|dialog(?:ue)?|thread|session|messages?|prompt|previous query|"
    r"gespräch|unterhaltung|chatverlauf|échange|conversación)|对话|對話|会话|會話|聊天|会話|チャット)"
)
_TITLE = r"(?:titles?|headline|topic name|short name|slug|titel|überschrift|titre|título|标题|標題|主题|タイトル|件名)"
_TITLES = "title|headline|topic name|short name|slug|titel|überschrift|titre|título|标题|標題|主题|タイトル|件名"

_Cue = tuple[tuple[str, ...], re.Pattern[str]]


def _cue(stems: str, form: str) -> _Cue:
    """A cue and the stems of which every match holds one: a plain substring is found much faster."""
    return tuple(stems.split("|")), re.compile(form)


_ROLES = (
    # titles
    _cue(
        _TITLES,
        r"\b(?:generate|create|write|provide|produce|suggest|give|return|come up with|generiere|erstelle|génère|genera|"
        rf"crea)\b[^\n]{{0,80}}{_TITLE}[^\n]{{0,80}}{_CHAT}",
    ),
    _cue(
        f"{_TITLES}|words|characters|字",
        r"(?:summari[sz]e|总结|總結|概括|要約|生成|根据)"
        rf"[^\n]{{0,60}}{_CHAT}[^\n]{{0,60}}(?:{_TITLE}|\d+ (?:words|characters)|字)",
    ),
    _cue(_TITLES, rf"\byou are (?:a|an) (?:\w+ ){{0,3}}{_TITLE}[ \-](?:generator|generation|writer|creator)"),
    _cue("into a |as a ", rf"{_CHAT}[^\n]{{0,40}}\b(?:into|as) a {_TITLE}"),
    _cue(
        "title|phrase|topic",
        r"\b\d ?(?:-|to) ?\d[ \-]words? (?:title|phrase|topic)|"
        r"\b(?:five|four|\d)[\- ](?:to[\- ]\w+[\- ])?words?(?:[\- ]or[\- ]less)? title",
    ),
    _cue("个字", r"(?:四到五个字|十个字以内|\d+\s*个字以内)[^\n]{0,40}(?:主题|标题)"),
    _cue("if this message|whether this message", r"this message (?:indicates|starts) a new (?:conversation )?topic"),
    # memory
    _cue(
        "memory|information organi",
        r"\b(?:smart memory manager|personal information organi[sz]er|memory (?:extraction|manager|agent) (?:assistant|"
        r"system)?)\b",
    ),
    # compaction
    _cue("summary of", rf"\bsummary of {_CHAT}(?: so far| above| history| up to)"),
    _cue(
        "summar|compact|condense|compress",
        rf"\b(?:summari[sz]e|compact|condense|compress)\b {_CHAT}[^\n]{{0,60}}"
        r"(?:so far|history|context|in (?:under|less than|at most) \d+|handoff|to continue|characters)",
    ),
    _cue(
        "compaction|handoff|running out|tasked with",
        r"\bcontext (?:checkpoint )?compaction\b|\bhandoff summary\b|\brunning out of context\b|"
        r"\btasked with summari[sz]ing conversations\b",
    ),
    _cue("总结|用作后续", r"总结一?下?(?:对话|聊天|历史)内容[^\n]{0,40}(?:上下文|提示|prompt)|用作后续的上下文"),
    _cue("fass", r"\bfasse? (?:das|dieses|die) (?:bisherige )?(?:gespräch|unterhaltung)[^\n]{0,60}(?:kontext|titel)"),
)
_CUES = (
    *_ROLES,
    # tags, follow-ups, emoji, autocompletion
    _cue(
        "tag",
        r"\b(?:generate|create|suggest)\b[^\n]{0,30}\btags?\b[^\n]{0,60}(?:categor|theme|topic)"
        rf"[^\n]{{0,60}}{_CHAT}",
    ),
    _cue(
        "follow",
        rf"\b(?:suggest|generate|propose|predict)\b[^\n]{{0,40}}\bfollow[- ]?ups?\b[^\n]{{0,80}}(?:\buser\b|{_CHAT})",
    ),
    _cue("user might|suggestion mode", r"what the user might (?:naturally )?(?:ask|type|say) next\b|\bsuggestion mode\b"),
    _cue("autocompletion|<text>", r"\byou are an autocompletion system\b|\bcontinue the text in <text>"),
    _cue("emoji", r"\b(?:reflect|summari[sz]e|express)\b[^\n]{0,60}\b(?:speaker|message|conversation)[^\n]{0,60}\bemoji"),
    # search queries, standalone questions, tool choice
    _cue("quer", r"\banaly[sz]e the (?:chat|conversation) history\b[^\n]{0,120}\b(?:search )?quer(?:y|ies)\b"),
    _cue(
        "search quer|search terms|search keywords",
        r"\b(?:generate|write|produce|create|determine)\b[^\n]{0,60}\bsearch (?:quer(?:y|ies)|terms|keywords)\b"
        rf"[^\n]{{0,80}}(?:{_CHAT}|\buser\b|<)",
    ),
    _cue(
        "standalone|stand-alone|stand alone",
        r"\b(?:rephrase|rewrite|reformulate|condense)\b[^\n]{0,60}\bfollow[- ]?up (?:question|input|query)?"
        r"[^\n]{0,80}\bstand[- ]?alone\b",
    ),
    _cue(
        "correct tool|image gen",
        r"\byour task is to choose and return the correct tools?\b|\bdetailed prompt for an? image generation\b",
    ),
    _cue("bash|this command", r"\bprocess bash commands that an ai\b|\bfile ?paths? that this command\b"),
    # memory
    _cue(
        "the user",
        r"\b(?:extract|identify|save|store|update)\b[^\n]{0,60}\b(?:memor(?:y|ies)|facts|preferences)\b[^\n]{0,60}"
        r"\b(?:about|of) the user\b",
    ),
)
_PROBES = frozenset({"quota", "warmup", "ping", "test", "count"})
"""Whole prompts with which agents test a key or warm a cache; a user's "ping" deserves no panel either."""


def is_housekeeping(conversation: Conversation) -> bool:
    """Whether the request is a client's own errand rather than the user's question."""
    turn = conversation.last_user.strip()
    if turn.lower() in _PROBES:
        return True
    if is_retrieval_wrapper(turn):
        return False
    ends = [turn[:EDGE], turn[-EDGE:]] if len(turn) > EDGE else [turn]
    if any(_is_errand(end, _CUES) for end in ends):
        return True
    # A system prompt may well ask an assistant to end with follow-up questions; only a role says what the request is.
    return bool(conversation.system) and _is_errand(conversation.system[: EDGE // 2], _ROLES)


def _is_errand(text: str, cues: tuple[_Cue, ...]) -> bool:
    lower = text.lower()
    return any(form.search(lower) for stems, form in cues if any(stem in lower for stem in stems))
