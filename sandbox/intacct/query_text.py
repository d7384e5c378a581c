"""The legacy readByQuery language, `WHENPAID IS NULL AND STATE = 'O'`, into a filter tree (reference 2.2)."""

import re
from collections.abc import Mapping

from sandbox.intacct.filters import BadFilter, Condition, Every, Filter, Not, Some
from sandbox.intacct.object_types import ObjectType

_TOKEN = re.compile(r"\s*(?:('(?:\\.|[^'\\])*')|(<=|>=|!=|<>|[<>=(),])|([^\s'<>=(),!]+))", re.DOTALL)


def parse_query_text(text: str, kind: ObjectType) -> Filter | None:
    """None for an empty query. Raises BadFilter where the text breaks the grammar."""
    tokens: list[tuple[str, str]] = []
    at = 0
    text = text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise BadFilter(f"Syntax error near '{text[at : at + 20]}'")
        quoted, sign, word = found.groups()
        if quoted is not None:
            tokens.append(("value", re.sub(r"\\(.)", r"\1", quoted[1:-1])))
        elif sign is not None:
            tokens.append(("sign", sign))
        else:
            tokens.append(("word", word))
        at = found.end()
    if not tokens:
        return None
    parser = _Parser(tokens, kind)
    tree = parser.either()
    if not parser.finished():
        raise BadFilter("Syntax error at the end of the query")
    return tree


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], kind: ObjectType) -> None:
        self._tokens = tokens
        self._kind = kind
        self._at = 0

    def finished(self) -> bool:
        return self._at == len(self._tokens)

    def either(self) -> Filter:
        parts = [self._both()]
        while self._keyword("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _both(self) -> Filter:
        parts = [self._one()]
        while self._keyword("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _one(self) -> Filter:
        if self._sign("("):
            inner = self.either()
            self._need(")")
            return inner
        kind, word = self._next()
        if kind != "word":
            raise BadFilter(f"A field name is expected, not '{word}'")
        field = word.upper()
        if self._keyword("is"):
            negated = self._keyword("not")
            if not self._keyword("null"):
                raise BadFilter("IS must be followed by NULL or NOT NULL")
            null = Condition(field, "null")
            return Not(null) if negated else null
        negated = self._keyword("not")
        if self._keyword("like"):
            like = Condition(field, "like", (self._value(field),))
            return Not(like) if negated else like
        if self._keyword("in"):
            self._need("(")
            values = [self._value(field)]
            while self._sign(","):
                values.append(self._value(field))
            self._need(")")
            within = Condition(field, "in", tuple(values))
            return Not(within) if negated else within
        kind, sign = self._next()
        if negated or kind != "sign" or sign in "(),":
            raise BadFilter(f"An operator is expected after {field}")
        value = self._value(field)
        if sign in ("!=", "<>"):
            return Not(Condition(field, "=", (value,)))
        return Condition(field, sign, (value,))

    def _next(self) -> tuple[str, str]:
        if self.finished():
            raise BadFilter("The query ends too early")
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _keyword(self, word: str) -> bool:
        if not self.finished():
            kind, text = self._tokens[self._at]
            if kind == "word" and text.lower() == word:
                self._at += 1
                return True
        return False

    def _sign(self, sign: str) -> bool:
        if not self.finished() and self._tokens[self._at] == ("sign", sign):
            self._at += 1
            return True
        return False

    def _need(self, sign: str) -> None:
        if not self._sign(sign):
            raise BadFilter(f"'{sign}' is expected")

    def _value(self, field: str) -> str:
        kind, text = self._next()
        if kind == "sign":
            raise BadFilter(f"A value is expected, not '{text}'")
        described = self._kind.fields.get(field)
        codes: Mapping[str, str] = described.codes if described else {}
        if not codes:
            return text
        if (self._kind.name, field) == ("AUDITHISTORY", "ACCESSMODE"):
            # The one enum that is the other way round: full words here, codes in `query` (reference 4).
            return codes.get(text, f"\0{text}")
        for label, code in codes.items():
            if code == text:
                return label
        # A label where a code belongs matches nothing, as on the real service.
        return f"\0{text}"
