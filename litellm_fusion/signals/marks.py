"""The marks in a question that are not words of a lexicon: steering, courtesy, arithmetic, choices, code, lists."""

# ruff: noqa: RUF001 - the text of other scripts is matched as their users write it
from __future__ import annotations

import re

# What a prompt says of itself or tells the gate; it is taken out before anything is counted.
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
POLITE = re.compile(
    r"^(?: (?:please|hi|hello|hey|can you|could you|would you|can u|i want you to|i d like you to|i need you to"
    r"|bitte|kannst du|konnen sie|"
    r"peux tu|pouvez vous|puedes|podrias|por favor|s il vous plait|s il te plait)(?= )){1,3}"
)
ARITHMETIC = re.compile(
    r"\d\s*(?:[+*^×÷]|\*\*)\s*\d|\d\s+[-/]\s+\d|\d\s*%\s*(?:of|von|de)\b|[=<>≤≥]\s*-?\d|\\(?:frac|int|sum|sqrt)|\b\d+!|"
    r"\bx\^?\d|\bmod\b"
)
OPTION = re.compile(r"(?:^|\s)\(?([A-D])[).:]\s")
SHORT_ANSWER = re.compile(
    r"\b(?:true or false|yes or no|final answer|single (?:number|word|letter)|only the (?:number|letter|value)|"
    r"one word|exact value|wahr oder falsch|vrai ou faux|verdadero o falso)\b",
    re.I,
)
SUPERLATIVE = re.compile(
    r"^ (?:which|who|what|welche[rs]?|quel|quelle|cual) (?:\w+ ){0,3}(?:is|was|ist|est|es) (?:\w+ )?(?:bigger|larger|"
    r"longer|older|taller|higher|faster|heavier|largest|biggest|longest|oldest|tallest|highest|grosser|grosste|"
    r"plus grand|mas grande)"
)
CODE = re.compile(
    r"\bdef \w+\(|\bclass \w+[:({]|\bfunction\s*\w*\(|#include|=>\s*[{(]|\bimport \w+|;\s*\n|</\w+>|"
    r"Traceback \(most|SELECT .{1,80} FROM "
)
LIST_ITEM = re.compile(r"(?:^|\n)\s*(?:[-*•]|\d{1,2}[.)])\s")
