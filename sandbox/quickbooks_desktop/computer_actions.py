"""What the control room does with the PC: its Web Connector, QuickBooks' window, the power."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sandbox.quickbooks_desktop import inspect, ui_actions
from sandbox.quickbooks_desktop.computer import Computer

Given = Mapping[str, Any]


def act(computer: Computer, name: str, given: Given) -> Any:
    """Do one action of a person, or one of the PC; the answer may have to be awaited."""
    if name in ACTIONS:
        return ACTIONS[name](computer, given)
    return ui_actions.act(computer.company, name, given)


def show(computer: Computer, kind: str) -> list[dict[str, Any]]:
    """Every record of a kind of the open company file, or of the PC."""
    if kind == "applications":
        return computer.shown_applications()
    if kind == "updates":
        return [update.describe() for update in computer.updates]
    return inspect.show(computer.company, kind)


async def _add_application(computer: Computer, given: Given) -> Any:
    """Add Application: a .qwc file, and the password that is typed in."""
    await computer.add_application(str(given.get("qwc", "")), str(given.get("password", "")))
    return computer.shown_applications()[-1]


def _set_password(computer: Computer, given: Given) -> Any:
    computer.application(str(given.get("application", ""))).password = str(given.get("password", ""))
    return {"password": "set"}


def _remove_application(computer: Computer, given: Given) -> Any:
    name = computer.application(str(given.get("application", ""))).qwc.app_name
    del computer.applications[name]
    return {"removed": name}


async def _update_selected(computer: Computer, given: Given) -> Any:
    """Update Selected: one update, now; the answer says what happened."""
    return (await computer.run_update(str(given.get("application", "")))).describe()


async def _start_auto_run(computer: Computer, given: Given) -> Any:
    computer.start()
    return {"automatic": computer.automatic}


def _stop_auto_run(computer: Computer, given: Given) -> Any:
    computer.stop()
    return {"automatic": computer.automatic}


def _set_power(on: bool) -> Callable[[Computer, Given], Any]:
    def set_power(computer: Computer, given: Given) -> Any:
        """Off: an update under way dies at its next step, and the schedule rests."""
        computer.powered = on
        return {"on": on}

    return set_power


def _open_company_file(computer: Computer, given: Given) -> Any:
    """A person opens a company file in QuickBooks; the control room works on it from now on."""
    path = str(given.get("path", ""))
    if path not in computer.files:
        raise ValueError(f"path is one of {', '.join(computer.files)}")
    computer.open_path = computer.last_path = path
    return {"path": path}


def _close_quickbooks(computer: Computer, given: Given) -> Any:
    computer.last_path = computer.open_path or computer.last_path
    computer.open_path = None
    return {"path": None}


def _set_dialog(shown: bool) -> Callable[[Computer, Given], Any]:
    def set_dialog(computer: Computer, given: Given) -> Any:
        """A dialog in QuickBooks keeps every application out until a person closes it."""
        computer.dialog = shown
        return {"dialog": shown}

    return set_dialog


def _set_permission(computer: Computer, given: Given) -> Any:
    computer.permission = bool(given.get("allowed", True))
    return {"allowed": computer.permission}


def _set_mode(computer: Computer, given: Given) -> Any:
    computer.company.multi_user = bool(given.get("multi_user"))
    return {"multi_user": computer.company.multi_user}


def _rename_company(computer: Computer, given: Given) -> Any:
    computer.company.name = str(given.get("name") or computer.company.name)
    return {"name": computer.company.name}


ACTIONS: Mapping[str, Callable[[Computer, Given], Any | Awaitable[Any]]] = {
    "add_application": _add_application,
    "set_password": _set_password,
    "remove_application": _remove_application,
    "update_selected": _update_selected,
    "start_auto_run": _start_auto_run,
    "stop_auto_run": _stop_auto_run,
    "switch_off_pc": _set_power(False),
    "switch_on_pc": _set_power(True),
    "open_company_file": _open_company_file,
    "close_quickbooks": _close_quickbooks,
    "show_dialog": _set_dialog(True),
    "close_dialog": _set_dialog(False),
    "set_permission": _set_permission,
    "set_mode": _set_mode,
    "rename_company": _rename_company,
}
KINDS = inspect.KINDS | {"applications", "updates"}
