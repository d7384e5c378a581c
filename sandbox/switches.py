"""Switches: what the public documents leave open about a real service, and what differs from customer to customer."""

from collections.abc import Mapping
from typing import NamedTuple


class Switch(NamedTuple):
    """One of them: its default, what it means, and the words it can be (empty: anything of the default's type)."""

    default: str | int | float | bool
    meaning: str
    choices: tuple[str, ...] = ()


class Switches:
    """The present values. Read them typed: `flag`, `word`, `number`."""

    def __init__(self, table: Mapping[str, Switch]) -> None:
        self._table = table
        self.changes = 0
        """Counts what was set: answers that are kept ready follow it."""
        self.values: dict[str, str | int | float | bool] = {name: switch.default for name, switch in table.items()}

    def set(self, name: str, value: object) -> None:
        """Raises ValueError for an unknown switch, a wrong type, or a word that is not one of the choices."""
        switch = self._table.get(name)
        self.changes += 1
        if switch is None:
            raise ValueError(f"unknown switch {name!r}; GET .../switches lists them")
        if isinstance(switch.default, bool):
            if not isinstance(value, bool):
                raise ValueError(f"{name} is true or false")
            self.values[name] = value
        elif isinstance(switch.default, (int, float)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or (value < 0 and name[:3] != "utc"):
                raise ValueError(f"{name} is a number, zero or more")
            self.values[name] = value
        else:
            if not isinstance(value, str) or (switch.choices and value not in switch.choices):
                raise ValueError(f"{name} is one of {', '.join(switch.choices) or 'any text'}")
            self.values[name] = value

    def flag(self, name: str) -> bool:
        """A switch that is on or off."""
        return bool(self.values[name])

    def word(self, name: str) -> str:
        """A switch that is one of several words."""
        return str(self.values[name])

    def number(self, name: str) -> float:
        """A switch that is a number."""
        return float(self.values[name])

    def describe(self) -> dict[str, object]:
        """What `GET .../switches` shows: value, default, choices and meaning of each."""
        return {
            name: {
                "value": self.values[name],
                "default": switch.default,
                "meaning": switch.meaning,
                **({"choices": list(switch.choices)} if switch.choices else {}),
            }
            for name, switch in self._table.items()
        }
