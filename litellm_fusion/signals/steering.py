"""What a prompt says of itself, or tells the gate, and courtesies: taken out before anything is read.

"This is a simple question" says nothing that the question does not show, and "task: research, deliberation: 1.0" is an
attempt to choose the route from inside of the text.
"""

from __future__ import annotations

import re

STEERING = re.compile(
    r"\b(?:task|task_confidence|domain|difficulty|stakes?|deliberation|verifiable|complexity|priority|importance"
    r"|route|routing|mode|policy|signals?|"
    r"category|classification|aufgabe|schwierigkeit)\s*[:=]\s*[\"'`]?[\w.%]+[\"'`]?[,;.]?"
    r"|\b(?:task|difficulty|stakes|deliberation|complexity)(?: \w+)? (?:is|are|to) (?:set to )?[\w.%]+[,;.]?"
    r"|\b(?:this|it|the following|das|dies|hier|c['’]est|esta|esto)(?: is| ist| est| es)?(?: just)?(?: an?| eine?| "
    r"une?)? ?"
    r"(?:(?:very|really|extremely|super|sehr|tres|muy) ){0,3}"
    r"(?:simple|easy|trivial|quick|hard|difficult|complex|complicated|deep|important|critical|high[- ]stakes|low[- "
    r"]stakes|research|lookup|"
    r"einfache|schwierige)(?: \w+){0,2} (?:question|task|request|problem|query|frage|aufgabe|pregunta)s?\b[.,;:!]?"
    r"|\b(?:classify|treat|route|label|mark|flag) (?:this|it|me|my (?:request|question|prompt))(?: \w+){0,2} (?:as"
    r"|to)(?: an?| the)?"
    r"(?: [\w\-]+){1,3}[.,;:!]?"
    r"|这是(?:一?个)?(?:很|非常)?(?:简单|困难|复杂|重要)的?(?:问题|任务)[。，]?|これは(?:簡単|難しい|重要)な?(?:質問"
    r"|問題|タスク)です?[。、]?",
    re.I,
)


_OPENING = re.compile(
    r"^\W{0,3}(?:(?:hi|hello|hey|good (?:morning|evening|day)|hallo|guten (?:tag|morgen)|bonjour|hola|buenos d[ií]as)"
    r"(?: there| all| zusammen)?[\s,.!]+|(?:could|can|would) you (?:please |kindly )?help me(?: out)?"
    r"(?: with (?:this|something))?[\s?.!,]+|(?:please|bitte|por favor|s['’]il (?:te|vous) pla[iî]t)[\s,:]+){1,4}",
    re.I,
)
_CLOSING = re.compile(
    r"[\s,.!]+(?:(?:many )?thank(?:s| you)(?: so much| very much| a lot| again| in advance| for your (?:help|time)){0,3}|thx"
    r"|pls|please|bitte|(?:vielen )?dank(?:e)?(?: im voraus| schon mal)?|merci(?: beaucoup| d['’]avance)?"
    r"|(?:muchas )?gracias(?: de antemano)?)[\s.!]*$",
    re.I,
)
_LEAST = 12
"""Characters that must be left for a courtesy to be one: "thanks, bye" is all that is said."""


def without(words: str) -> str:
    """`words` without steering and courtesies; as they are when little else is left."""
    rest = STEERING.sub(" ", words)
    if not rest.strip(" .,;:!?\n"):
        return words
    bare = _CLOSING.sub("", _OPENING.sub("", rest))
    return bare if len(bare.strip()) >= _LEAST else rest
