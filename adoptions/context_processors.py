from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from . import campaigns


def campaign(request: HttpRequest) -> dict[str, Any]:
    """`?c=<code>` for links to other pages, so that a campaign's code travels in addresses and needs no cookie.

    And the campaign whose words stand on this page (`templates/base.html`), looked up when a page has room for them.
    """
    code = campaigns.code_in(request.GET)
    return {
        "campaign_code": code,
        "campaign_query": f"?c={code}" if code else "",
        "campaign_is_over": bool(code and "over" in request.GET),
        "appeal": SimpleLazyObject(lambda: campaigns.words_for(code)) if code else None,
    }
