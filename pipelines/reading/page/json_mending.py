"""JSON that templates and people wrote: quotes inside strings, comments, commas missing or too many, names without
quotes, an end that was cut off. One pass, no backtracking: the time grows with the length alone.
"""

from __future__ import annotations

import re

_BLANK = re.compile(r"(?:\s|//[^\n]*|/\*.{0,2000}?\*/|<!--.{0,2000}?-->)*", re.DOTALL)
_KEY_FOLLOWS = re.compile(r"""["'][^"'\n{}\[\]]{1,80}["']\s*:|[A-Za-z_$@][\w$-]{0,60}\s*:""")
_VALUE_FOLLOWS = re.compile(r"""["'{\[\-0-9]|(?:true|false|null)\b""")
_EMPTY = re.compile(r"[\s,;]*")  # commas with nothing between them
_ESCAPED = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_OPENING = re.compile(r"[{\[]")
_NAME = re.compile(r"[A-Za-z_$@][\w$-]{0,60}")
_SCALAR = re.compile(r"-?[0-9][0-9.eE+-]{0,30}|true\b|false\b|null\b")
_NULLS = frozenset(("undefined", "NaN", "None", "nan"))
_CONSTANTS = {"True": "true", "False": "false"}


def mend(text: str) -> str:
    """*text* as JSON, as far as one can tell what was meant; nothing is raised."""
    begin = _OPENING.search(text)
    return _Mending(text[begin.start() :]).run() if begin else ""


class _Mending:
    """The state of one pass: what was written, which brackets are open, whether a value has just ended."""

    def __init__(self, text: str):
        self.text, self.at = text, 0
        self.out: list[str] = []
        self.open: list[str] = []
        self.is_value_over = False  # the next value needs a comma
        self.expects_key = False

    def run(self) -> str:
        while self.at < len(self.text):
            self.at = _after(_BLANK, self.text, self.at)
            if self.at >= len(self.text):
                break
            self._step(self.text[self.at])
            if not self.open and self.is_value_over:
                break
        while self.open:
            self._close()
        return "".join(self.out)

    def _step(self, sign: str) -> None:
        if sign in "{[":
            self._separate()
            self.out.append(sign)
            self.open.append(sign)
            self.expects_key, self.is_value_over = sign == "{", False
            self.at += 1
        elif sign in "}]":
            if self.open:
                self._close()
            self.at += 1
        elif sign in ",;":
            self.at += 1
            if self.out and self.out[-1] == ":":
                self.out.append("null")
                self.is_value_over = True
            if self.is_value_over:
                self._comma()
        elif sign == ":":
            self.out.append(":")
            self.expects_key, self.is_value_over = False, False
            self.at += 1
        elif sign in "\"'":
            self._separate()
            self._string(sign)
        else:
            self._word()

    def _comma(self) -> None:
        self.out.append(",")
        self.is_value_over, self.expects_key = False, bool(self.open) and self.open[-1] == "{"

    def _separate(self) -> None:
        """A comma where a value begins behind another."""
        if self.is_value_over and self.open:
            self._comma()

    def _close(self) -> None:
        if self.out and self.out[-1] == ",":
            self.out.pop()
        elif self.out and self.out[-1] == ":":
            self.out.append("null")
        elif self.open[-1] == "{" and self.expects_key and self.is_value_over:
            self.out.append(":null")
        self.out.append("}" if self.open.pop() == "{" else "]")
        self.is_value_over, self.expects_key = True, False

    def _word(self) -> None:
        """A number, a constant, or a name without quotes."""
        if scalar := _SCALAR.match(self.text, self.at):
            self._separate()
            self.out.append(scalar[0])
            self.at, self.is_value_over = scalar.end(), True
            return
        name = _NAME.match(self.text, self.at)
        if name is None:
            self.at += 1
            return
        self._separate()
        self.at = name.end()
        if self.expects_key:
            self.out.append(f'"{name[0]}"')
            return
        self.out.append(_CONSTANTS.get(name[0], "null" if name[0] in _NULLS else f'"{name[0]}"'))
        self.is_value_over = True

    def _string(self, quote: str) -> None:
        self.out.append('"')
        self.at += 1
        begin = self.at
        while self.at < len(self.text):
            sign = self.text[self.at]
            if sign == "\\":
                if escaped := _ESCAPED.match(self.text, self.at):
                    self.at = escaped.end()
                    continue
                self.out += [self.text[begin : self.at], "\\\\"]  # a backslash that was meant
                begin = self.at = self.at + 1
                continue
            if sign == quote and self._ends_here():
                break
            if sign == '"':
                self.out += [self.text[begin : self.at], '\\"']
                begin = self.at + 1
            self.at += 1
        self.out += [self.text[begin : self.at], '"']
        self.at += 1
        self.is_value_over = not self.expects_key
        if self.expects_key and _next(self.text, self.at) != ":":
            self.out.append(":")  # a name without a value, or with its colon left out
            self.expects_key = False

    def _ends_here(self) -> bool:
        """Whether the quote at this place ends its string: what follows is what follows a string in JSON."""
        at = _after(_BLANK, self.text, self.at + 1)
        if at >= len(self.text):
            return True
        sign = self.text[at]
        if self.expects_key:
            return sign in ":,}"
        if sign in "}]":
            return True
        in_object = bool(self.open) and self.open[-1] == "{"
        follows = _KEY_FOLLOWS if in_object else _VALUE_FOLLOWS
        if sign in ",;":
            after = _after(_BLANK, self.text, _after(_EMPTY, self.text, at + 1))
            return after >= len(self.text) or self.text[after] in "}]" or bool(follows.match(self.text, after))
        return in_object and sign == '"' and bool(follows.match(self.text, at)) and at > self.at + 1


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where what *pattern* takes at *at* ends."""
    match = pattern.match(text, at)
    return match.end() if match else at


def _next(text: str, at: int) -> str:
    at = _after(_BLANK, text, at)
    return text[at : at + 1]
