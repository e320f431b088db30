"""JSON-LD in a page: `{% json_ld data %}`. A data block, not a script: browsers never run it, and CSP lets it be."""

from django import template
from django.template.base import FilterExpression, Parser, Token
from django.template.context import Context
from django.utils.html import json_script

register = template.Library()


class JsonLd(template.Node):
    """Django's own `json_script`, which escapes all that could close the tag, under another type."""

    def __init__(self, data: FilterExpression) -> None:
        self.data = data

    def render(self, context: Context) -> str:
        data = self.data.resolve(context)
        return json_script(data).replace('type="application/json"', 'type="application/ld+json"', 1) if data else ""


@register.tag
def json_ld(parser: Parser, token: Token) -> JsonLd:
    _, data = token.split_contents()
    return JsonLd(parser.compile_filter(data))
