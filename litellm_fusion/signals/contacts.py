"""Where a person can be reached: e-mail addresses, phone numbers, public IP addresses.

Decisions: an address at a reserved documentation domain (example.com, .test) counts when its name could be a person's
("jane.doe@example.com") and not when it is a placeholder ("user@example.com"); role senders (noreply) and SSH remotes
(git@host) are no one's address. Numbers reserved for fiction count as phone numbers: being wrong there costs little.
"""

from __future__ import annotations

import ipaddress
import re

from litellm_fusion.signals.context import near, places, suspicious, windows

_LOCAL = re.compile(r"[A-Za-z0-9._%+\-]{1,64}$")
_DOMAIN = re.compile(r"((?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.){1,6})([A-Za-z]{2,24})(?![A-Za-z0-9@\-])")
_UNICODE_LOCAL = re.compile(r"[\w.%+\-]{1,64}$")
_FILE_ENDINGS = frozenset({
    "bmp", "class", "cpp", "css", "csv", "dll", "exe", "gif", "go", "gz", "htm", "html", "ico", "jar", "java",
    "jpeg", "jpg", "js", "json", "jsx", "pdf", "php", "png", "rb", "scss", "svg", "tar", "tgz", "toml", "ts",
    "tsx", "txt", "webp", "whl", "xml", "yaml", "yml",
})  # fmt: skip
_RESERVED = re.compile(r"(?:^|\.)(?:example\.(?:com|org|net|edu)|(?:example|test|invalid|localhost|local))$", re.I)
_PLACEHOLDER_NAMES = frozenset({
    "admin", "bar", "benutzer", "email", "example", "first.last", "firstname.lastname", "foo", "from", "mail",
    "me", "name", "nutzer", "placeholder", "recipient", "sample", "sender", "somebody", "someone", "test", "to",
    "user", "username", "you", "your", "your.email", "your.name", "youremail", "yourname",
})  # fmt: skip
_NO_ONE = frozenset({
    "do-not-reply", "donotreply", "git", "hg", "mailer-daemon", "no-reply", "noreply", "postmaster", "svn",
})  # fmt: skip
_STOCK = frozenset({
    "a@b.c", "a@b.com", "foo@bar.com", "test@test.com", "user@domain.com", "x@y.com", "you@company.com",
})  # fmt: skip

# The literal leads, so that a long text is searched for it alone.
_INTERNATIONAL = re.compile(r"\+(?<![A-Za-z0-9_+]\+)[1-9](?:[ \-./()\u00a0]{0,2}[0-9]){7,14}(?![0-9])")
_NANP = re.compile(
    r"(?<![A-Za-z0-9_.#=+/$\-])(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}-)"
    r"[2-9][0-9]{2}-[0-9]{4}(?![A-Za-z0-9_]|-[0-9])"
)
_NANP_LEADS = (b"000-", b"(000)", b"(000) ")
_LOCAL_NUMBER = re.compile(r"(?<![A-Za-z0-9_.#+$\-])\(?[0-9](?:[ \-./()\u00a0]{0,2}[0-9]){6,13}(?![A-Za-z0-9_])")
_DATE = re.compile(r"(?:19|20)[0-9]{2}[-./ ]?[01][0-9][-./ ]?[0-3][0-9]|[0-3]?[0-9][-./][01]?[0-9][-./](?:19|20)[0-9]{2}")
_PHONE_WORDS = re.compile(
    r"\b(?:(?:tele|cell|mobile |smart)?phone|t[ée]l|telefon\w*|telefono|teléfono|téléphone|telefone|mobil(?:e|nummer"
    r"|funk)?|handy\w*|"
    r"cell|whatsapp|fax|call (?:me|us|him|her|them|back)|reach (?:me|us|him|her|them)|text (?:me|us)|ruf\w* (?:mich"
    r"|uns|bitte)|"
    r"anrufen|rückruf|durchwahl|appelez|appelle|joindre|portable|móvil|movil|celular|llám\w+|cellulare)\b"
    r"|电话|電話|手机|手機|携帯|联系方式",
    re.I,
)
# At least one of these is in every match of _PHONE_WORDS; plain substrings are found far faster in a long text.
_PHONE_STEMS = (
    "phone", "tel", "tél", "mobil", "handy", "cell", "whatsapp", "fax", "call", "reach", "text", "ruf", "durchwahl",
    "appel",
    "joindre", "portable", "móvil", "movil", "celular", "llám", "电话", "電話", "手机", "手機", "携帯", "联系方式",
)  # fmt: skip

