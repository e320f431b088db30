from django import template
from django.template import Context

from adoptions.today import Matter, matters

register = template.Library()


@register.simple_tag(takes_context=True)
def matters_of_today(context: Context) -> list[Matter]:
    """What needs the signed-in member of staff today."""
    return matters(context["user"])
