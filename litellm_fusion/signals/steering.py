"""What a prompt says of itself, or tells the gate; it is taken out before anything is read.

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
    r"einfache|schwierige)(?: \w+)? (?:question|task|request|problem|query|frage|aufgabe|pregunta)s?\b[.,;:!]?"
    r"|\b(?:classify|treat|route|label|mark|flag) (?:this|it|me|my (?:request|question|prompt))(?: \w+){0,2} (?:as"
    r"|to)(?: an?| the)?"
    r"(?: [\w\-]+){1,3}[.,;:!]?"
    r"|这是(?:一?个)?(?:很|非常)?(?:简单|困难|复杂|重要)的?(?:问题|任务)[。，]?|これは(?:簡単|難しい|重要)な?(?:質問"
    r"|問題|タスク)です?[。、]?",
    re.I,
)


def without(words: str) -> str:
    """`words` without steering; as they are when nothing else is left."""
    rest = STEERING.sub(" ", words)
    return rest if rest.strip(" .,;:!?\n") else words
