from typing import Any

from django import template

from ..screens import ABOUT

register = template.Library()


@register.filter
def about(opts: Any) -> str:
    """What the list of a model is for."""
    return ABOUT.get(opts.label_lower, "")
