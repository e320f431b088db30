"""JSON-LD in a page: `{% json_ld data %}`. A data block, not a script: browsers never run it, and CSP lets it be."""

from typing import Any

from django import template
from django.utils.html import json_script
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag
def json_ld(data: dict[str, Any]) -> SafeString:
    """Django's own escaping of `<`, `>` and `&` inside, another type on the tag."""
    block = json_script(data).replace('type="application/json"', 'type="application/ld+json"', 1)
    return mark_safe(block)  # noqa: S308  # json_script has escaped everything that could close the tag
