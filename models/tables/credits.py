"""Define the rows of applications of credits to bills that were asked for here."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from models.tables.columns import instant_column, number_column


class CreditApplicationRow(SQLModel, table=True):
    """An application of a credit to a bill without money, asked for here. `amount` is in `currency`."""

    __tablename__ = "credit_applications"
    __table_args__ = (
        Index("credit_applications_by_credit", "credit_id", "created_at"),
        Index("credit_applications_by_bill", "bill_id"),
        Index(
            "credit_applications_under_way",
            "connection_id",
            postgresql_where=text("status in ('applying', 'unapplying')"),
        ),
    )

    id: str = Field(primary_key=True)
    organization_id: str = Field(foreign_key="organizations.id")
    connection_id: str = Field(foreign_key="connections.id")
    credit_id: str = Field(foreign_key="bills.id")
    bill_id: str = Field(foreign_key="bills.id")
    status: str
    """A `models.domain.credits.ApplicationStatus`."""
    amount: Decimal = number_column()
    on_bill: Decimal = number_column()
    """All that the credit is applied with to the bill once this is done."""
    currency: str
    dated: date
    external_key: str = Field(index=True)
    payment: str | None = None
    """The ERP's payment without money that made it, where the ERP applies credits by payments."""
    shown: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """The ERP's own figures of the credit have been read with it."""
    asks: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    """How often somebody asked: to apply it, to undo it."""
    problem: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    """Why the ERP refused the last ask; empty: it did not."""
    problem_code: str | None = None
    created_by: str
    why: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    unapplied_by: str | None = None
    """Who asked to undo it; None: nobody did here."""
    unapplied_why: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    version: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    created_at: datetime = instant_column(default_now=True)
    changed_at: datetime = instant_column(default_now=True)


class PaymentCreditRow(SQLModel, table=True):
    """A credit that goes to one bill of a payment beside the money. `amount` is in the payment's currency."""

    __tablename__ = "payment_credits"
    __table_args__ = (
        Index("payment_credits_by_credit", "credit_id"),
        Index("payment_credits_by_bill", "bill_id"),
    )

    payment_id: str = Field(foreign_key="payments.id", primary_key=True)
    credit_id: str = Field(foreign_key="bills.id", primary_key=True)
    bill_id: str = Field(foreign_key="bills.id", primary_key=True)
    amount: Decimal = number_column()
    """As it was asked for; once the ERP has posted the payment, as the ERP applied it."""
    applied_before: Decimal | None = number_column(nullable=True)
    """What the credit was applied with to the bill when the payment was first sent; None: it was not sent."""
    stays_applied: Decimal | None = number_column(nullable=True)
    """What the credit is to be applied with to the bill once the payment is voided; None: nobody asked for a void."""
