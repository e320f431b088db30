from .adoptions import Adoption
from .campaigns import Campaign, CampaignDay, Destination
from .differences import Comparison, Difference, DifferenceKind
from .gifts import Gift
from .payments import Payment
from .plans import Plan, PlanPrice
from .states import ADOPTED, INCOMING, OPEN, REPEATING, AdoptionState, EventState, Frequency, PaymentKind
from .stripe_events import StripeEvent
from .supporters import Supporter

__all__ = [
    "ADOPTED",
    "INCOMING",
    "OPEN",
    "REPEATING",
    "Adoption",
    "AdoptionState",
    "Campaign",
    "CampaignDay",
    "Comparison",
    "Destination",
    "Difference",
    "DifferenceKind",
    "EventState",
    "Frequency",
    "Gift",
    "Payment",
    "PaymentKind",
    "Plan",
    "PlanPrice",
    "StripeEvent",
    "Supporter",
]
