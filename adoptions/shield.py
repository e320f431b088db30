"""A quiet shield against people who test stolen cards on donation forms.

They open pages at Stripe by the thousand; a supporter opens one or two. No captcha: an outage of somebody else's
captcha has closed donation pages before.
"""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest

from config.limits import Limit, client_address, network_of

PER_ADDRESS = Limit("checkout-address", times=6, per=timedelta(minutes=10))
PER_NETWORK = Limit("checkout-network", times=30, per=timedelta(hours=1))
PER_EMAIL = Limit("checkout-email", times=10, per=timedelta(days=1))


def may_open_a_page(request: HttpRequest, email: str) -> bool:
    """May this visitor be sent to Stripe once more?"""
    if settings.IS_STRIPE_STANDIN:
        return True  # nothing to protect, and a demonstration is tried many times in a minute
    address = client_address(request)
    return PER_ADDRESS.allows(address) and PER_NETWORK.allows(network_of(address)) and PER_EMAIL.allows(email.lower())
