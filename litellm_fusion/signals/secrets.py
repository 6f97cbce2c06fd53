"""The kinds of credentials in a text, by their issuers' forms; placeholders and documentation samples are none.

Kinds: aws_access_key, github_token, gitlab_token, slack_token, stripe_key, anthropic_key, openai_key, google_api_key,
huggingface_token, npm_token, sendgrid_key, jwt, private_key, connection_string, password (an assignment to a name such
as password, api_key, token or secret, with a value that looks random).
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator

_START = r"(?<![A-Za-z0-9_\-])"

# kind → the literals one of which every match contains, and the form. A literal is found in a long text at the speed of
# memory; the form is tried only where it stands.
_TOKENS: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (kind, literals, re.compile(_START + form))
    for kind, literals, form in (
        ("aws_access_key", ("AKIA", "ASIA"), r"A[KS]IA[A-Z2-7]{16}(?![A-Za-z0-9])"),
        ("github_token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_[A-Za-z0-9]{36,251}"),
        ("github_token", ("github_pat_",), r"github_pat_[A-Za-z0-9_]{40,120}"),
        ("gitlab_token", ("glpat-",), r"glpat-[A-Za-z0-9_\-]{20,64}"),
        ("slack_token", ("xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-"), r"xox[abprs]-[A-Za-z0-9\-]{20,250}"),
        ("slack_token", ("xapp-",), r"xapp-[A-Za-z0-9\-]{20,250}"),
        ("stripe_key", ("sk_live_", "rk_live_"), r"[rs]k_live_[A-Za-z0-9]{16,250}"),
        ("anthropic_key", ("sk-ant-",), r"sk-ant-[A-Za-z0-9_\-]{24,200}"),
        ("openai_key", ("sk-",), r"sk-(?!ant-)(?=[A-Za-z0-9_\-]{0,99}?[A-Za-z0-9]{16})[A-Za-z0-9_\-]{20,250}"),
        ("google_api_key", ("AIza",), r"AIza[A-Za-z0-9_\-]{35}(?![A-Za-z0-9_\-])"),
        ("huggingface_token", ("hf_",), r"hf_[A-Za-z0-9]{30,60}"),
        ("npm_token", ("npm_",), r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
        ("sendgrid_key", ("SG.",), r"SG\.[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{32,64}"),
    )
)
_JWT = re.compile(_START + r"(eyJ[A-Za-z0-9_\-]{8,2000})\.[A-Za-z0-9_\-]{8,8000}\.[A-Za-z0-9_\-]{16,2000}")
_PEM = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----[\s\\nr\"'+]{0,12}"
    r"(?:[A-Za-z\-]{1,20}: [^\n]{0,80}\s{1,2}){0,4}([A-Za-z0-9+/=]{32})"
)
_LOGIN = re.compile(r"([A-Za-z0-9_.%+\-]{0,64}):([^\s/@:\"'`<>]{3,128})@[A-Za-z0-9\[]")

_NAME_STEMS = (
    "passw", "pwd", "secret", "api_key", "apikey", "api-key", "access_key", "token", "passphrase", "kennwort", "密码",
)  # fmt: skip
_ASSIGNMENT = re.compile(
    r"(?:passw(?:or)?d|passwort|pwd|secret(?:[_\-]?(?:access[_\-]?)?key)?|api[_\-]?key|access[_\-]?key|token"
    r"|passphrase|kennwort|密码)"
    r"[\"'`\\]{0,2}[ \t]{0,4}(?:=>|:=|[:=：]|is\b|ist\b|是)[ \t]{0,4}[\"'`\\]{0,2}([^\s\"'`,;<>{}()\\]{8,200})",
    re.I,
)

_PLACEHOLDER = re.compile(
    r"\.\.\.|…|\*\*\*|x{4,}|your|example|sample|change[_\-]?me|placeholder|dummy|fake|redacted|insert|replace|todo"
    r"|hidden|"
    r"<|>|\$\{|\{\{|%\(|\$\(|\$[A-Z_]{3}|abcdef|123456789|0{6,}|_here\b|-here\b|(?:^|[_\-.])(?:env|environ|process)\b",
    re.I,
)
# settings.API_KEY2, MY_KEY_V2, db_password_2: the value is a name that stands for the secret.
_IDENTIFIER = re.compile(
    r"(?:[A-Za-z_]\w{0,30}\.)+[A-Za-z_]\w{0,30}|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z]+(?:_[a-z0-9]+)+|[a-z]+[0-9]"
)
_DEFAULT_PASSWORDS = frozenset({
    "admin", "changeme", "guest", "mysql", "pass", "passwd", "password", "password123", "postgres", "pwd",
    "rabbitmq", "redis", "root", "secret", "test", "user",
})  # fmt: skip
RANDOM_BITS = 3.0
"""Bits of entropy per character from which a mixed value passes for random; English words stay below it."""
MIN_DISTINCT = 8
"""A token with fewer different characters after its prefix is made up."""


def kinds(text: str) -> tuple[str, ...]:
    """The kinds of credentials found anywhere in `text`, each once, in alphabetical order. Never the credential "
    "itself."""
    found = {kind for kind, literals, form in _TOKENS if _has_token(text, literals, form)}
    for kind, finds in _OTHERS:
        if finds(text):
            found.add(kind)
    return tuple(sorted(found))


