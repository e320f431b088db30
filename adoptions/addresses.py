"""The parts of an address that only have one shape: anything else is a 404 before a view is asked."""

from django.urls import register_converter


class Text:
    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class Reference(Text):
    regex = "PM-[2-9B-DF-HJ-NP-TV-XZ]{8}"


class Secret(Text):
    """256 bits, as secrets.token_urlsafe(32) writes them."""

    regex = "[A-Za-z0-9_-]{43}"


register_converter(Reference, "reference")
register_converter(Secret, "secret")
