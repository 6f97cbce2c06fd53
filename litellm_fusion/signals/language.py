"""The language that the user writes in: by script, and for Latin letters by function words. None when unsure.

Fourteen languages by script (zh, ja, ko, hi, th, he, el, ar, fa, ur, ru, uk, ...) and ten by words. A guess needs two
different words of a language and a lead over the next one; a lone "Compare A, B" stays unknown rather than English.
"""

# ruff: noqa: RUF001 - the text of other scripts is matched as their users write it
from __future__ import annotations

import re

from litellm_fusion.signals.conversation import Conversation

READ_CHARS = 1000

_SCRIPTS = (
    ("kana", re.compile("[\u3041-\u30ff]")),
    ("han", re.compile("[\u4e00-\u9fff\u3400-\u4dbf]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("bn", re.compile("[\u0980-\u09ff]")),
    ("ta", re.compile("[\u0b80-\u0bff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("arabic", re.compile("[\u0600-\u06ff]")),
    ("cyrillic", re.compile("[\u0400-\u04ff]")),
    ("latin", re.compile("[A-Za-z\u00c0-\u024f]")),
)
_FULL_SCRIPTS = frozenset({"han", "kana", "ko"})
"""One sign of these weighs about as much as two or three letters of an alphabet."""

_STOP_WORDS = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the and is are was what which how why do does can you your i my me it this that of to in for with on "
        "not have "
        "be or an from should would could there please write give explain tell if when who where we at by about but",
        "de": "der die das und ist sind war was welche wie warum ich mein mir mich es dieser dass von zu für mit auf "
        "nicht "
        "haben ein eine einen aus soll kann können wenn wer wo wir sie auch oder im dem den bitte zwischen über bei "
        "nach als "
        "wird sich noch aber einem einer",
        "fr": "le la les et est sont était que quel quelle quels comment pourquoi je mon ma me il elle ce cette de "
        "des du à "
        "au pour avec sur pas avoir un une ou qui où nous vous dans par plus entre quelles peut faire aux ne se "
        "votre mes "
        "s'il avez bonjour quoi ça",
        "es": "el la los las y es son era que qué cuál cuáles cómo por porque yo mi me lo este esta de del al para "
        "con sobre "
        "no tener un una o quién dónde nosotros usted en más entre puede hacer se su hay como cual favor si cuando",
        "pt": "o a os as e é são era que qual quais como por porque eu meu minha me isso este esta de do da dos das "
        "ao para "
        "com sobre não ter um uma ou quem onde nós você em mais entre pode fazer se seu há no na quando também",
        "it": "il lo la gli le e è sono era che quale quali come perché io mio mia mi questo questa di del della dei "
        "al per "
        "con su non avere un una o chi dove noi voi in più tra fra può fare si suo nel nella sia quando anche cosa",
        "nl": "de het een en is zijn was wat welke hoe waarom ik mijn me mij dit dat van te in voor met op niet "
        "hebben of wie "
        "waar wij jij u ook tussen kan kunnen moet als naar bij uit aan om er je wordt maar deze",
        "pl": "i w na z do jest są był co który jak dlaczego ja mój mi to ten że dla nie mieć lub czy kto gdzie my "
        "pan od po "
        "przez się oraz między może jakie jaki tego",
        "sv": "och är var vad vilken hur varför jag min mig det den detta att av till i för med på inte ha en ett "
        "eller vem "
        "var vi ni som kan mellan om från de",
        "tr": "ve bir bu ne hangi nasıl neden ben benim için ile değil mi mı var yok da de en çok daha gibi olan "
        "olarak arasında",
    }.items()
}
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_MIN_WORDS = 2
_LEAD = 1.25


def language(conversation: Conversation) -> str | None:
    """The ISO 639-1 code of the last user turn's language; None when the text is too short or too mixed to tell."""
    return guess(conversation.words)


def guess(text: str) -> str | None:
    """The ISO 639-1 code of the language that `text` begins in; None when unsure."""
    text = text[:READ_CHARS]
    counts = {name: len(form.findall(text)) * (3 if name in _FULL_SCRIPTS else 1) for name, form in _SCRIPTS}
    script = max(counts, key=lambda name: counts[name])
    if counts[script] < 2:
        return None
    if script in ("han", "kana"):
        # Japanese is never long without kana; a Chinese text may quote a few.
        return "ja" if counts["kana"] * 10 >= counts["han"] else "zh"
    if script == "latin":
        return _by_words(text)
    if script == "cyrillic":
        return _cyrillic(text.lower())
    if script == "arabic":
        return "ur" if re.search("[ٹڈڑںےھ]", text) else "fa" if re.search("[پچژگ]", text) else "ar"
    return script


def _cyrillic(text: str) -> str | None:
    if re.search("[іїєґ]", text):
        return "uk"
    if re.search("[ыэё]", text):
        return "ru"
    return "ru" if re.search(r"\b(?:и|в|не|что|как|на|это|для|по|с|мне|почему|какой|где|чем)\b", text) else None


def _by_words(text: str) -> str | None:
    words = _WORD.findall(text.lower().replace("’", "'"))
    # French and Italian elide: "l'impact" holds an article, "qu'est" a pronoun.
    pieces = [piece for word in words for piece in (word, *word.split("'")[1:])]
    scores = {}
    for language, stop_words in _STOP_WORDS.items():
        hits = [word for word in pieces if word in stop_words]
        scores[language] = len(hits) if len(set(hits)) >= _MIN_WORDS else 0
    best, second = sorted(scores, key=lambda language: -scores[language])[:2]
    if scores[best] == 0 or scores[best] < _LEAD * scores[second]:
        return None
    return best
