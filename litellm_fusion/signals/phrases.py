"""What the user says about how to be answered: by a panel, without one, or better than last time.

Only the last user turn counts, and only the user's own words in it: a document that says "ask several experts" asks for
nothing. Words are read clause by clause, so that a negation reaches what it negates and no further.
"""

from __future__ import annotations

import re

from litellm_fusion.signals.conversation import Conversation

_MODELS = r"(?:ai |llm |language )?(?:models?|llms?|ais|experts?|assistants?|agents?)"
_MANY = r"(?:several|multiple|different|various|other|many|a few|two|three|four|five|more than one|independent)"
_PANEL = re.compile(
    rf"\b(?:ask|asking|consult\w*|use|using|query|poll|convene|involve|have|let|get|run|compare|check with"
    rf"|cross-check with)\b"
    rf"[^.]{{0,30}}\b{_MANY}\b (?:\w+ )?{_MODELS}\b(?! of)"
    rf"|\b{_MANY}\b (?:\w+ )?(?:ai |language )?(?:models|llms|ais)\b[^.]{{0,30}}\b(?:answer|debate|discuss|weigh in"
    rf"|opinions?|agree|vote)"
    r"|\bpanel of (?:\w+ )?(?:experts|models|judges|ais|llms|advis[eo]rs|specialists|reviewers)\b|\b(?:expert|model"
    r"|fusion) panel\b"
    r"|\b(?:use|ask|convene|consult|run|want|need|no|without|skip|by) (?:an? |the |any )?(?:full )?panel\b"
    r"|\b(?:second|third|independent|several|multiple) (?:independent |expert )?opinions?\b"
    r"|\bindependent (?:answers?|views?|experts?|perspectives)\b|\bdebate (?:this|it|among|between)\b"
    r"|\b(?:give me|hold|stage|run|want|need|no|without|any) (?:a |any )?(?:\w+ )?debate\b|\b(?:no|without|as|by) "
    r"(?:a |any )?committee\b"
    r"|\b(?:mehrere|verschiedene|andere|zwei|drei)n?r? (?:\w+ )?(?:ki-)?(?:modelle|modellen|kis|experten|meinungen"
    r"|sichtweisen)\b"
    r"|\b(?:zweit|dritt)meinung\b|\bzweite meinung\b|\bexpertenrunde\b|\bexpertengremium\b|\bk?eine debatte\b|\bohne "
    r"debatte\b"
    r"|\b(?:plusieurs|différents|divers|d'autres) (?:modèles|experts|ia|avis)\b|\b(?:deuxième|second|autre) avis\b"
    r"|\bpanel d['’ ]experts\b|\b(?:un|de|sans) débat\b"
    r"|\b(?:varios|diferentes|distintos|múltiples|otros) (?:modelos|expertos)\b|\bvarias (?:ia|opiniones)\b"
    r"|\bsegunda opinión\b|\bpanel de expertos\b|\b(?:un|sin) debate\b"
    r"|(?:多个|多個|几个|幾個|不同的?|多位|几位)(?:AI|大?模型|专家|專家)|第二意见|专家组|多方意见|辩论"
    r"|(?:複数|いくつか|異なる)の?(?:AI|モデル|専門家|意見)|セカンドオピニオン|専門家パネル|討論",
    re.I,
)
# At least one of these is in every match of _PANEL and _JUST_ANSWER, and is found much faster.
_PANEL_STEMS = (
    "model", "llm", " ai", " ki", "panel", "opin", "meinung", "expert", "debat", "débat", "independent", "committee",
    "assistant", "agent", "modèle", "avis", " ia", "sichtweise", "多", "几", "幾", "不同", "第二", "专家", "辩论",
    "複数", "いくつ",
    "異なる", "セカンド", "専門家", "討論",
)  # fmt: skip
_ANSWER_STEMS = (
    "just", "simply", "only", "answer", "reply", " one model", "nur ", "einfach", "bloß", "antwort", "répon", "solo ",
    "simplemente", "sólo", "responde", "直接", "只", "答え",
)  # fmt: skip
_NEGATION = re.compile(
    r"\b(?:no|not|don['’]?t|do not|never|without|skip|avoid|rather than|instead of|needn['’]?t|stop|cannot|can['’]?t|"
    r"kein\w*|nicht|ohne|niemals|statt|pas|sans|jamais|aucune?|plutôt que|sin|nunca|ningún|ninguna|evita)\b"
    r"|n['’]t\b|不要|不用|别|別|無需|无需|不需要|没必要|なしで|せずに|しないで|不要です|いりません|必要はありません"
    r"|必要ない",
    re.I,
)
# "Don't hesitate to", "why not", "I wouldn't mind", "not only": a negation of something else.
_HARMLESS = re.compile(
    r"hesitate|why (?:not|don['’]?t)|wouldn['’]?t mind|would not mind|not (?:only|just)|don['’]?t just|can['’]?t we|"
    r"nicht nur|warum nicht|zöger|pourquoi (?:ne )?pas|pas seulement|hésite|por qué no|no solo|no sólo|no dudes|何不"
    r"|不仅|不只",
    re.I,
)
_JUST_ANSWER = re.compile(
    r"(?:^\W*|\b(?:please|and|so|then|you|to) )(?:just|simply|only) (?:answer|reply|respond|tell me|"
    r"give me (?:the|an|a|your) (?:\w+ )?(?:answer|result|number))\b"
    r"|^\s*(?:answer|reply) (?:directly|quickly|straight away)\b|\b(?:single|one) model (?:only|is (?:fine|enough))\b"
    r"|\b(?:nur|einfach|bloß) (?:kurz )?(?:antworten?|die antwort|eine antwort|beantworten?)\b|\bantworte? "
    r"(?:einfach|nur|direkt)\b"
    r"|\b(?:réponds?|répondez|répondre) (?:juste|simplement|directement)\b|\bjuste (?:la|une) réponse\b"
    r"|\b(?:solo|simplemente|sólo) (?:responde|respóndeme|contesta|dame la respuesta|la respuesta)\b|\bresponde "
    r"directamente\b"
    r"|(?:直接|只要?|只需)(?:回答|告诉我|给我答案)|(?:直接|単に|とにかく|ただ)答えて|答えだけ",
    re.I,
)

