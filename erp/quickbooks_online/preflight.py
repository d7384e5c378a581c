"""Check that a sync will work before it fails: names, accounts, and what the company has switched on."""

from collections.abc import Mapping, Sequence

from erp.connection import PreferenceProblem
from erp.quickbooks_online.accounts import BANK, CARD, Accounts
from erp.quickbooks_online.company import Companies
from erp.quickbooks_online.preferences import CHARGE_PREFIX, KNOWN, SWITCHES
from models.domain.bills import ChargeKind

UNITED_STATES = ("US", "USA")
"""How QuickBooks writes the country whose edition has no tax codes of its own on bills."""


async def check_preferences(
    accounts: Accounts, companies: Companies, given: Mapping[str, str]
) -> Sequence[PreferenceProblem]:
    """Return everything that would make the sync fail, each with what to do."""
    return [
        *_check_names(given),
        *_check_switches(given),
        *await _check_accounts(accounts, given),
        *await _check_company(companies),
    ]


def _check_names(given: Mapping[str, str]) -> list[PreferenceProblem]:
    """Check the preferences' names: a misspelt one would silently do nothing."""
    known = (*KNOWN, *(f"{CHARGE_PREFIX}{kind}" for kind in ChargeKind))
    return [
        PreferenceProblem(
            code="PREFERENCE_UNKNOWN",
            preference=name,
            message=f"QuickBooks connections have no preference {name!r}.",
            fix=(f"Use one of {', '.join(known)}.",),
        )
        for name in given
        if name not in known
    ]


def _check_switches(given: Mapping[str, str]) -> list[PreferenceProblem]:
    return [
        PreferenceProblem(
            code="PREFERENCE_UNKNOWN",
            preference=name,
            message=f"{name} is {given[name]!r}, which is neither true nor false.",
            fix=("Set it to true or false.",),
        )
        for name in SWITCHES
        if given.get(name, "") not in ("", "true", "false")
    ]


async def _check_accounts(accounts: Accounts, given: Mapping[str, str]) -> list[PreferenceProblem]:
    wanted = [
        ("bank_account", (BANK, CARD), "bank or credit card account"),
        ("default_expense_account", ("",), "account"),
        *((f"{CHARGE_PREFIX}{kind}", ("",), "account") for kind in ChargeKind),
    ]
    problems: list[PreferenceProblem] = []
    for preference, types, what in wanted:
        named = given.get(preference, "")
        if named and not [one for kind in types if (one := await accounts.find(kind, named)) is not None]:
            problems.append(
                PreferenceProblem(
                    code="ACCOUNT_REFUSED",
                    preference=preference,
                    message=f"QuickBooks has no active {what} {named!r}.",
                    fix=(f"Enter the {what}'s id, number or full name as in Settings > Chart of accounts.",),
                )
            )
    return problems


async def _check_company(companies: Companies) -> list[PreferenceProblem]:
    company = await companies.read()
    problems: list[PreferenceProblem] = []
    country = await companies.country()
    if country not in ("", *UNITED_STATES):
        problems.append(
            PreferenceProblem(
                code="REGION_NOT_TAKEN",
                preference="company",
                message=f"The company is of QuickBooks' edition for {country}; posync knows the one for the US.",
                fix=("Connect a company of the US edition: in the others every line carries a tax code.",),
            )
        )
    if company.takes_orders:
        return problems
    return [
        *problems,
        PreferenceProblem(
            code="FEATURE_OFF",
            preference="purchase_orders",
            message="Purchase orders are switched off in this QuickBooks company.",
            fix=(
                "In QuickBooks switch on Settings > Account and settings > Expenses > Use purchase orders; it needs a"
                " Plus or Advanced subscription.",
                "Check the preferences again.",
            ),
        ),
    ]
