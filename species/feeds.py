"""Feeds (Atom): approved comments of a species, and field notes. Titles are plain text, contents escaped."""

from datetime import datetime

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.dateformat import format as date_format
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import linebreaks
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .models import Comment, FieldNote, Species

ENTRIES = 30


class CommentsFeed(Feed[Comment, Species]):
    feed_type = Atom1Feed

    def get_object(self, request: HttpRequest, slug: str) -> Species:
        return get_object_or_404(Species.objects.public(), slug=slug)

    def title(self, obj: Species) -> str:
        return _("Comments on the %(name)s") % {"name": obj.common_name}

    def link(self, obj: Species) -> str:
        return f"{settings.SITE_URL}{obj.get_absolute_url()}#comments"

    def feed_url(self, obj: Species) -> str:
        return f"{settings.SITE_URL}{reverse('species:comments_feed', args=[obj.slug])}"

    def items(self, obj: Species) -> list[Comment]:
        # Addresses are not even fetched.
        return list(Comment.objects.public().filter(species=obj).defer("email", "network")[:ENTRIES])

    def item_title(self, item: Comment) -> str:
        return f"{item.shown_name}, {date_format(item.created_at, 'd E Y')}"

    def item_description(self, item: Comment) -> str:
        return linebreaks(item.shown_body, autoescape=True)

    def item_link(self, item: Comment) -> str:
        return f"{settings.SITE_URL}{item.get_absolute_url()}"

    def item_guid(self, item: Comment) -> str:
        return f"{settings.SITE_URL}/comment/{item.pk}"

    def item_pubdate(self, item: Comment) -> datetime:
        return item.created_at

    def item_updateddate(self, item: Comment) -> datetime:
        return item.moderated_at or item.created_at


class FieldNotesFeed(Feed[FieldNote, None]):
    feed_type = Atom1Feed
    title = gettext_lazy("Field notes")

    def link(self) -> str:
        return f"{settings.SITE_URL}{reverse('species:home')}"

    def feed_url(self) -> str:
        return f"{settings.SITE_URL}{reverse('species:field_notes_feed')}"

    def items(self) -> list[FieldNote]:
        return list(FieldNote.objects.public().select_related("species")[:ENTRIES])

    def item_title(self, item: FieldNote) -> str:
        return item.title

    def item_description(self, item: FieldNote) -> str:
        return item.html

    def item_link(self, item: FieldNote) -> str:
        return f"{settings.SITE_URL}{item.get_absolute_url()}"

    def item_pubdate(self, item: FieldNote) -> datetime | None:
        return item.published_at

    def item_updateddate(self, item: FieldNote) -> datetime:
        return item.updated_at
