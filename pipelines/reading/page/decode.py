"""Bytes to text, once: what the header, the markup and the bytes themselves say about a page's encoding."""

from __future__ import annotations

import codecs
import re
from itertools import islice

from pipelines.items import Reason, Rejected

# A page longer than this is refused: the largest real article pages seen are below 3 MB.
LONGEST = 6_000_000

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY_STARTS = (
    b"%PDF", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b", b"RIFF", b"OggS", b"ID3",
    b"\x00\x00\x00",
    b"wOFF", b"wOF2", b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"\x7fELF", b"MZ\x90",
    b"II*\x00", b"MM\x00*",
)  # fmt: skip
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.I)
_META_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.:-]+)", re.I
)
# What these names mean on the web is more than their standards say: browsers read each of them as the larger set.
_MEANT = dict.fromkeys(("iso8859-1", "ascii", "latin-1"), "cp1252") | {
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949", "iso8859-9": "cp1254",
    "big5": "big5hkscs", "tis-620": "cp874", "iso8859-11": "cp874",
}  # fmt: skip
_ESCAPED = re.compile("[\udc80-\udcff]+")
_TEXTUAL = re.compile(r"text/|html|xml|unknown/|octet-stream|^$", re.I)


def text_of(body: bytes, content_type: str = "") -> str:
    """The text of a fetched document: every character whole, no NUL, control character or lone surrogate left.

    Raises Rejected: EMPTY for nothing but blanks, BINARY for what is no text, NOT_HTML where the header names another
    kind of document, TOO_LARGE beyond ``LONGEST`` bytes, UNDECODABLE where no encoding fits.
    """
    return utf8_of(body, content_type).decode()


