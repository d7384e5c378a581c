"""The shape of every message, as it is kept: `python -m tests.workflows.save_message_schemas` keeps what is now.

Run it when a message got a field on purpose, and look at the difference: a running workflow holds messages of before.
"""

import importlib
import json
import pkgutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from activities.failures import FailureDetails
from models import messages

SCHEMAS = Path(__file__).parent / "message_schemas"


def all_messages() -> dict[str, type[BaseModel]]:
    """Every message by its name: those of `models/messages`, and what a failed activity tells its workflow."""
    paths = getattr(messages, "__path__", None)
    names = [found.name for found in pkgutil.iter_modules(paths)] if paths is not None else []
    modules = [messages, *(importlib.import_module(f"{messages.__name__}.{name}") for name in names)]
    found = {
        kind.__name__: kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind.__module__.startswith(messages.__name__)
    }
    return {**found, FailureDetails.__name__: FailureDetails}


def schema_of(message: type[BaseModel]) -> Any:
    """The message's JSON schema without its prose."""
    return _without_prose(message.model_json_schema())


def _without_prose(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_prose(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    # A field may be called "title": it is an object here, and the prose is a text.
    return {
        name: _without_prose(value)
        for name, value in schema.items()
        if not (name in ("description", "title") and isinstance(value, str))
    }


def as_text(schema: Any) -> str:
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"


def main() -> None:
    SCHEMAS.mkdir(exist_ok=True)
    for old in SCHEMAS.glob("*.json"):
        old.unlink()
    for name, message in all_messages().items():
        (SCHEMAS / f"{name}.json").write_text(as_text(schema_of(message)))


if __name__ == "__main__":
    main()
