from .comments import Comment, CommentDecision, CommentStatus
from .field_notes import FieldNote
from .revisions import Revision
from .species import (
    Confidence,
    Conflict,
    ConflictPosition,
    Fact,
    FactGroup,
    PopulationCount,
    Qualifier,
    Source,
    SourceKind,
    Species,
    Status,
)
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
    "PopulationCount",
    "Qualifier",
    "Revision",
    "Section",
    "Source",
    "SourceKind",
    "Species",
    "SpeciesThreat",
    "Status",
    "Text",
    "Threat",
]
