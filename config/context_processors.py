from typing import Any

from django.conf import settings
from django.http import HttpRequest


def charity(request: HttpRequest) -> dict[str, Any]:
    """Who runs this site, printed on every page as the law asks of a registered charity."""
    return {
        "charity": settings.CHARITY,
        "site_url": settings.SITE_URL,
        "asks_akismet": bool(settings.AKISMET_KEY),
        "is_practice": settings.PRACTICE,
    }
