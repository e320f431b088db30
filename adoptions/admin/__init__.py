"""What fundraisers, finance and care see. Money can be read here and never edited."""

from . import adoptions, campaigns, differences, plans, stripe_events, supporters

__all__ = ["adoptions", "campaigns", "differences", "plans", "stripe_events", "supporters"]