def _has_token(text: str, literals: tuple[str, ...], form: re.Pattern[str]) -> bool:
    for literal in literals:
        for at in _each(text, literal):
            match = form.match(text, at)
            if match and not _is_made_up(match[0][len(literal) :]):
                return True
    return False


def _each(text: str, literal: str) -> Iterator[int]:
    at = text.find(literal)
    while at >= 0:
        yield at
        at = text.find(literal, at + len(literal))


def _is_made_up(value: str) -> bool:
    varied = len(set(value)) >= MIN_DISTINCT and any(char.isdigit() for char in value)
    return not varied or _PLACEHOLDER.search(value) is not None


def _has_jwt(text: str) -> bool:
    for at in _each(text, "eyJ"):
        match = _JWT.match(text, at)
        if match and _is_jwt_header(match[1]):
            return True
    return False


def _is_jwt_header(segment: str) -> bool:
    try:
        header = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except ValueError:
        return False
    return isinstance(header, dict) and "alg" in header


def _has_private_key(text: str) -> bool:
    for at in _each(text, "-----BEGIN "):
        match = _PEM.match(text, at)
        if match and len(set(match[1])) >= MIN_DISTINCT:
            return True
    return False


def _has_connection_string(text: str) -> bool:
    for at in _each(text, "://"):
        match = _LOGIN.match(text, at + 3)
        if match is None or _PLACEHOLDER.search(match[2]):
            continue
        if match[2].lower() not in _DEFAULT_PASSWORDS | {match[1].lower()}:
            return True
    return False


def _has_password(text: str) -> bool:
    lower = text.lower()
    if len(lower) != len(text):  # some letters change their length with their case; positions must agree
        text = lower
    return any(_is_assigned(text, lower, stem) for stem in _NAME_STEMS)


def _is_assigned(text: str, lower: str, stem: str) -> bool:
    at = lower.find(stem)
    while at >= 0:
        match = _ASSIGNMENT.match(text, at)
        if match and _looks_random(match[1]):
            return True
        # Past the value: "token=token=token=..." is read once, not once for each of its words.
        at = lower.find(stem, match.end() if match else at + len(stem))
    return False


def _looks_random(value: str) -> bool:
    value = value.rstrip(".!?]")
    if len(value) < 8 or _PLACEHOLDER.search(value) or value.lower() in _DEFAULT_PASSWORDS or "://" in value:
        return False
    if _IDENTIFIER.fullmatch(value):
        return False
    has_digit = any(char.isdigit() for char in value)
    has_letter = any(char.isalpha() for char in value)
    return has_digit and has_letter and _bits(value) >= min(RANDOM_BITS, math.log2(len(value)) - 0.2)


def _bits(value: str) -> float:
    """Shannon entropy in bits per character."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())


_OTHERS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("jwt", _has_jwt),
    ("private_key", _has_private_key),
    ("connection_string", _has_connection_string),
    ("password", _has_password),
)
