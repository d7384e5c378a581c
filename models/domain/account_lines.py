"""Name the preferences that say where lines without an order line go: the same names for every ERP that has them."""

EXPENSE_ACCOUNT = "expense_account"
"""The account of a line that names none (S2-61)."""

ACCOUNT_ITEM = "account_item."
"""Before an account: the item that stands for it where the ERP's lines on an order's bill take items only."""
