"""The kinds of personal data in a text, by form and checksum.

Kinds: email, phone, ip_address, credit_card, iban, us_ssn, and national identity numbers whose check digits are
published (de_tax_id, es_dni, fr_nir, uk_nhs, br_cpf, br_cnpj, in_aadhaar, nl_bsn, pl_pesel, cn_id, ch_ahv,
it_fiscal_code). A number whose checksum lets one in ten through counts only beside a word for it. Names and addresses
are not found here, nor anything in an image. Every regular expression is linear: no two repeats can share a character.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from litellm_fusion.signals import checksums
from litellm_fusion.signals.contacts import has_email, has_ip_address, has_phone
from litellm_fusion.signals.context import Spans, half_width, near, number_spans, suspicious

# ASCII letters only: Chinese and Japanese set no space before a number.
_BEFORE = r"(?<![A-Za-z0-9_.#/+$\-])"
_AFTER = r"(?![A-Za-z0-9_]|[.\-/][0-9])"
_SEPARATORS = str.maketrans("", "", " .-/()\u00a0\u202f")


@dataclass(frozen=True, slots=True)
class _Number:
    """One kind of number: its form, its check and the words for it.

    `least` and `most` are how many digits it has. With `needs_words` the words must stand near. Without, they outvote
    a word for another kind of number, which otherwise speaks against the match.
    """

    kind: str
    form: re.Pattern[str]
    holds: Callable[[str], bool]
    words: re.Pattern[str]
    least: int
    most: int
    needs_words: bool = False


def _number(
    kind: str,
    size: int | tuple[int, int],
    form: str,
    holds: Callable[[str], bool],
    words: str,
    needs_words: bool = False,
) -> _Number:
    least, most = (size, size) if isinstance(size, int) else size
    return _Number(kind, re.compile(_BEFORE + form + _AFTER), holds, re.compile(words, re.I), least, most, needs_words)


def _any(_: str) -> bool:
    return True


_SSN = r"\bssn\b|social security|sozialversicherung"
_NUMBERS = (
    _number(
        "credit_card",
        (13, 19),
        r"(?:[0-9]{13,19}|[0-9]{4}([ \-\u00a0])[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}|[0-9]{4}([ "
        r"\-\u00a0])[0-9]{6}\2[0-9]{4,5})",
        checksums.card,
        r"\bcard|visa|master ?card|amex|american express|kredit|karte|carte|tarjeta|cvv|cvc|信用卡|银行卡|カード",
    ),
    _number("us_ssn", 9, r"(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}", _any, _SSN),
    _number("us_ssn", 9, r"(?!000|666|9)[0-9]{3} ?(?!00)[0-9]{2} ?(?!0000)[0-9]{4}", _any, _SSN, needs_words=True),
    _number(
        "de_tax_id",
        11,
        r"[0-9]{2}[ /]?[0-9]{3}[ /]?[0-9]{3}[ /]?[0-9]{3}",
        checksums.de_tax_id,
        r"steuer|id-?nr|identifikationsnummer|\btin\b|tax (?:id|no|num)",
        needs_words=True,
    ),
    _number("es_dni", 8, r"[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}[ \-]?[A-Z]", checksums.es_dni, r"\bdni\b|\bnif\b|identidad"),
    _number(
        "fr_nir",
        15,
        r"[1-478] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
        checksums.fr_nir,
        r"sécu|secu|\bnir\b|insee|carte vitale",
    ),
    _number("uk_nhs", 10, r"[0-9]{3}[ \-]?[0-9]{3}[ \-]?[0-9]{4}", checksums.uk_nhs, r"\bnhs\b", needs_words=True),
    _number("br_cpf", 11, r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", checksums.br_cpf, r"\bcpf\b"),
    _number("br_cpf", 11, r"[0-9]{11}", checksums.br_cpf, r"\bcpf\b", needs_words=True),
    _number("br_cnpj", 14, r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}", checksums.br_cnpj, r"\bcnpj\b"),
    _number("br_cnpj", 14, r"[0-9]{14}", checksums.br_cnpj, r"\bcnpj\b", needs_words=True),
    _number(
        "in_aadhaar",
        12,
        r"[2-9][0-9]{3}[ \-]?[0-9]{4}[ \-]?[0-9]{4}",
        checksums.in_aadhaar,
        r"aadh?aa?r|uidai|आधार",
        needs_words=True,
    ),
    _number(
        "nl_bsn",
        9,
        r"[0-9]{4}[. ]?[0-9]{2}[. ]?[0-9]{3}",
        checksums.nl_bsn,
        r"\bbsn\b|burgerservice|sofi",
        needs_words=True,
    ),
    _number("pl_pesel", 11, r"[0-9]{11}", checksums.pl_pesel, r"pesel", needs_words=True),
    _number("cn_id", (17, 18), r"[1-9][0-9]{16}[0-9Xx]", checksums.cn_id, r"身份证|resident id"),
    _number("ch_ahv", 13, r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}", checksums.ch_ahv, r"\bahv\b|\bavs\b"),
)

# Letters lead these; one scan for two digits behind a capital finds where to look, several times faster than three.
_LETTERED = re.compile(r"[0-9]{2}(?:(?<=[A-Z][0-9]{2})|(?<=[XYZ]-[0-9]{2}))")
_NIE = re.compile(r"(?<![A-Za-z0-9_])[XYZ]-?[0-9]{7}-?[A-Z](?![A-Za-z0-9_])")
_FISCAL = re.compile(r"(?<![A-Za-z0-9_])[A-Z]{6}[0-9]{2}[A-EHLMPR-T][0-9]{2}[A-Z][0-9]{3}[A-Z](?![A-Za-z0-9_])")


def kinds(text: str) -> tuple[str, ...]:
    """The kinds of personal data found anywhere in `text`, each once, in alphabetical order."""
    text = half_width(text)
    spans = number_spans(text)
    found = _numbers(text, spans) | _lettered(text)
    if has_email(text):
        found.add("email")
    if has_phone(text, spans):
        found.add("phone")
    if has_ip_address(text, spans):
        found.add("ip_address")
    return tuple(sorted(found))


def _numbers(text: str, spans: Spans) -> set[str]:
    found: set[str] = set()
    for start, end in spans:
        digits = text[start:end].translate(_SEPARATORS)
        # A single number is no part of a longer one; a span of several may hold any that is not longer than all.
        is_one = len(digits) == end - start
        for number in _fitting(len(digits), is_one):
            # A form may end in a letter just behind its digits, and looks two characters further.
            if number.kind not in found and any(
                _counts(number, text, match) for match in number.form.finditer(text, start, end + 3)
            ):
                found.add(number.kind)
    return found


@lru_cache(maxsize=128)
def _fitting(size: int, is_one: bool) -> tuple[_Number, ...]:
    return tuple(n for n in _NUMBERS if n.least <= size and (size <= n.most or not is_one))


def _counts(number: _Number, text: str, match: re.Match[str]) -> bool:
    if not number.holds(match[0].translate(_SEPARATORS)):
        return False
    if near(number.words, text, match):
        return True
    return not number.needs_words and not suspicious(text, match)


def _lettered(text: str) -> set[str]:
    found = set()
    for match in _LETTERED.finditer(text):
        at = match.start()
        if _is_iban(text, at - 2):
            found.add("iban")
        nie = _NIE.match(text, at - 1) or (_NIE.match(text, at - 2) if at > 1 else None)
        if nie and checksums.es_dni(nie[0].replace("-", "")):
            found.add("es_dni")
        fiscal = _FISCAL.match(text, at - 6) if at >= 6 else None
        if fiscal and checksums.it_fiscal_code(fiscal[0]):
            found.add("it_fiscal_code")
    return found


def _is_iban(text: str, start: int) -> bool:
    length = checksums.IBAN_LENGTHS.get(text[start : start + 2]) if start >= 0 else None
    if length is None or (start > 0 and _is_letter(text[start - 1])):
        return False
    account = ""
    for at in range(start, min(len(text), start + 2 * length)):
        if text[at] not in " -\u00a0":
            account += text[at]
        if len(account) == length:
            if _is_letter(text[at + 1 : at + 2]) or not (account.isascii() and account.isalnum() and account.isupper()):
                return False
            return checksums.iban(account)
    return False


def _is_letter(char: str) -> bool:
    return char.isascii() and char.isalnum()