def utf8_of(body: bytes, content_type: str = "") -> bytes:
    """The same as UTF-8, which nearly every page is already and which the parser wants. Raises as ``text_of``."""
    media_type = content_type.partition(";")[0].strip()
    if not _TEXTUAL.search(media_type):
        raise Rejected(Reason.NOT_HTML, media_type[:100])
    if len(body) > LONGEST:
        raise Rejected(Reason.TOO_LARGE, f"{len(body)} bytes")
    if not body.strip():
        raise Rejected(Reason.EMPTY, f"{len(body)} bytes")
    bom, encoding = next(((b, name) for b, name in _BOMS if body.startswith(b)), (b"", None))
    if encoding is None:
        encoding = _wide(body)
        if encoding is None and _is_binary(body):
            raise Rejected(Reason.BINARY, f"starts with {body[:8].hex(' ')}")
    body = body.removeprefix(bom)
    if encoding is None or encoding == "utf-8":
        raw = _narrow(body, content_type)
    else:
        raw = body.decode(encoding, "ignore").encode("utf-8", "ignore")
    raw = _cleaned(raw)
    if not (raw[:1000].decode("utf-8", "ignore").strip() or raw.decode().strip()):
        raise Rejected(Reason.EMPTY, "no characters")
    lost = raw.count(_LOST) if b"\xef" in raw else 0
    if lost > max(_FEW_LOST, len(raw.decode()) // 50 if lost else 0):
        raise Rejected(Reason.UNDECODABLE, f"{lost} characters are lost")
    return _without_monsters(raw) if len(raw) > _LONG else raw


# The parser compares each attribute of an element with all before it: 200,000 of them would take it minutes.
_LONG, _MOST_ATTRIBUTES = 100_000, 2_000
_MONSTROUS = re.compile(rb"<[A-Za-z][^<>]{20000,}")
_WITHIN = 10_000  # of what is twice as long, one stretch that begins at a multiple of this is a whole part
_ATTRIBUTE = re.compile(rb"""[^\s=>"'/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+))?""")


def _without_monsters(raw: bytes) -> bytes:
    """*raw* with the attributes taken from each tag that has too many. Looks at a few bytes of each stretch, and where
    one tag fills it at that tag; the pattern alone would look at all.
    """
    pieces: list[bytes] = []
    end = 0
    for start in range(0, len(raw), _WITHIN):
        until = start + _WITHIN
        if start < end or raw.find(b">", start, until) >= 0 or raw.find(b"<", start + 1, until) >= 0:
            continue
        begun = raw.rfind(b"<", end, start + 1)
        if begun > raw.rfind(b">", end, start) and (tag := _MONSTROUS.match(raw, begun)) is not None:
            pieces += (raw[end:begun], _without_attributes(tag))
            end = tag.end()
    return b"".join((*pieces, raw[end:])) if pieces else raw


def _without_attributes(tag: re.Match[bytes]) -> bytes:
    """The tag alone where it has more attributes than any page gives a reason for."""
    many = sum(1 for _ in islice(_ATTRIBUTE.finditer(tag[0]), _MOST_ATTRIBUTES + 1))
    return re.split(rb"[\s/]", tag[0], maxsplit=1)[0] if many > _MOST_ATTRIBUTES else tag[0]


def clean(text: str) -> str:
    """*text* without characters that are no text; C1 controls become the cp1252 characters that were meant."""
    return _cleaned(text.encode("utf-8", "ignore")).decode()  # what is ignored are lone surrogates


# In bytes, and by patterns that begin with one certain byte: these are looked for ten times as fast as characters.
def _cleaned(raw: bytes) -> bytes:
    raw = raw.translate(None, _CONTROLS)
    if b"\xef" in raw:
        raw = _NO_CHARACTERS.sub(b"", raw)
    if b"\xc2" in raw:
        raw = _C1.sub(lambda m: _western(m[0][1]), raw)
    raw = _REFERENCE.sub(_referred, raw)  # half the time that it takes to look for the two characters first
    return _HALVES.sub(b"", _joined(raw)) if b"\xed" in raw else raw


# C0 controls but tab and line ends
_CONTROLS = bytes((*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F))
# the byte order mark and the two non-characters: no text either, and some break databases
_NO_CHARACTERS = re.compile(rb"\xef(?:\xbb\xbf|\xbf[\xbe\xbf])")
_LOST, _FEW_LOST = b"\xef\xbf\xbd", 20
_C1 = re.compile(rb"\xc2[\x80-\x9f]")
# not those whose number is in order by its digits alone, as nearly all are: of these some pages have thousands
_IN_ORDER = rb"0*(?:3[2-9]|[4-9]\d|1[6-9]\d|[2-9]\d\d|[1-9]\d{3});"
_REFERENCE = re.compile(rb"&#(?!" + _IN_ORDER + rb")(?:0*(\d+)|[xX]0*([0-9a-fA-F]+));?")
# A character beyond the first 65,536 as two halves of three bytes each, as some databases write it; and a lone half.
_TWO_HALVES = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")
_HALVES = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")


def _referred(match: re.Match[bytes]) -> bytes:
    """A numeric reference as it stands; or, where no text can have its character, what is left of it.

    A parser would put U+FFFD there, or build a tree that can never be written as text again.
    """
    number = int(match[1][:9]) if match[1] else int(match[2][:9], 16)
    if 0x80 <= number <= 0x9F:
        return _western(number)
    if 0xD800 <= number <= 0xDFFF:
        return chr(number).encode("utf-8", "surrogatepass")  # its other half may follow
    is_text = number in (9, 10, 13) or (0x20 <= number <= 0x10FFFF and number not in (0x7F, 0xFFFE, 0xFFFF))
    return match[0] if is_text else b""


def _joined(raw: bytes) -> bytes:
    if b"\xed" not in raw:
        return raw
    return _TWO_HALVES.sub(
        lambda m: m[0].decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16").encode(), raw
    )


def _western(byte: int) -> bytes:
    return bytes([byte]).decode("cp1252", "ignore").encode()


_ODD = bytes((*range(1, 9), *range(14, 27), *range(28, 32)))


def _is_binary(body: bytes) -> bool:
    if body.startswith(_BINARY_STARTS):
        return True
    head = body[:4096]
    odd = len(head) - len(head.translate(None, _ODD))
    # a page with a few stray NULs is still a page; a file full of control bytes is not
    return odd * 20 > len(head) or (b"\0" in body and body.count(0) * 10 > len(body))


def _wide(body: bytes) -> str | None:
    """UTF-16 without its mark shows as a NUL beside every Latin letter."""
    head = body[:2000]
    if len(head) < 40:
        return None
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > half * 0.7 and even < half * 0.1:
        return "utf-16-le"
    if even > half * 0.7 and odd < half * 0.1:
        return "utf-16-be"
    return None


def _narrow(body: bytes, content_type: str) -> bytes:
    """From encodings of one or more bytes that contain ASCII: UTF-8 where it fits best, whatever is declared."""
    declared = _declared(body, content_type)
    if "iso2022_jp" in declared or "utf-7" in declared:  # these look like valid UTF-8; only the first is ever meant
        declared = [name for name in declared if name != "utf-7"]
        if declared and declared[0] == "iso2022_jp":
            return body.decode("iso2022_jp", "ignore").encode("utf-8", "ignore")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return _mixed(body, declared).encode("utf-8", "ignore")
    return body


def _mixed(body: bytes, declared: list[str]) -> str:
    """Bytes that are not UTF-8 throughout: in the encoding that breaks least. No U+FFFD is put in; see ``utf8_of``."""
    body = _joined(body)
    escaped = body.decode("utf-8", "surrogateescape")
    broken = sum(len(run) for run in _ESCAPED.findall(escaped))
    whole = len(escaped) - broken - sum(map(len, re.findall(r"[\x00-\x7f]+", escaped)))
    if whole >= broken:
        return _ESCAPED.sub(_mended, escaped)
    for name in declared:
        if name != "utf-8":
            try:
                return body.decode(name)
            except UnicodeDecodeError:
                continue
    fallback = next((name for name in declared if name != "utf-8"), "cp1252")
    text = body.decode(fallback, "ignore" if fallback == "cp1252" else "replace")
    lost = text.count("\ufffd")
    return body.decode(fallback, "ignore") if lost <= max(20, len(text) // 50) else text


def _mended(match: re.Match[str]) -> str:
    """Bytes in a UTF-8 page that are not UTF-8: a piece pasted in cp1252, or half a character that is lost anyway."""
    raw = match[0].encode("utf-8", "surrogateescape")
    if raw[0] in (0xC2, 0xC3, 0xE2, 0xEF, 0xF0):
        return ""
    return raw.decode("cp1252", "ignore")


def _declared(body: bytes, content_type: str) -> list[str]:
    """Python's names of the encodings that the header and the first bytes of the markup declare, in that order."""
    names = _CHARSET.findall(content_type)
    names += [(a or b).decode("ascii", "ignore") for a, b in _META_CHARSET.findall(body[:8192])]
    found: list[str] = []
    for name in names:
        try:
            known = codecs.lookup(name)
        except (LookupError, ValueError):
            continue
        # Python's list of codecs has members that are no character sets (base64, rot13 ...)
        if not known._is_text_encoding or known.name in (
            "idna",
            "punycode",
            "unicode_escape",
            "raw_unicode_escape",
            "undefined",
        ):
            continue
        python_name = _MEANT.get(known.name, known.name)
        if python_name not in found and not python_name.startswith(("utf-16", "utf-32")):
            found.append(python_name)
    return found
