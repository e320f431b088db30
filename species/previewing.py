"""Links that show what is not published yet: signed, good for a week, and of no use for anything but looking."""

from django.core import signing
from django.urls import reverse

from .models import Species, Text
from .models.revisions import Revision

SALT = "species.preview"
GOOD_FOR = 7 * 24 * 3600


def link_to(species: Species, draft: Revision | None = None) -> str:
    """The species' page, with a draft in its place if one is given."""
    token = signing.dumps([species.pk, draft.pk if draft else None], salt=SALT)
    return reverse("species:preview", args=[token])


def what_to_show(token: str) -> tuple[Species, Revision | None] | None:
    """What a link was made for; None if it is wrong or too old, or what it showed is gone."""
    try:
        species_pk, draft_pk = signing.loads(token, salt=SALT, max_age=GOOD_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    species = Species.objects.filter(pk=species_pk).first()
    draft = Revision.objects.filter(pk=draft_pk, kind=Text._meta.model_name).first() if draft_pk else None
    if species is None or (draft_pk and draft is None):
        return None
    return species, draft
