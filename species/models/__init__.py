from .changes import PageChange
from .comments import Comment, CommentDecision, CommentStatus
from .counts import PopulationCount
from .disagreements import Conflict, ConflictPosition
from .facts import Confidence, Fact, FactGroup, Qualifier, Source, SourceKind
from .field_notes import FieldNote
from .pictures import Picture
from .revisions import Revision
from .spam_words import SpamWord
from .species import Species, Status
from .texts import Citation, Section, Text
from .threats import Direction, SpeciesThreat, Threat

__all__ = [
    "Citation",
    "Comment",
    "CommentDecision",
    "CommentStatus",
    "Confidence",
    "Conflict",
    "ConflictPosition",
    "Direction",
    "Fact",
    "FactGroup",
    "FieldNote",
    "PageChange",
    "Picture",
    "PopulationCount",
    "Qualifier",
    "Revision",
    "Section",
    "Source",
    "SourceKind",
    "SpamWord",
    "Species",
    "SpeciesThreat",
    "Status",
    "Text",
    "Threat",
]
