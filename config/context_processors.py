import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest

CAMPAIGN_CODE = re.compile(r"[a-z0-9-]{3,32}")


def campaign(request: HttpRequest) -> dict[str, str]:
    """`?c=<code>` for links to other pages, so that a campaign's code travels in addresses and needs no cookie."""
    code = request.GET.get("c", "").lower()
    return {"campaign_query": f"?c={code}" if CAMPAIGN_CODE.fullmatch(code) else ""}


def charity(request: HttpRequest) -> dict[str, Any]:
    """Who runs this site, printed on every page as the law asks of a registered charity."""
    return {"charity": settings.CHARITY, "site_url": settings.SITE_URL, "asks_akismet": bool(settings.AKISMET_KEY)}
