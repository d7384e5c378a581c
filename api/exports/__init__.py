"""Export orders, bills, credits, payments, issues and events as files."""
