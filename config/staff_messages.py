"""What staff are told on the page after an act, in a cookie that no other host can set where the site has HTTPS."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class OwnCookie(CookieStorage):
    cookie_name = "__Host-messages" if settings.IS_SECURE_SITE else "messages"


class Messages(FallbackStorage):
    """Too long for a cookie, they go into the session, as Django's own do."""

    storage_classes = (OwnCookie, SessionStorage)
