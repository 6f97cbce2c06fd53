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

from litellm_fusion.signals import checksums
from litellm_fusion.signals.contacts import has_email, has_ip_address, has_phone
from litellm_fusion.signals.context import (
    at_places,
    half_width,
    letters_of,
    lower_of,
    matches,
    near,
    places,
    shape_of,
    suspicious,
    windows,
)

# ASCII letters only: Chinese and Japanese set no space before a number.
_BEFORE = r"(?<![A-Za-z0-9_.#/+$\-])"
_AFTER = r"(?![A-Za-z0-9_]|[.\-/][0-9])"
_SEPARATORS = str.maketrans("", "", " .-/()\u00a0\u202f")


@dataclass(frozen=True, slots=True)
class _Number:
    """One kind of number: its form, its check and the words for it.

    `shapes`, or the finder that `begins` names, tell where its form can begin, for those that are told by their form; a
    word for them outvotes a word for another kind of number, which otherwise speaks against the match. `stems` instead
    are for those that count only beside a word: one of these plain substrings is in every match of `words`.
    """

    kind: str
    form: re.Pattern[str]
    holds: Callable[[str], bool]
    words: re.Pattern[str]
    shapes: tuple[bytes, ...] = ()
    begins: str = ""
    stems: tuple[str, ...] = ()


def _told(kind: str, begins: str, form: str, holds: Callable[[str], bool], words: str) -> _Number:
    """`begins` are shapes, or the name of a finder behind "@"."""
    told, near_words = re.compile(_BEFORE + form + _AFTER), re.compile(words, re.I)
    if begins.startswith("@"):
        return _Number(kind, told, holds, near_words, begins=begins[1:])
    return _Number(kind, told, holds, near_words, shapes=tuple(shape.encode("latin-1") for shape in begins.split("|")))


def _beside(kind: str, stems: str, form: str, holds: Callable[[str], bool], words: str) -> _Number:
    return _Number(kind, re.compile(_BEFORE + form + _AFTER), holds, re.compile(words, re.I), stems=tuple(stems.split("|")))


def _any(_: str) -> bool:
    return True


_SSN = r"\bssn\b|social security|sozialversicherung"
_NUMBERS = (
    _told(
        "credit_card", "@card",
        r"(?:[0-9]{13,19}|[0-9]{4}([ \-\u00a0])[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}|[0-9]{4}([ \-\u00a0])[0-9]{6}\2[0-9]{4,5})",
        checksums.card,
        r"\bcard|visa|master ?card|amex|american express|kredit|karte|carte|tarjeta|cvv|cvc|信用卡|银行卡|カード",
    ),
    _told("us_ssn", "000-00-0000", r"(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}", _any, _SSN),
    _beside(
        "us_ssn", "ssn|social security|sozialversicherung",
        r"(?!000|666|9)[0-9]{3} ?(?!00)[0-9]{2} ?(?!0000)[0-9]{4}", _any, _SSN,
    ),
    _beside(
        "de_tax_id", "steuer|id|tin|tax",
        r"[0-9]{2}[ /]?[0-9]{3}[ /]?[0-9]{3}[ /]?[0-9]{3}", checksums.de_tax_id,
        r"steuer|id-?nr|identifikationsnummer|\btin\b|tax (?:id|no|num)",
    ),
    _told(
        "es_dni",
        "00000000A|00000000 A|00000000-A|00.000.000A|00.000.000 A|00.000.000-A|00000.000A|00000.000 A|00000.000-A|"
        "00.000000A|00.000000 A|00.000000-A",
        r"[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}[ \-]?[A-Z]", checksums.es_dni, r"\bdni\b|\bnif\b|identidad",
    ),
    _told(
        "fr_nir", "@french", r"[1-478] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
        checksums.fr_nir, r"sécu|secu|\bnir\b|insee|carte vitale",
    ),
    _beside("uk_nhs", "nhs", r"[0-9]{3}[ \-]?[0-9]{3}[ \-]?[0-9]{4}", checksums.uk_nhs, r"\bnhs\b"),
    _told("br_cpf", "000.000.000-00", r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", checksums.br_cpf, r"\bcpf\b"),
    _beside("br_cpf", "cpf", r"[0-9]{11}", checksums.br_cpf, r"\bcpf\b"),
    _told(
        "br_cnpj", "00.000.000/0000-00", r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}", checksums.br_cnpj, r"\bcnpj\b"
    ),
    _beside("br_cnpj", "cnpj", r"[0-9]{14}", checksums.br_cnpj, r"\bcnpj\b"),
    _beside(
        "in_aadhaar", "aadh|adha|uidai|आधार", r"[2-9][0-9]{3}[ \-]?[0-9]{4}[ \-]?[0-9]{4}", checksums.in_aadhaar,
        r"aadh?aa?r|uidai|आधार",
    ),
    _beside(
        "nl_bsn", "bsn|burgerservice|sofi", r"[0-9]{4}[. ]?[0-9]{2}[. ]?[0-9]{3}", checksums.nl_bsn,
        r"\bbsn\b|burgerservice|sofi",
    ),
    _beside("pl_pesel", "pesel", r"[0-9]{11}", checksums.pl_pesel, r"pesel"),
    _told(
        "cn_id", "@resident", r"[1-9][0-9]{16}[0-9Xx]", checksums.cn_id,
        r"身份证|resident id",
    ),
    _told("ch_ahv", "000.0000.0000.00", r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}", checksums.ch_ahv, r"\bahv\b|\bavs\b"),
)  # fmt: skip

