from .adoptions import Adoption
from .attention import Attention, AttentionKind
from .campaigns import Campaign, CampaignDay, Destination
from .changes import Change, ChangeAct, RefundReason, RefundRequest
from .differences import Comparison, Difference, DifferenceKind
from .gifts import Gift
from .payments import Payment
from .plans import Plan, PlanPrice
from .shield import Closure, Decline, PageOpening, Whom
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
    "Attention",
    "AttentionKind",
    "Campaign",
    "CampaignDay",
    "Change",
    "ChangeAct",
    "Closure",
    "Comparison",
    "Decline",
    "Destination",
    "Difference",
    "DifferenceKind",
    "EventState",
    "Frequency",
    "Gift",
    "PageOpening",
    "Payment",
    "PaymentKind",
    "Plan",
    "PlanPrice",
    "RefundReason",
    "RefundRequest",
    "StripeEvent",
    "Supporter",
    "Whom",
]
