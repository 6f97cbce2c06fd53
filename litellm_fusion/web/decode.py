"""Bytes of a page → text. Encodings come from a list: some of Python's codecs are slow on purpose-made input, some no text."""

from __future__ import annotations

import codecs
import re

_KNOWN = frozenset({
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii", "iso8859-1", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254",
    "cp1255", "cp1256", "cp1257", "cp1258", "cp866", "cp874", "koi8-r", "koi8-u", "iso8859-2", "iso8859-3", "iso8859-4",
    "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-10", "iso8859-13", "iso8859-14", "iso8859-15",
    "iso8859-16", "gb2312", "gbk", "gb18030", "big5", "big5hkscs", "shift_jis", "cp932", "euc_jp", "iso2022_jp", "euc_kr",
    "cp949", "mac-roman",
})  # fmt: skip
_WIDE = frozenset({"utf-16", "utf-16-le", "utf-16-be", "iso2022_jp"})
"""Whose bytes may pass for UTF-8."""
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def decoded(body: bytes, charset: str | None = None) -> str:
    """The text. `charset` is what the server said; a page in UTF-8 is read as that, whatever the server said."""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    said = _codec(charset)
    if said in _WIDE:
        return body.decode(said, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if said in (None, "utf-8", "ascii"):
        meta = _META.search(body[:2_048])
        said = _codec(meta.group(1).decode("ascii")) if meta else None
    if said is None or said in _WIDE or said == "ascii":
        said = "utf-8" if charset else "cp1252"
    return body.decode("cp1252" if said == "iso8859-1" else said, "replace")


def _codec(name: str | None) -> str | None:
    if not name or len(name) > 40 or not name.isascii():
        return None
    try:
        found = codecs.lookup(name.strip("\"' ")).name
    except (LookupError, ValueError):
        return None
    return found if found in _KNOWN else None
