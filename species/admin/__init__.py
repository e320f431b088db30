"""What editors and moderators work with."""

from . import comments, facts, field_notes, pictures, species, texts

__all__ = ["comments", "facts", "field_notes", "pictures", "species", "texts"]
