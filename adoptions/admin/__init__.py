"""What fundraisers, finance and care see. Money can be read here and never edited."""

from . import (
    adoptions,
    attention,
    by_hand,
    campaigns,
    complaints,
    differences,
    exports,
    gift_aid,
    gifts,
    imports,
    merging,
    payments,
    plans,
    refunds,
    stripe_events,
    supporters,
)

__all__ = [
    "adoptions",
    "attention",
    "by_hand",
    "campaigns",
    "complaints",
    "differences",
    "exports",
    "gift_aid",
    "gifts",
    "imports",
    "merging",
    "payments",
    "plans",
    "refunds",
    "stripe_events",
    "supporters",
]
