"""The query language (reference 3.7): a statement as parts. Lenient where real clients are."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from sandbox.quickbooks_online.errors import Refused

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>'(?:\\.|[^'\\])*')
    | (?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,|\*)
    | (?P<word>[^\s'<>=!(),*]+)
    )""",
    re.VERBOSE,
)
_WORDS = frozenset(
    [
        *("select", "from", "where", "and", "or", "not", "order", "orderby", "by", "asc", "desc"),
        *("startposition", "maxresults", "in", "like", "between"),
    ]
)
_OPERATORS = frozenset(["=", "<", ">", "<=", ">="])
_LARGEST_PAGE = 1000
_USUAL_PAGE = 100


class Comparison(NamedTuple):
    """One condition; `values` has one, or those of an IN."""

    name: str
    operator: str
    values: tuple[str, ...]


@dataclass
class Statement:
    """A query taken apart."""

    entity: str = ""
    counted: bool = False
    columns: list[str] = field(default_factory=list)
    where: list[Comparison] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    """Names, each with whether it goes down."""
    start: int = 1
    most: int = _USUAL_PAGE


def bad_query(detail: str) -> Refused:
    """A statement that cannot be read."""
    return Refused("4000", "Error parsing query", f"QueryParserError: {detail}")


def parse(statement: str, *, ascii_only: bool = False) -> Statement:
    """A statement as parts. Raises Refused (4000)."""
    if ascii_only and not statement.isascii():
        sign = next(sign for sign in statement if not sign.isascii())
        raise bad_query(f'Lexical error at line 1, column {statement.index(sign) + 1}. Encountered: "{sign}"')
    return _Parser(_tokens(statement.rstrip().removesuffix(";"))).statement()


def _tokens(statement: str) -> list[str]:
    tokens, at = [], 0
    while True:
        found = _TOKEN.match(statement, at)
        if found is None:
            break
        tokens.append(found[0].strip())
        at = found.end()
    if statement[at:].strip():
        raise bad_query(f"Lexical error at line 1, column {at + 1}.")
    return tokens


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise bad_query('Encountered "<EOF>"')
        self._at += 1
        return token

    def _is(self, word: str) -> bool:
        """Take the word if it comes next."""
        if self._peek().lower() == word:
            self._at += 1
            return True
        return False

    def _must(self, word: str) -> None:
        if not self._is(word):
            raise bad_query(f'Encountered "{self._peek() or "<EOF>"}". Was expecting: "{word}"')

    def statement(self) -> Statement:
        made = Statement()
        self._must("select")
        self._columns(made)
        self._must("from")
        made.entity = self._name()
        if self._is("where"):
            made.where.append(self._comparison())
            while self._is("and"):
                made.where.append(self._comparison())
        while self._peek():
            self._ending(made)
        return made

    def _name(self) -> str:
        name = self._next()
        if name.lower() in _WORDS or not (name[0].isalpha() or name[0] == "_"):
            raise bad_query(f'Encountered "{name}". Was expecting a name')
        return name

    def _columns(self, made: Statement) -> None:
        while True:
            if self._is("*"):
                made.columns.append("*")
            else:
                name = self._name()
                if name.lower() == "count" and self._is("("):
                    self._must("*")
                    self._must(")")
                    made.counted = True
                else:
                    made.columns.append(name)
            if not self._is(","):
                return

    def _comparison(self) -> Comparison:
        if self._is("("):
            inner = self._comparison()
            self._must(")")
            return inner
        name = self._name()
        if self._is("in"):
            self._must("(")
            values = [self._value()]
            while self._is(","):
                values.append(self._value())
            self._must(")")
            return Comparison(name, "in", tuple(values))
        if self._is("like"):
            return Comparison(name, "like", (self._value(),))
        operator = self._next()
        if operator not in _OPERATORS:
            raise bad_query(f'Encountered "{operator}". Was expecting one of: "=" "<" ">" "<=" ">=" "in" "like"')
        return Comparison(name, operator, (self._value(),))

    def _value(self) -> str:
        token = self._next()
        if token.startswith("'"):
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        if token.lower() in _WORDS or not (token[0].isalnum() or token[0] in "-+."):
            raise bad_query(f'Encountered "{token}". Was expecting a value')
        return token

    def _ending(self, made: Statement) -> None:
        if self._is("order"):
            self._must("by")
            self._order(made)
        elif self._is("orderby"):
            self._order(made)
        elif self._is("startposition"):
            made.start = max(1, self._number())
        elif self._is("maxresults"):
            made.most = min(self._number(), _LARGEST_PAGE)
        else:
            raise bad_query(f'Encountered "{self._peek()}"')

    def _order(self, made: Statement) -> None:
        while True:
            name = self._name()
            down = self._is("desc")
            if not down:
                self._is("asc")
            made.order.append((name, down))
            if not self._is(","):
                return

    def _number(self) -> int:
        token = self._next().strip("'")
        if not (token.isascii() and token.isdigit()):
            raise bad_query(f'Encountered "{token}". Was expecting a number')
        return int(token)