_IPV4 = re.compile(r"(?<![A-Za-z0-9_.\-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![A-Za-z0-9_\-]|\.[0-9])")
_DOTTED = re.compile(rb"0\.0{1,3}\.0{1,3}\.0")
_IP_WORDS = re.compile(
    r"\bip(?:v4|s)?\b|[_\-]ip\b|\bip[_\-]|client|visitor|remote[_ ]addr|forwarded-for|log(?:ged|in|s)? ?(?:in)? from"
    r"|adresse",
    re.I,
)
# Public resolvers stand in every networking question and are no one's address.
_RESOLVERS = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "208.67.222.222", "208.67.220.220"})
_NO_HOSTS = tuple(
    # Shared space and multicast, which `is_global` lets by.
    ipaddress.ip_network(net)
    for net in ("100.64.0.0/10", "224.0.0.0/4")
)


def has_email(text: str) -> bool:
    """Whether an e-mail address of someone stands in `text`."""
    at = text.find("@")
    while at >= 0:
        if _is_address(text, at):
            return True
        at = text.find("@", at + 1)
    return False


def _is_address(text: str, at: int) -> bool:
    domain = _DOMAIN.match(text, at + 1, at + 256)
    if domain is None:
        return False
    before = text[max(0, at - 100) : at]
    name = (_LOCAL if before.isascii() else _UNICODE_LOCAL).search(before)
    if name is None:
        return False
    ahead = before[: name.start()]
    local, host, ending = name[0].strip(".").lower(), domain[0].lower(), domain[2].lower()
    # "@user@host" is a handle, "//user:password@host" a login, "icon@2x.png" a file.
    token = ahead.split()[-1] if ahead and not ahead[-1].isspace() else ""
    if not local or token.endswith("@") or re.search(r"://[^/?=&#]*$", token) or ending in _FILE_ENDINGS:
        return False
    if local in _NO_ONE or f"{local}@{host}" in _STOCK:
        return False
    return not (_RESERVED.search(host) and local in _PLACEHOLDER_NAMES) and not host.endswith((".localhost", ".local"))


def has_phone(text: str, shape: bytes, lower: str, letters: bytes) -> bool:
    """Whether a phone number stands in `text`: international or North American by its form, others beside a word for it.

    `shape`, `lower` and `letters` are those of the text.
    """
    if "+" in text and any(_is_international(match[0]) for match in _INTERNATIONAL.finditer(text)):
        return True
    for at in places(shape, b"000-0000"):
        for lead in _NANP_LEADS:
            start = at - len(lead)
            match = _NANP.match(text, start) if start >= 0 and shape.startswith(lead, start) else None
            if match and (near(_PHONE_WORDS, text, match) or not suspicious(text, match)):
                return True
    for start, end in windows(lower, letters, _PHONE_STEMS):
        for match in _LOCAL_NUMBER.finditer(text, start, end):
            if not _DATE.match(match[0].lstrip("(")) and near(_PHONE_WORDS, text, match):
                return True
    return False


def _is_international(number: str) -> bool:
    digits = re.sub(r"[^0-9]", "", number)
    if digits[0] == "1":  # North America: eleven digits, area and exchange from 2 up
        return len(digits) == 11 and digits[1] > "1" and digits[4] > "1"
    return len(digits) >= 10 or (len(digits) >= 8 and len(number) > len(digits) + 1)


def has_ip_address(text: str, shape: bytes) -> bool:
    """Whether a public IPv4 address stands beside a word for it; four-part versions and networks' own ranges do not
    count. `shape` is that of the text.
    """
    for place in _DOTTED.finditer(shape):
        # One to three digits stand before the first dot; the form begins at the first of them.
        starts = range(place.start(), max(-1, place.start() - 3), -1)
        match = next((match for start in starts if (match := _IPV4.match(text, start))), None)
        if match and match[0] not in _RESOLVERS and _is_public(match[0]) and near(_IP_WORDS, text, match):
            return True
    return False


def _is_public(dotted: str) -> bool:
    try:
        address = ipaddress.IPv4Address(dotted)
    except ValueError:
        return False
    return address.is_global and not any(address in network for network in _NO_HOSTS)
