"""What signing in to Sage Intacct takes (reference 1.2 and 2.1); the entity is optional: without it, top level."""

from erp.connector import SigningIn

GATEWAY = "https://api.intacct.com/ia/xml/xmlgw.phtml"
"""Where everybody begins; the answer to signing in names the company's own address."""

SIGNING_IN = SigningIn(
    credentials=("sender_id", "sender_password", "company", "user", "password"),
    may_be_given=("entity",),
    default_endpoint=lambda credentials: GATEWAY,
    max_in_flight=1,  # the standard service level does one call of a company at a time and queues the next
)
