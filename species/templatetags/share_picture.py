"""The picture that other sites show with a link to ours, named in the head of a page."""

from typing import Any

from django import template
from django.conf import settings
from django.urls import reverse

from species.models import Species
from species.share_pictures import HEIGHT, WIDTH, printed_status

register = template.Library()


@register.inclusion_tag("components/share_picture.html")
def share_picture(species: Species) -> dict[str, Any]:
    status = printed_status(species)
    return {
        "address": settings.SITE_URL + reverse("species:share_picture", args=[species.slug]),
        "width": WIDTH,
        "height": HEIGHT,
        "alt": f"{species.common_name}, {status}" if status else species.common_name,
    }
