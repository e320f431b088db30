import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest, QueryDict

CAMPAIGN_CODE = re.compile(r"[a-z0-9-]{3,32}")


def campaign_code(query: QueryDict) -> str:
    """The first of an address that can be one: some programs add their own behind it. Empty if there is none."""
    codes = (code.strip().lower() for code in query.getlist("c"))
    return next((code for code in codes if CAMPAIGN_CODE.fullmatch(code)), "")


def campaign(request: HttpRequest) -> dict[str, Any]:
    """`?c=<code>` for links to other pages, so that a campaign's code travels in addresses and needs no cookie."""
    code = campaign_code(request.GET)
    return {"campaign_query": f"?c={code}" if code else "", "campaign_is_over": bool(code and "over" in request.GET)}


def charity(request: HttpRequest) -> dict[str, Any]:
    """Who runs this site, printed on every page as the law asks of a registered charity."""
    return {
        "charity": settings.CHARITY,
        "site_url": settings.SITE_URL,
        "asks_akismet": bool(settings.AKISMET_KEY),
        "is_practice": settings.PRACTICE,
    }
