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
    r"(?:(?:the|this|our|following|previous|user(?:'s)?|entire|current|given|coding|a|below|das|die|dieses?|dieser"
    r"|la|cette|esta) (?:\w+ ){0,2}"
    r"(?:conversation|chat|dialog(?:ue)?|thread|session|messages?|discussion|exchange|prompt|previous query|query"
    r"|input|"
    r"gespräch|unterhaltung|chatverlauf|échange|conversación)|对话|對話|会话|會話|聊天|会話|チャット)"
)
_TITLE = r"(?:titles?|headline|topic name|short name|slug|titel|überschrift|titre|título|标题|標題|主题|タイトル|件名)"

_ROLES = tuple(
    re.compile(cue, re.I)
    for cue in (
        # titles
        rf"\b(?:generate|create|write|provide|produce|suggest|give|return|come up with|generiere|erstelle|génère"
        rf"|genera|crea)\b"
        rf"[^\n]{{0,80}}{_TITLE}[^\n]{{0,80}}{_CHAT}",
        rf"(?:summari[sz]e|总结|總結|概括|要約|生成|根据)[^\n]{{0,60}}{_CHAT}[^\n]{{0,60}}(?:{_TITLE}|\d+ (?:words"
        rf"|characters)|字)",
        rf"\byou are (?:a|an) (?:\w+ ){{0,3}}{_TITLE}[ \-](?:generator|generation|writer|creator)",
        rf"{_CHAT}[^\n]{{0,40}}\b(?:into|as) a {_TITLE}",
        r"\b\d ?(?:-|to) ?\d[ \-]words? (?:title|phrase|topic)|\b(?:five|four|\d)[\- ](?:to[\- ]\w+[\- "
        r"])?words?(?:[\- ]or[\- ]less)? title",
        r"(?:四到五个字|十个字以内|\d+\s*个字以内)[^\n]{0,40}(?:主题|标题)",
        r"\b(?:whether|if) this message (?:indicates|starts) a new (?:conversation )?topic",
        # memory
        r"\b(?:smart memory manager|personal information organi[sz]er|memory (?:extraction|manager|agent) "
        r"(?:assistant|system)?)\b",
        # compaction
        rf"\bsummary of {_CHAT}(?: so far| above| history| up to)",
        rf"\b(?:summari[sz]e|compact|condense|compress)\b {_CHAT}[^\n]{{0,60}}"
        r"(?:so far|history|context|in (?:under|less than|at most) \d+|handoff|to continue|characters)",
        r"\bcontext (?:checkpoint )?compaction\b|\bhandoff summary\b|\brunning out of context\b|\btasked with "
        r"summari[sz]ing conversations\b",
        r"(?:简要|簡要)?总结一?下?(?:对话|聊天|历史)内容[^\n]{0,40}(?:上下文|提示|prompt)|用作后续的上下文",
        r"\bfasse? (?:das|dieses|die) (?:bisherige )?(?:gespräch|unterhaltung)[^\n]{0,60}(?:kontext|titel)",
    )
)
_CUES = _ROLES + tuple(
    re.compile(cue, re.I)
    for cue in (
        # tags, follow-ups, emoji, autocompletion
        rf"\b(?:generate|create|suggest)\b[^\n]{{0,30}}\btags?\b[^\n]{{0,60}}(?:categor|theme"
        rf"|topic)[^\n]{{0,60}}{_CHAT}",
        rf"\b(?:suggest|generate|propose|predict)\b[^\n]{{0,40}}\bfollow[- ]?ups?\b[^\n]{{0,80}}(?:\buser\b|{_CHAT})",
        r"\bwhat the user might (?:naturally )?(?:ask|type|say) next\b|\bsuggestion mode\b",
        r"\byou are an autocompletion system\b|\bcontinue the text in <text>",
        r"\b(?:reflect|summari[sz]e|express)\b[^\n]{0,60}\b(?:speaker|message|conversation)[^\n]{0,60}\bemoji\b",
        # search queries, standalone questions, tool choice
        r"\banaly[sz]e the (?:chat|conversation) history\b[^\n]{0,120}\b(?:search )?quer(?:y|ies)\b",
        r"\b(?:generate|write|produce|create|determine)\b[^\n]{0,60}\b(?:web |google )?search (?:quer(?:y|ies)|terms"
        r"|keywords)\b"
        rf"[^\n]{{0,80}}(?:{_CHAT}|\buser\b|<)",
        r"\b(?:rephrase|rewrite|reformulate|condense)\b[^\n]{0,60}\bfollow[- ]?up (?:question|input"
        r"|query)?[^\n]{0,80}\bstand[- ]?alone\b",
        r"\byour task is to choose and return the correct tools?\b|\bdetailed prompt for an? image generation\b",
        r"\bprocess bash commands that an ai\b|\bextract (?:any )?file ?paths? that this command\b",
        # memory
        r"\b(?:extract|identify|save|store|update)\b[^\n]{0,60}\b(?:memor(?:y|ies)|facts"
        r"|preferences)\b[^\n]{0,60}\b(?:about|of) the user\b",
    )
)
# Each cue holds one of these; a plain substring is found much faster.
_STEMS = (
    "title", "headline", "topic", "slug", "titel", "überschrift", "titre", "título", "标题", "標題", "主题",
    "タイトル", "件名", "字",
    "tag", "follow", "type next", "ask next", "say next", "suggestion mode", "autocompletion", "<text>", "emoji",
    "quer", "search",
    "stand", "correct tool", "image gen", "bash", "this command", "memor", "facts", "preferences",
    "information organi", "summar",
    "compact", "condense", "compress", "context", "总结", "用作后续", "fass", "characters", "words",
)  # fmt: skip
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


def _is_errand(text: str, cues: tuple[re.Pattern[str], ...]) -> bool:
    lower = text.lower()
    return any(stem in lower for stem in _STEMS) and any(cue.search(lower) for cue in cues)
