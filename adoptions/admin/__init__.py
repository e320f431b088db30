"""What fundraisers, finance and care see. Money can be read here and never edited."""

from . import adoptions, campaigns, plans, stripe_events, supporters

__all__ = ["adoptions", "campaigns", "plans", "stripe_events", "supporters"]
