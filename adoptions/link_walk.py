"""Walk each live campaign link as a reader would, over the network, and call staff to those that do not arrive.

`campaigns.check_links` compares rows: is what a link promises still on offer? This asks the site itself, by the address
that is printed in the mails, and so finds what no row knows: a server in front that sends people elsewhere, a page that
breaks, one that takes for ever.

It asks with HEAD, which the site does not count as a landing, and follows redirects on our own host only. If the site
does not answer at all, that is said once and no link is blamed for it.
"""

import logging
from datetime import timedelta
from functools import cache
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from django.conf import settings
from django.utils import timezone

from config import patience

from . import attention, campaign_codes, campaigns
from .models import Attention, AttentionKind, Campaign

logger = logging.getLogger(__name__)

SECONDS = 5  # for one answer
HOPS = 4  # of a link that works there is one
TURN = timedelta(seconds=10)  # then the worker does other things, and goes on where it was
REDIRECTS = {301, 302, 303, 307, 308}


class Unreachable(Exception):
    """Nothing came back: no connection, or no answer in time. Says so in a sentence for staff."""


class LedAway(Exception):
    """To another site, or round in circles. Says so in a sentence for staff."""


class ByHand(HTTPRedirectHandler):
    """A redirect is an answer: where it leads is looked at before anybody goes there."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@cache
def opener() -> OpenerDirector:
    """Made once: it reads all certificates of the machine."""
    return build_opener(ByHand())


def walk(*, after: int = 0) -> int | None:
    """Try the live links of later campaigns than this one, for a while; the last one tried, None when all have been."""
    until = patience.now() + TURN
    live = Campaign.objects.running().filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)
    if live and (trouble := trouble_of_site()):
        call("site", trouble)
        return None
    for pk in live:
        problem = try_one(pk)
        if problem and (trouble := trouble_of_site()):
            call("site", trouble)  # it went away meanwhile
            return None
        if problem:
            call(*problem)
        if patience.now() > until:
            return pk
    return None


def try_one(pk: int) -> tuple[str, str] | None:
    """The code of a link that does not arrive, and what is wrong with it. Judged by the row as it is afterwards."""
    link = campaign_codes.link(Campaign.objects.get(pk=pk))
    try:
        status, address = arrive(link)
        problem = "" if status == 200 else f"{urlsplit(address).path} answers with {status}."
    except (Unreachable, LedAway) as error:
        problem, address = str(error), ""
    campaign = Campaign.objects.running().filter(pk=pk).select_related("species", "preset_plan").first()
    if campaign is None:
        return None  # it ended, or staff paused it, a moment ago
    problem = problem or wrong_place(campaign, address)
    return (campaign.code, f"{campaign}: {problem}") if problem else None


def arrive(link: str) -> tuple[int, str]:
    """The status of the page in the end, and its address. Raises `Unreachable` or `LedAway`."""
    for _hop in range(HOPS):
        status, leads_to = head(link)
        if status not in REDIRECTS:
            return status, link
        link = urljoin(link, leads_to)
        if urlsplit(link).netloc != urlsplit(settings.SITE_URL).netloc or urlsplit(link).scheme not in {
            "http",
            "https",
        }:
            raise LedAway(f"It leads away from our site, to {urlsplit(link).netloc or link[:60]}.")
    raise LedAway("It is sent on and on, and never arrives.")


def head(address: str) -> tuple[int, str]:
    """Status and, of a redirect, where to."""
    request = Request(address, method="HEAD", headers={"User-Agent": "Pugmark link check"})  # noqa: S310  SITE_URL's host
    try:
        with opener().open(request, timeout=SECONDS) as answer:
            return answer.status, ""
    except HTTPError as answer:
        with answer:
            return answer.code, answer.headers.get("Location", "")
    except (OSError, HTTPException, ValueError) as error:
        logger.info("No answer to HEAD %s: %s", address, error)
        is_slow = "timed out" in str(error)
        raise Unreachable(f"No answer within {SECONDS} seconds." if is_slow else "The site hangs up.") from error


def trouble_of_site() -> str:
    """Why no link can be tried, in a sentence; empty if the site is there."""
    try:
        status, _ = head(f"{settings.SITE_URL}/healthz")
    except Unreachable:
        return f"The site does not answer at {settings.SITE_URL}: no campaign link could be tried."
    # By itself it says 200 whatever happens; so this is a server in front, which has none of ours behind it.
    return f"The site answers with {status} at {settings.SITE_URL}: no campaign link could be tried." * (status >= 500)


def wrong_place(campaign: Campaign, address: str) -> str:
    there, expected = urlsplit(address), urlsplit(campaigns.destination(campaign))
    if there.path != expected.path:
        return f"It arrives at {there.path[:80]} and not at {expected.path}."
    found, wanted = parse_qs(there.query), parse_qs(expected.query)
    if found.get("c") != wanted["c"]:
        return "Its code is lost on the way: nothing is credited to it."
    if found != wanted:
        return "The page is shown as if the campaign were paused or over, without what it fills in."
    return ""


def call(about: str, what: str) -> None:
    """Again only after staff said it was done, as for the other faults of a link."""
    waiting = Attention.objects.open().filter(kind=AttentionKind.CAMPAIGN_LINK, reason=what[:300])
    if not waiting.exists():
        attention.call(AttentionKind.CAMPAIGN_LINK, key=f"{timezone.localdate()} {about} tried", reason=what)
