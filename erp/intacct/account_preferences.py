"""Check the preferences that name accounts and items for lines without an order line (reference 2.9).

Intacct's accounts have no type Expense: here an expense account is one of the income statement whose normal balance is
debit. The message says so, because people look for the type.
"""

from collections.abc import Mapping

from erp.connection import PreferenceProblem
from erp.intacct import translate, wire
from erp.intacct.preferences import CHARGE_PREFIX, ITEM_PREFIX
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query, Row
from models.domain.account_lines import EXPENSE_ACCOUNT
from models.domain.bills import ChargeKind

EXPENSE_RULE = "an income statement account whose normal balance is debit"


async def check_accounts(
    reader: IntacctReader, given: Mapping[str, str], *, level: str | None
) -> list[PreferenceProblem]:
    """Return what is wrong with the expense account, the accounts of charges, and the items that stand for accounts:
    one request for all of them, none where nothing is named."""
    accounts = {name: given[name] for name in _account_names(given)}
    items = {name: value for name, value in given.items() if name.startswith(ITEM_PREFIX) and value}
    for_items = {name: name.removeprefix(ITEM_PREFIX) for name in items}
    if not accounts and not items:
        return []
    numbers = sorted({*accounts.values(), *for_items.values()})
    queries = [
        Query(
            "GLACCOUNT",
            ("RECORDNO", "ACCOUNTNO"),
            wire.one_of("ACCOUNTNO", numbers),
            optional=("ACCOUNTTYPE", "NORMALBALANCE", "STATUS"),
        )
    ]
    if items:
        where = wire.one_of("ITEMID", sorted(set(items.values())))
        queries.append(Query("ITEM", ("RECORDNO", "ITEMID"), where, optional=("ITEMTYPE", "STATUS")))
    rows, *more = await reader.all_rows(queries, level=level)
    known = {translate.natural(row.get("ACCOUNTNO")): row for row in rows}
    problems = [problem for name, number in accounts.items() if (problem := _account(name, number, known.get(number)))]
    by_item = {row.get("ITEMID"): row for page in more for row in page}
    for name, item in items.items():
        problems += _item(name, item, by_item.get(item), for_items[name], known.get(for_items[name]))
    return problems


def _account_names(given: Mapping[str, str]) -> list[str]:
    names = [EXPENSE_ACCOUNT, *(f"{CHARGE_PREFIX}{kind}" for kind in ChargeKind)]
    return [name for name in names if given.get(name)]


def _account(preference: str, number: str, row: Row | None) -> PreferenceProblem | None:
    if row is None or not _active(row):
        state = "has no account" if row is None else "shows as inactive the account"
        return PreferenceProblem(
            code="ACCOUNT_REFUSED",
            preference=preference,
            message=f"Intacct {state} {number!r}.",
            fix=("Enter the number of an active account, as in General Ledger > Accounts.",),
        )
    kind, balance = row.get("ACCOUNTTYPE", "").casefold(), row.get("NORMALBALANCE", "").casefold()
    if preference == EXPENSE_ACCOUNT and (kind != "incomestatement" or balance not in ("debit", "1")):
        return PreferenceProblem(
            code="ACCOUNT_WRONG_TYPE",
            preference=preference,
            message=f"Account {number} is a {kind or 'nameless'} account with normal balance {balance or 'unknown'}. "
            f"Intacct has no type Expense: what counts as one here is {EXPENSE_RULE}.",
            fix=(f"Enter the number of {EXPENSE_RULE}.",),
        )
    return None


def _item(preference: str, item: str, row: Row | None, number: str, account: Row | None) -> list[PreferenceProblem]:
    problems = []
    if account is None:
        problems.append(
            PreferenceProblem(
                code="ACCOUNT_REFUSED",
                preference=preference,
                message=f"Intacct has no account {number!r}, for which {item} is to stand.",
                fix=(f"Name the preference {ITEM_PREFIX}<account>, with the number of an account.",),
            )
        )
    if row is None or not _active(row):
        problems.append(
            PreferenceProblem(
                code="ITEM_REFUSED",
                preference=preference,
                message=f"Intacct has no active item {item!r}.",
                fix=("Enter the id of an active non-inventory item whose GL group posts to that account.",),
            )
        )
    elif row.get("ITEMTYPE", "").casefold() == "inventory":
        problems.append(
            PreferenceProblem(
                code="ITEM_REFUSED",
                preference=preference,
                message=f"{item} is an inventory item: a line of it would move stock.",
                fix=("Enter a non-inventory item whose GL group posts to that account.",),
            )
        )
    return problems


def _active(row: Row) -> bool:
    return row.get("STATUS", "active").casefold() in ("active", "t")
