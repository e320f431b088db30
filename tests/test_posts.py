"""Every public form says what keeps it from a thousand presses: a limit, or whose secret it stands behind."""

import inspect
import re

from django.urls import get_resolver

from adoptions import access, complaint_forms, drafts, shield
from config import policy_reports
from config.limits import Limit
from species import forms as comments
from species.views import commenting, own_words
from tests.test_urls import views

SIGNED = "Signed by Stripe, or by our mail service, with a secret that both know; anything else is refused unread."
# 128 bits or more: nobody guesses one. Whoever has it may press as often as they like what it is for, and each press
# after the first changes nothing: all of these are conditional updates.
LINK = "Behind the secret of a link that went to one person."
SESSION = "Behind the session of a supporter, which a link and its code began, and who acts on their own adoption."
GUARDS: dict[str, list[Limit] | str] = {
    "species.views.replying.leave_reply": [comments.PER_ADDRESS, comments.PER_NETWORK, comments.PER_WRITER],
    "species.views.commenting.report": [commenting.REPORTS, commenting.SAME_REPORT],
    "species.views.own_words.ask_for_link": [own_words.PER_ADDRESS],
    "adoptions.views.checkout.adopt": [drafts.PER_NETWORK, shield.PER_ADDRESS, shield.PER_NETWORK, shield.PER_EMAIL],
    "adoptions.views.paying.pay": LINK,
    "adoptions.views.signing_in.my_adoption": [access.PER_EMAIL, access.PER_NETWORK, access.OVERALL],
    "adoptions.views.complaining.complain": [complaint_forms.PER_ADDRESS, complaint_forms.PER_NETWORK],
    "config.policy_reports.receive": [policy_reports.PER_NETWORK, policy_reports.OVERALL],
    "config.bounces.receive": SIGNED,
    "adoptions.views.webhook.receive": SIGNED,
    "adoptions.views.signing_in.use_link": LINK,  # and a code that may be tried a few times: test_access.py
    "adoptions.views.signing_in.sign_out": SESSION,
    "adoptions.views.unsubscribing.unsubscribe": LINK,
    "species.views.moderating.moderate": LINK,
    "species.views.own_words.erase": LINK,
    **{f"species.views.own_comment.{act}_own_comment": LINK for act in ("change", "take_back", "publish")},
    "species.views.own_comment.stop_replies": LINK,
    **{f"adoptions.views.gift.{act}": LINK for act in ("unwrap", "thank", "erase")},
    **{
        f"adoptions.views.my_adoption.{act}": SESSION
        for act in ("details", "news", "take_back_gift_aid", "declare_gift_aid", "erase", "change_gift")
    },
    "adoptions.views.my_adoption.send_gift_again": SESSION,
    "adoptions.views.commenting.comment": SESSION,
    **{
        f"adoptions.views.changing.{act}": SESSION
        for act in ("stop", "go_on", "pause", "resume", "skip", "amount", "rhythm", "card")
    },
}
BEHIND = {LINK: r"<(?:str|secret):token>", SESSION: r"^my-adoption/"}


def takers_of_posts() -> dict[str, str]:
    """Every view of ours outside the desk that takes a POST, with its address."""
    found = {}
    for pattern in views([one for one in get_resolver().url_patterns if "admin/" not in str(one.pattern)]):
        view = inspect.unwrap(pattern.callback)
        if not inspect.isfunction(view) or not view.__module__.startswith(("config.", "species.", "adoptions.")):
            continue
        if "require_safe" not in inspect.getsource(view).partition("def ")[0]:
            found[f"{view.__module__}.{view.__name__}"] = str(pattern.pattern)
    return found


def test_every_public_post_is_limited_or_stands_behind_a_secret() -> None:
    addresses = takers_of_posts()
    assert set(addresses) == set(GUARDS)
    for name, guard in GUARDS.items():
        if isinstance(guard, list):
            assert guard
            assert all(isinstance(limit, Limit) for limit in guard), name
        elif guard in BEHIND:
            assert re.search(BEHIND[guard], addresses[name]), f"{name} is not where its secret is asked for"
