"""Turn stored tolerance policies into those of the matching rules."""

from collections.abc import Iterable

from matching.policies.policies import PolicyScope, TolerancePolicy
from models.store.policies.match_facts import StoredPolicy
from models.store.policies.tolerance_policies import Scope
from models.tables import TolerancePolicyRow


def stored_policy(row: TolerancePolicyRow) -> StoredPolicy:
    """Return a row in the form in which `match_facts` reads it."""
    scope = {name: value for name in Scope._fields if (value := getattr(row, name)) is not None}
    return StoredPolicy(row.id, row.version, scope, row.terms)


def policy_of(stored: StoredPolicy) -> TolerancePolicy:
    """Return a stored policy for the matching rules; it was checked when it was saved, so it can be read."""
    return TolerancePolicy.model_validate(
        {**stored.terms, "id": stored.id, "version": stored.version, "scope": PolicyScope.model_validate(stored.scope)}
    )


def policies_of(stored: Iterable[StoredPolicy]) -> tuple[TolerancePolicy, ...]:
    """Return all stored policies for the matching rules."""
    return tuple(policy_of(policy) for policy in stored)
