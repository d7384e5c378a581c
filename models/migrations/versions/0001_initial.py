"""The whole schema: who, the mirror, ours; and what PostgreSQL itself holds to (append-only, one way for good)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


APPEND_ONLY = """
create function refuse_change_of_event() returns trigger language plpgsql as $$
begin
    raise exception 'events are append-only' using errcode = 'restrict_violation';
end $$;
"""

NO_CONNECTION_LOOKS_EMPTY = ("purchase_orders", "receipts", "bills", "payments", "list_entries", "skipped_records")
"""Without statistics of `connection_id` PostgreSQL takes every connection for one of 200. With them it takes a new
connection, which the last ANALYZE has not seen, for empty, and picks any index that begins with it."""

ONE_WAY_IS_PERMANENT = """
create function refuse_end_of_one_way() returns trigger language plpgsql as $$
begin
    raise exception 'one-way sync is permanent: it cannot be switched off again' using errcode = 'restrict_violation';
end $$;
"""


def upgrade() -> None:
    op.execute("create sequence erp_write_sequence")
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=True),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("before", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("events_by_subject", "events", ["subject_kind", "subject_id", "id"], unique=False)
    op.create_table(
        "organizations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("console_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["console_id"],
            ["organizations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_organizations_console_id"), "organizations", ["console_id"], unique=False)
    op.create_table(
        "purchase_order_lines",
        sa.Column("purchase_order_id", sa.String(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("erp_id", sa.String(), nullable=False),
        sa.Column("chain_line", sa.String(), nullable=False),
        sa.Column("source_line", sa.String(), nullable=True),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("price", sa.Numeric(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("basis", sa.String(), server_default=sa.text("'quantity'"), nullable=False),
        sa.Column("receivable", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("converted", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("converted_amount", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("received", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("receipts_billed", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("billed", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("billed_amount", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("credited", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("credited_amount", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("location", sa.String(), nullable=True),
        sa.Column("class_id", sa.String(), nullable=True),
        sa.Column("project", sa.String(), nullable=True),
        sa.Column("warehouse", sa.String(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("purchase_order_id", "line_no"),
        sa.UniqueConstraint("purchase_order_id", "erp_id"),
    )
    op.create_index("purchase_order_lines_by_chain", "purchase_order_lines", ["chain_line"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_hash"),
    )
    op.create_index(op.f("ix_api_keys_organization_id"), "api_keys", ["organization_id"], unique=False)
    op.create_table(
        "connections",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("erp", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("company", sa.String(), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=True),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column(
            "settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("credentials", sa.LargeBinary(), nullable=False),
        sa.Column("credentials_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column(
            "capabilities",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "preferences",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("preferences_complete", sa.Boolean(), nullable=False),
        sa.Column("purchase_orders_enabled", sa.Boolean(), nullable=False),
        sa.Column("match_mode", sa.String(), nullable=False),
        sa.Column("one_way", sa.Boolean(), nullable=False),
        sa.Column("base_currency", sa.String(), nullable=False),
        sa.Column("first_import_from", sa.Date(), nullable=True),
        sa.Column("outage_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem_code", sa.String(), nullable=True),
        sa.Column("problem_message", sa.String(), nullable=True),
        sa.Column("sync_every_minutes", sa.Integer(), nullable=True),
        sa.Column("last_synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("match_again_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("match_again_why", sa.String(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("erp", "company", "user_name", "entity", postgresql_nulls_not_distinct=True),
    )
    op.create_index(op.f("ix_connections_organization_id"), "connections", ["organization_id"], unique=False)
    op.create_table(
        "requests",
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column(
            "body", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
        ),
        sa.PrimaryKeyConstraint("organization_id", "key"),
    )
    op.create_index(
        "requests_with_answers",
        "requests",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("answer is not null"),
    )
    op.create_table(
        "cursors",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("position", sa.String(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.PrimaryKeyConstraint("connection_id", "stream"),
    )
    op.create_table(
        "erp_writes",
        sa.Column("external_key", sa.String(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), server_default=sa.text("nextval('erp_write_sequence')"), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("purchase_order_id", sa.String(), nullable=True),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("erp_id", sa.String(), nullable=True),
        sa.Column("problem_code", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.PrimaryKeyConstraint("external_key"),
    )
    op.create_index("erp_writes_by_order", "erp_writes", ["purchase_order_id", "sequence"], unique=False)
    op.create_index(op.f("ix_erp_writes_connection_id"), "erp_writes", ["connection_id"], unique=False)
    op.create_index(op.f("ix_erp_writes_subject_id"), "erp_writes", ["subject_id"], unique=False)
    op.create_table(
        "list_entries",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("erp_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("entity", sa.String(), nullable=True),
        sa.Column("revision", sa.String(), nullable=True),
        sa.Column(
            "attributes", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.PrimaryKeyConstraint("connection_id", "kind", "erp_id"),
    )
    op.create_index(op.f("ix_list_entries_key"), "list_entries", ["key"], unique=False)
    op.create_table(
        "match_results",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("purchase_order_id", sa.String(), nullable=False),
        sa.Column("bill_id", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column(
            "result", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("match_results_by_age", "match_results", ["connection_id", "created_at", "id"], unique=False)
    op.create_index(op.f("ix_match_results_bill_id"), "match_results", ["bill_id"], unique=False)
    op.create_index(op.f("ix_match_results_purchase_order_id"), "match_results", ["purchase_order_id"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("notices_by_age", "notices", ["organization_id", "created_at", "id"], unique=False)
    op.create_table(
        "purchase_orders",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("erp_id", sa.String(), nullable=False),
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("vendor_id", sa.String(), nullable=False),
        sa.Column("vendor_name", sa.String(), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=True),
        sa.Column("owner_entity", sa.String(), nullable=True),
        sa.Column("memo", sa.String(), nullable=False),
        sa.Column("total", sa.Numeric(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("term", sa.String(), nullable=True),
        sa.Column("erp_status", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("matching_status", sa.String(), nullable=False),
        sa.Column("created_from", sa.String(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("revision", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("woken_hash", sa.String(), nullable=False),
        sa.Column("snapshot", sa.BigInteger(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("erp_id", "connection_id"),
    )
    op.create_index("purchase_orders_by_day", "purchase_orders", ["connection_id", "ordered_on", "id"], unique=False)
    op.create_index("purchase_orders_by_document", "purchase_orders", ["document_id", "connection_id"], unique=False)
    op.create_index("purchase_orders_by_number", "purchase_orders", ["number", "connection_id"], unique=False)
    op.create_index(
        "purchase_orders_by_origin",
        "purchase_orders",
        ["created_from", "connection_id"],
        unique=False,
        postgresql_where=sa.text("created_from is not null"),
    )
    op.create_index(
        "purchase_orders_by_vendor",
        "purchase_orders",
        ["vendor_id", "connection_id", sa.literal_column("ordered_on desc")],
        unique=False,
    )
    op.create_index(
        "purchase_orders_to_wake",
        "purchase_orders",
        ["connection_id", "id"],
        unique=False,
        postgresql_where=sa.text("woken_hash <> content_hash"),
    )
    op.create_table(
        "receipts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("erp_id", sa.String(), nullable=False),
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("order_document", sa.String(), nullable=True),
        sa.Column("purchase_order_id", sa.String(), nullable=True),
        sa.Column("erp_status", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("vendor_id", sa.String(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("memo", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=True),
        sa.Column("owner_entity", sa.String(), nullable=True),
        sa.Column("revision", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("erp_id", "connection_id"),
    )
    op.create_index(op.f("ix_receipts_purchase_order_id"), "receipts", ["purchase_order_id"], unique=False)
    op.create_index("receipts_by_order", "receipts", ["order_document", "connection_id"], unique=False)
    op.create_table(
        "skipped_records",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("erp_id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("revision", sa.String(), nullable=False),
        sa.Column("skipped_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.PrimaryKeyConstraint("connection_id", "stream", "erp_id"),
    )
    op.create_table(
        "sync_issues",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column(
            "evidence", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "fix", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("workflow_id", sa.String(), nullable=True),
        sa.Column("occurrences", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_sync_issues_connection_id"), "sync_issues", ["connection_id"], unique=False)
    op.create_index("sync_issues_by_age", "sync_issues", ["organization_id", "opened_at", "id"], unique=False)
    op.create_index(
        "sync_issues_once",
        "sync_issues",
        ["connection_id", "code", "subject_kind", "subject_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "sync_runs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "counts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("problem_code", sa.String(), nullable=True),
        sa.Column("problem_message", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_sync_runs_connection_id"), "sync_runs", ["connection_id"], unique=False)
    op.create_table(
        "bills",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("purchase_order_id", sa.String(), nullable=True),
        sa.Column("vendor_id", sa.String(), nullable=False),
        sa.Column("vendor_name", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("number_key", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("match_outcome", sa.String(), nullable=True),
        sa.Column("bill_date", sa.Date(), nullable=False),
        sa.Column("posting_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("memo", sa.String(), nullable=False),
        sa.Column("total", sa.Numeric(), nullable=False),
        sa.Column("invoice_total", sa.Numeric(), nullable=True),
        sa.Column(
            "charges", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("tax", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("discount", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("paid", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("external_key", sa.String(), nullable=True),
        sa.Column("erp_id", sa.String(), nullable=True),
        sa.Column("document_id", sa.String(), nullable=True),
        sa.Column("payable_id", sa.String(), nullable=True),
        sa.Column("erp_revision", sa.String(), nullable=True),
        sa.Column("payable_revision", sa.String(), nullable=True),
        sa.Column(
            "applied", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("linked_in_erp", sa.Boolean(), nullable=False),
        sa.Column("order_document", sa.String(), nullable=True),
        sa.Column("receipt_document", sa.String(), nullable=True),
        sa.Column("manual_both_sides", sa.Boolean(), nullable=False),
        sa.Column("edit_pending", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("has_news", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("edition", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("edit_undo", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
        ),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"],
            ["purchase_orders.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("bills_by_age", "bills", ["organization_id", "created_at", "id"], unique=False)
    op.create_index("bills_by_document", "bills", ["document_id", "connection_id"], unique=False)
    op.create_index("bills_by_erp_id", "bills", ["erp_id", "connection_id"], unique=False)
    op.create_index("bills_by_number", "bills", ["number_key", "vendor_id", "connection_id"], unique=False)
    op.create_index("bills_by_total", "bills", ["total", "vendor_id", "connection_id"], unique=False)
    op.create_index("bills_by_payable", "bills", ["payable_id", "connection_id"], unique=False)
    op.create_index(
        "bills_once",
        "bills",
        ["number_key", "vendor_id", "connection_id"],
        unique=True,
        postgresql_where=sa.text("status not in ('deleted', 'abandoned') and origin = 'posync'"),
    )
    op.create_index("bills_with_edits", "bills", ["id"], unique=False, postgresql_where=sa.text("edit_pending"))
    op.create_index("bills_with_news", "bills", ["connection_id"], unique=False, postgresql_where=sa.text("has_news"))
    op.create_index(
        "bills_applied", "bills", ["connection_id"], unique=False, postgresql_where=sa.text("applied <> '[]'")
    )
    op.create_index(op.f("ix_bills_external_key"), "bills", ["external_key"], unique=False)
    op.create_index(op.f("ix_bills_purchase_order_id"), "bills", ["purchase_order_id"], unique=False)
    op.create_table(
        "receipt_lines",
        sa.Column("receipt_id", sa.String(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("erp_id", sa.String(), nullable=False),
        sa.Column("order_line", sa.String(), nullable=True),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("billed", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["receipt_id"],
            ["receipts.id"],
        ),
        sa.PrimaryKeyConstraint("receipt_id", "line_no"),
    )
    op.create_index("receipt_lines_by_order_line", "receipt_lines", ["order_line"], unique=False)
    op.create_table(
        "bill_lines",
        sa.Column("bill_id", sa.String(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("purchase_order_id", sa.String(), nullable=True),
        sa.Column("purchase_order_line_no", sa.Integer(), nullable=True),
        sa.Column("item_id", sa.String(), nullable=True),
        sa.Column("account", sa.String(), nullable=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=True),
        sa.Column("exact_quantity", sa.String(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("billed_quantity", sa.Numeric(), nullable=True),
        sa.Column("billed_unit", sa.String(), nullable=True),
        sa.Column("price", sa.Numeric(), nullable=True),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("location", sa.String(), nullable=True),
        sa.Column("class_id", sa.String(), nullable=True),
        sa.Column("project", sa.String(), nullable=True),
        sa.Column(
            "sources", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("reserves", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bill_id"],
            ["bills.id"],
        ),
        sa.ForeignKeyConstraint(
            ["purchase_order_id", "purchase_order_line_no"],
            ["purchase_order_lines.purchase_order_id", "purchase_order_lines.line_no"],
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("bill_id", "line_no"),
    )
    op.create_index(
        "bill_lines_by_order_line", "bill_lines", ["purchase_order_id", "purchase_order_line_no"], unique=False
    )
    op.create_table(
        "match_decisions",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("bill_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column(
            "finding", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["bill_id"],
            ["bills.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_match_decisions_bill_id"), "match_decisions", ["bill_id"], unique=False)
    op.create_table(
        "payments",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("bill_id", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("pay_on", sa.Date(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("bank_account", sa.String(), nullable=False),
        sa.Column("external_key", sa.String(), nullable=True),
        sa.Column("erp_id", sa.String(), nullable=True),
        sa.Column("erp_revision", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["bill_id"],
            ["bills.id"],
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_payments_bill_id"), "payments", ["bill_id"], unique=False)
    op.create_index(op.f("ix_payments_external_key"), "payments", ["external_key"], unique=False)
    op.create_index("payments_by_age", "payments", ["organization_id", "created_at", "id"], unique=False)
    op.create_index("payments_by_erp_id", "payments", ["erp_id", "connection_id"], unique=False)
    op.create_table(
        "closed_periods",
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("erp_closed_through", sa.Date(), nullable=True),
        sa.Column("set_closed_through", sa.Date(), nullable=True),
        sa.Column("set_by", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.PrimaryKeyConstraint("connection_id", "entity"),
    )
    op.create_table(
        "tolerance_policies",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=True),
        sa.Column("vendor_id", sa.String(), nullable=True),
        sa.Column("item_id", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("entity", sa.String(), nullable=True),
        sa.Column(
            "terms", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "organization_id",
            "connection_id",
            "vendor_id",
            "item_id",
            "category",
            "entity",
            name="tolerance_policies_once",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "unit_factors",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.String(), nullable=False),
        sa.Column("vendor_id", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("order_unit", sa.String(), nullable=False),
        sa.Column("numerator", sa.Numeric(), nullable=False),
        sa.Column("denominator", sa.Numeric(), nullable=False),
        sa.Column("told_by", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("unit_factors_by_item", "unit_factors", ["item_id", "vendor_id", "connection_id"], unique=False)
    for table in NO_CONNECTION_LOOKS_EMPTY:
        op.execute(f"alter table {table} alter column connection_id set statistics 0")
    op.execute(APPEND_ONLY)
    op.execute(
        "create trigger events_append_only before update or delete on events"
        " for each row execute function refuse_change_of_event()"
    )
    op.execute(
        "create trigger events_never_truncated before truncate on events"
        " for each statement execute function refuse_change_of_event()"
    )
    op.execute(ONE_WAY_IS_PERMANENT)
    op.execute(
        "create trigger connections_one_way_is_permanent before update on connections"
        " for each row when (old.one_way and not new.one_way) execute function refuse_end_of_one_way()"
    )


def downgrade() -> None:
    op.drop_index("unit_factors_by_item", table_name="unit_factors")
    op.drop_table("unit_factors")
    op.drop_table("tolerance_policies")
    op.drop_table("closed_periods")
    op.drop_index("payments_by_erp_id", table_name="payments")
    op.drop_index("payments_by_age", table_name="payments")
    op.drop_index(op.f("ix_payments_external_key"), table_name="payments")
    op.drop_index(op.f("ix_payments_bill_id"), table_name="payments")
    op.drop_table("payments")
    op.drop_index(op.f("ix_match_decisions_bill_id"), table_name="match_decisions")
    op.drop_table("match_decisions")
    op.drop_index("bill_lines_by_order_line", table_name="bill_lines")
    op.drop_table("bill_lines")
    op.drop_index("receipt_lines_by_order_line", table_name="receipt_lines")
    op.drop_table("receipt_lines")
    op.drop_index(op.f("ix_bills_purchase_order_id"), table_name="bills")
    op.drop_index(op.f("ix_bills_external_key"), table_name="bills")
    op.drop_index("bills_applied", table_name="bills", postgresql_where=sa.text("applied <> '[]'"))
    op.drop_index("bills_with_news", table_name="bills", postgresql_where=sa.text("has_news"))
    op.drop_index("bills_with_edits", table_name="bills", postgresql_where=sa.text("edit_pending"))
    op.drop_index(
        "bills_once",
        table_name="bills",
        postgresql_where=sa.text("status not in ('deleted', 'abandoned') and origin = 'posync'"),
    )
    op.drop_index("bills_by_payable", table_name="bills")
    op.drop_index("bills_by_total", table_name="bills")
    op.drop_index("bills_by_number", table_name="bills")
    op.drop_index("bills_by_erp_id", table_name="bills")
    op.drop_index("bills_by_document", table_name="bills")
    op.drop_index("bills_by_age", table_name="bills")
    op.drop_table("bills")
    op.drop_index(op.f("ix_sync_runs_connection_id"), table_name="sync_runs")
    op.drop_table("sync_runs")
    op.drop_index("sync_issues_once", table_name="sync_issues", postgresql_where=sa.text("state = 'open'"))
    op.drop_index("sync_issues_by_age", table_name="sync_issues")
    op.drop_index(op.f("ix_sync_issues_connection_id"), table_name="sync_issues")
    op.drop_table("sync_issues")
    op.drop_table("skipped_records")
    op.drop_index("receipts_by_order", table_name="receipts")
    op.drop_index(op.f("ix_receipts_purchase_order_id"), table_name="receipts")
    op.drop_table("receipts")
    op.drop_index(
        "purchase_orders_to_wake", table_name="purchase_orders", postgresql_where=sa.text("woken_hash <> content_hash")
    )
    op.drop_index("purchase_orders_by_vendor", table_name="purchase_orders")
    op.drop_index(
        "purchase_orders_by_origin", table_name="purchase_orders", postgresql_where=sa.text("created_from is not null")
    )
    op.drop_index("purchase_orders_by_number", table_name="purchase_orders")
    op.drop_index("purchase_orders_by_document", table_name="purchase_orders")
    op.drop_index("purchase_orders_by_day", table_name="purchase_orders")
    op.drop_table("purchase_orders")
    op.drop_index("notices_by_age", table_name="notices")
    op.drop_table("notices")
    op.drop_index(op.f("ix_match_results_purchase_order_id"), table_name="match_results")
    op.drop_index(op.f("ix_match_results_bill_id"), table_name="match_results")
    op.drop_index("match_results_by_age", table_name="match_results")
    op.drop_table("match_results")
    op.drop_index(op.f("ix_list_entries_key"), table_name="list_entries")
    op.drop_table("list_entries")
    op.drop_index(op.f("ix_erp_writes_subject_id"), table_name="erp_writes")
    op.drop_index(op.f("ix_erp_writes_connection_id"), table_name="erp_writes")
    op.drop_index("erp_writes_by_order", table_name="erp_writes")
    op.drop_table("erp_writes")
    op.drop_table("cursors")
    op.drop_index("requests_with_answers", table_name="requests", postgresql_where=sa.text("answer is not null"))
    op.drop_table("requests")
    op.drop_index(op.f("ix_connections_organization_id"), table_name="connections")
    op.drop_table("connections")
    op.drop_index(op.f("ix_api_keys_organization_id"), table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_index("purchase_order_lines_by_chain", table_name="purchase_order_lines")
    op.drop_table("purchase_order_lines")
    op.drop_index(op.f("ix_organizations_console_id"), table_name="organizations")
    op.drop_table("organizations")
    op.drop_index("events_by_subject", table_name="events")
    op.drop_table("events")
    op.execute("drop sequence erp_write_sequence")
    op.execute("drop function refuse_change_of_event")
    op.execute("drop function refuse_end_of_one_way")
