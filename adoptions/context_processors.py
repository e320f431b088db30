from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from config.context_processors import campaign_code

from . import campaigns


def appeal(request: HttpRequest) -> dict[str, Any]:
    """The campaign whose words stand on this page (`templates/base.html`); looked up when a page has room for them."""
    code = campaign_code(request.GET)
    return {"appeal": SimpleLazyObject(lambda: campaigns.words_for(code)) if code else None}
