"""What an ERP can do for us, role by role, in our own words. A connector has some of these roles (`erp/connector.py`).

Ranges are half open; `since` and revisions are in the ERP's own clock, as text. `after` is opaque to callers and may be
given to another connector of the same connection, in another process, hours later: it holds all that is needed to go
on. A page number or a date does; a cursor that lives in the ERP's session does not.

Every write takes an external key; together with `find` it is safe to repeat.
"""