REJECTION_CHARS = 300
"""A rejection stands at the start of a turn."""
_REJECTS = re.compile(
    r"\b(?:that|this|it|your (?:last |previous )?(?:answer|response|reply|code|solution)|you)(?:['’]?s| is| was"
    r"|['’]?re| are| still)? "
    r"(?:(?:is|are|still|completely|totally|just|simply|also|all|plain|clearly|quite) ){0,3}"
    r"(?:wrong|incorrect|mistaken|false|not (?:right|correct|true|helpful|what i (?:asked|meant|wanted|said|need))"
    r"|useless|nonsense|made up|"
    r"unhelpful|not working|broken)\b"
    r"|\b(?:isn['’]?t|wasn['’]?t|aren['’]?t) (?:right|correct|true|helpful|what i (?:asked|meant|wanted|said))\b"
    r"|\bdoes(?:n['’]?t| not) (?:work|answer|help|make sense|compile)\b|\bdid(?:n['’]?t| not) (?:work|help|answer"
    r"|fix)\b"
    r"|\bstill (?:wrong|fails|failing|broken|not working|the same error|incorrect)\b"
    r"|\byou(?:['’]ve| have)? (?:misunderstood|misread|missed|ignored|forgot|got (?:it|that) wrong|made (?:a|an"
    r"|that) (?:mistake|error))"
    r"|\btry again\b|\bwrong answer\b|\bnot what i (?:asked|meant|wanted)\b|^\W*(?:wrong|incorrect|nope|nonsense)\b"
    r"|^\W*no\W+(?:that|it|you|i )"
    r"|\b(?:stimmt|passt|funktioniert|hilft) (?:so |leider |mir |immer noch |einfach )?(?:nicht|gar nicht)\b|\bdas "
    r"ist (?:leider |doch )?(?:falsch|unsinn|nicht (?:richtig|korrekt))"
    r"|^\W*falsch\b|\bnoch ?mal versuchen\b|\bversuch(?:e|s)? (?:es )?(?:noch ?mal|erneut|noch einmal)\b|\bnicht "
    r"(?:gefragt|gemeint)\b"
    r"|\bc['’]est (?:faux|incorrect|pas (?:ça|correct|juste|vrai|ce que))|\bce n['’]est pas (?:ça|correct|juste|vrai"
    r"|ce que)|\bréessa\w+"
    r"|\b(?:ça|cela) ne (?:marche|fonctionne) pas\b|\btu te trompes\b|\bvous vous trompez\b"
    r"|\b(?:eso|esto) (?:no es|está|es) (?:correcto|cierto|mal|incorrecto|falso|lo que)|\bno es (?:correcto|lo que "
    r"(?:pedí|pregunté))|"
    r"\bno funciona\b|\binténtalo de nuevo\b|\bte equivocas\b"
    r"|不对|不正确|错了|錯了|不是我(?:想|要|问)|再试一次|答非所问|没有用|違います|違う(?!の)|間違って|間違い(?:です"
    r"|だ)|正しくない|やり直し|もう一度やって",
    re.I,
)
_ACCEPTS = re.compile(
    r"\bnot (?:wrong|incorrect|bad|mistaken)\b|\bnothing (?:is )?wrong\b|\b(?:is|was|are|am) (?:that|this|it|i) "
    r"wrong\b|"
    r"\bif (?:that|this|it)(?: is|['’]s)? (?:wrong|incorrect)\b|\bnicht falsch\b|\bpas faux\b|没错|沒錯|不错"
    r"|間違いない",
    re.I,
)


def asks_for_panel(conversation: Conversation) -> bool:
    """Whether the user asks for several models, opinions or a debate."""
    return any(_PANEL.search(clause) and not _negated(clause) for clause in _clauses(conversation, _PANEL_STEMS))


def forbids_panel(conversation: Conversation) -> bool:
    """Whether the user wants none of that: a negated request for a panel, or "just answer"."""
    if any(_PANEL.search(clause) and _negated(clause) for clause in _clauses(conversation, _PANEL_STEMS)):
        return True
    answers = _clauses(conversation, _ANSWER_STEMS)
    return any(_JUST_ANSWER.search(clause) and not _NEGATION.search(clause) for clause in answers)


def dissatisfied(conversation: Conversation) -> bool:
    """Whether the user, after an answer, rejects it."""
    if not conversation.has_answer:
        return False
    opening = conversation.words[:REJECTION_CHARS]
    return _REJECTS.search(opening) is not None and not _ACCEPTS.search(opening)


def _clauses(conversation: Conversation, stems: tuple[str, ...]) -> list[str]:
    """The clauses of the user's words in which one of `stems` stands, in lower case."""
    lower = f" {conversation.words.lower()}"
    present = [stem for stem in stems if stem in lower]
    return [clause for clause in conversation.clauses if any(stem in clause for stem in present)] if present else []


def _negated(clause: str) -> bool:
    return _NEGATION.search(clause) is not None and not _HARMLESS.search(clause)
