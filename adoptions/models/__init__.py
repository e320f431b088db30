from .access import AccessLink, Purpose, SupporterSession
from .adoptions import Adoption
from .attention import Attention, AttentionKind
from .campaigns import Campaign, CampaignDay, Destination
from .changes import Change, ChangeAct, RefundReason, RefundRequest
from .complaints import Complaint, ComplaintAbout, ComplaintOutcome
from .consent import Basis, ConsentEvent, ConsentState, GivenBy, Suppression
from .differences import Comparison, Difference, DifferenceKind
from .drafts import Draft
from .exchange import ExportedFile, ExportedPart, ExportLayout, ExportState
from .failures import WHAT_BECAME, Became, FailedRenewal
from .gift_aid import GiftAidDeclaration
from .gifts import Delivery, Gift, GiftState
from .imports import (
    AT_WORK,
    MAY_BE_UNDONE,
    OVER,
    ImportedFile,
    ImportedPiece,
    ImportedRow,
    ImportState,
    ListOf,
    OnAlike,
    OnKnown,
    Outcome,
    Verdict,
)
from .merging import MAY_UNDO_MERGE, Likeness, Merge
from .notes import Note
from .past import PastAdoption, PastPayment
from .payment_links import PaymentLink
from .payments import Because, Fee, HandEntry, Payment
from .plans import Plan, PlanPrice
from .reports import ReportLine
from .send_lists import Answer, SendList, SentTo
from .shield import Closure, Decline, PageOpening, Whom
from .states import (
    ADOPTED,
    BY_HAND,
    ELSEWHERE,
    INCOMING,
    INTERVALS,
    OPEN,
    REPEATING,
    RHYTHMS,
    TOLD_TO_STAFF,
    AdoptionState,
    EventState,
    Frequency,
    Method,
    PaymentKind,
    Source,
)
from .stripe_events import StripeEvent
from .supporters import FormerAddress, Supporter
from .takeovers import Takeover

__all__ = [
    "ADOPTED",
    "AT_WORK",
    "BY_HAND",
    "ELSEWHERE",
    "INCOMING",
    "INTERVALS",
    "MAY_BE_UNDONE",
    "MAY_UNDO_MERGE",
    "OPEN",
    "OVER",
    "REPEATING",
    "RHYTHMS",
    "TOLD_TO_STAFF",
    "WHAT_BECAME",
    "AccessLink",
    "Adoption",
    "AdoptionState",
    "Answer",
    "Attention",
    "AttentionKind",
    "Basis",
    "Became",
    "Because",
    "Campaign",
    "CampaignDay",
    "Change",
    "ChangeAct",
    "Closure",
    "Comparison",
    "Complaint",
    "ComplaintAbout",
    "ComplaintOutcome",
    "ConsentEvent",
    "ConsentState",
    "Decline",
    "Delivery",
    "Destination",
    "Difference",
    "DifferenceKind",
    "Draft",
    "EventState",
    "ExportLayout",
    "ExportState",
    "ExportedFile",
    "ExportedPart",
    "FailedRenewal",
    "Fee",
    "FormerAddress",
    "Frequency",
    "Gift",
    "GiftAidDeclaration",
    "GiftState",
    "GivenBy",
    "HandEntry",
    "ImportState",
    "ImportedFile",
    "ImportedPiece",
    "ImportedRow",
    "Likeness",
    "ListOf",
    "Merge",
    "Method",
    "Note",
    "OnAlike",
    "OnKnown",
    "Outcome",
    "PageOpening",
    "PastAdoption",
    "PastPayment",
    "Payment",
    "PaymentKind",
    "PaymentLink",
    "Plan",
    "PlanPrice",
    "Purpose",
    "RefundReason",
    "RefundRequest",
    "ReportLine",
    "SendList",
    "SentTo",
    "Source",
    "StripeEvent",
    "Supporter",
    "SupporterSession",
    "Suppression",
    "Takeover",
    "Verdict",
    "Whom",
]
