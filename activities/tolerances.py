"""Stored tolerance policies as the matching rules take them."""

from collections.abc import Iterable

from matching.policies import PolicyScope, TolerancePolicy
from models.store.match_facts import StoredPolicy
from models.store.tolerance_policies import Scope
from models.tables import TolerancePolicyRow


def stored_policy(row: TolerancePolicyRow) -> StoredPolicy:
    """A row as `match_facts` reads it."""
    scope = {name: value for name in Scope._fields if (value := getattr(row, name)) is not None}
    return StoredPolicy(row.id, row.version, scope, row.terms)


def policy_of(stored: StoredPolicy) -> TolerancePolicy:
    """Checked when it was saved, so that it can be read now."""
    return TolerancePolicy.model_validate(
        {**stored.terms, "id": stored.id, "version": stored.version, "scope": PolicyScope.model_validate(stored.scope)}
    )


def policies_of(stored: Iterable[StoredPolicy]) -> tuple[TolerancePolicy, ...]:
    """All of them."""
    return tuple(policy_of(policy) for policy in stored)