# Letters lead these: two digits behind a capital, or behind X-, Y- or Z-.
_NIE = re.compile(r"(?<![A-Za-z0-9_])[XYZ]-?[0-9]{7}-?[A-Z](?![A-Za-z0-9_])")
_FISCAL = re.compile(r"(?<![A-Za-z0-9_])[A-Z]{6}[0-9]{2}[A-EHLMPR-T][0-9]{2}[A-Z][0-9]{3}[A-Z](?![A-Za-z0-9_])")


def kinds(text: str) -> tuple[str, ...]:
    """The kinds of personal data found anywhere in `text`, each once, in alphabetical order."""
    text = half_width(text)
    shape = shape_of(text)
    found: set[str] = set()
    if has_email(text):
        found.add("email")
    if b"00" not in shape:
        return tuple(sorted(found))
    lower = lower_of(text)
    letters = letters_of(lower)
    found |= _numbers(text, shape, lower, letters) | _lettered(text, shape)
    if has_phone(text, shape, lower, letters):
        found.add("phone")
    if has_ip_address(text, shape):
        found.add("ip_address")
    return tuple(sorted(found))


def _numbers(text: str, shape: bytes, lower: str, letters: bytes) -> set[str]:
    # Not at the top: numpy is read when the first text with numbers comes, not when the proxy starts.
    from litellm_fusion.signals import digits

    found: set[str] = set()
    runs = digits.Runs(shape)
    for number in _NUMBERS:
        if number.kind in found:
            continue
        if number.begins:
            candidates = at_places(number.form, text, digits.FINDERS[number.begins](runs))
        elif number.shapes:
            candidates = matches(number.form, text, shape, number.shapes)
        else:
            places_near = windows(lower, letters, number.stems)
            candidates = (match for start, end in places_near for match in number.form.finditer(text, start, end))
        if any(_counts(number, text, match) for match in candidates):
            found.add(number.kind)
    return found


def _counts(number: _Number, text: str, match: re.Match[str]) -> bool:
    if not number.holds(match[0].translate(_SEPARATORS)):
        return False
    return near(number.words, text, match) or not (number.stems or suspicious(text, match))


def _lettered(text: str, shape: bytes) -> set[str]:
    found = set()
    for at in (*(place + 1 for place in places(shape, b"A00")), *(place + 2 for place in places(shape, b"A-00"))):
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
