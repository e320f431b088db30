"""The picture that other sites show with a link to ours, named in the head of a page."""

from typing import Any

from django import template

from species.models import Species
from species.share_pictures import HEIGHT, WIDTH, printed_status, share_address

register = template.Library()


@register.inclusion_tag("components/share_picture.html")
def share_picture(species: Species, name: str = "") -> dict[str, Any]:
    """`name`: in another language."""
    name, status = name or species.heading, printed_status(species)
    return {
        "address": share_address(species),
        "width": WIDTH,
        "height": HEIGHT,
        "alt": f"{name}, {status}" if status else name,
    }
