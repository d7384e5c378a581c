"""The QueryResponse of a query, as JSON text."""

from collections.abc import Sequence

from sandbox.faults import Rule
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.querying import Page
from sandbox.quickbooks_online.tampering import tampered
from sandbox.quickbooks_online.wire_out import record_text


def query_text(company: Company, page: Page, rules: Sequence[Rule] = ()) -> str:
    """A QueryResponse; one without records is empty. `rules` are faults that spoil its records."""
    if page.total is not None:
        return f'{{"totalCount":{page.total}}}'
    if page.kind is None or not page.records:
        return "{}"
    texts = [record_text(company, record) for record in page.records]
    texts = tampered(page.kind.name, texts, rules)
    return f'{{"{page.kind.name}":[{",".join(texts)}],"startPosition":{page.start},"maxResults":{len(texts)}}}'
