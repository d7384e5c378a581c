"""A chain of back orders is one order to the rules (S5-25)."""

from decimal import Decimal

import pytest

from matching.back_orders import chain_ledger
from matching.bill import Outcome
from tests.matching.given import a_ledger, judge


def test_a_single_document_is_its_own_chain():
    ledger = a_ledger(10, 4, 2, cancelled=1, returned=1, pending=1, credited=1)

    assert chain_ledger([ledger]) == ledger


def test_billed_and_received_history_follows_the_chain():
    """S5-25: 10 ordered; 4 received and billed, closed; the back order of 6 has 2 received and 1 billed."""
    chain = chain_ledger([a_ledger(10, 4, 4), a_ledger(6, 2, 1)])

    assert chain.ordered == 10
    assert (chain.net_received, chain.net_billed, chain.remaining) == (6, 5, 5)
    assert judge("2", chain, 5).outcome is Outcome.OK
    assert judge("2", chain, 6).outcome is Outcome.BLOCK
    assert judge("3", chain, 2).outcome is Outcome.WARN


def test_what_a_closed_original_did_not_deliver_is_not_cancelled():
    """S5-25: it went on into the back order. What the last document cancels is gone."""
    chain = chain_ledger([a_ledger(10, 4, 4, cancelled=6), a_ledger(6, cancelled=1)])

    assert chain.effective_ordered == 9
    assert chain.remaining == 5


def test_a_chain_is_the_same_however_often_it_was_split():
    """S5-25: every document takes what it delivered and hands on the rest."""
    for parts in ([10], [3, 7], [1, 2, 3, 4]):
        left, documents = Decimal(10), []
        for part in parts:
            documents.append(a_ledger(left, part, part))
            left -= part
        chain = chain_ledger(documents)
        assert (chain.ordered, chain.net_received, chain.net_billed, chain.remaining) == (10, 10, 10, 0)
        assert chain.hidden


def test_a_chain_without_documents_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="at least one"):
        chain_ledger([])
