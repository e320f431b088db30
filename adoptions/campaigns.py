"""Where a campaign link leads, how often it was followed, and whether it still does what it was made for."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from urllib.parse import urlencode

from django.db.models import F
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from config.campaign_links import CAMPAIGN_CODE
from config.money import pounds
from species.models import FieldNote, Species

from . import attention
from .models import Attention, AttentionKind, Campaign, CampaignDay, Destination, Plan
from .models.campaigns import LONGEST_CODE, SHORTEST_CODE

MOST_CODES = 20  # in one address
DASHES = re.compile(r"[_\u2010-\u2015\u2212]")  # what office programs and people make of a hyphen
UNWANTED = re.compile(r"[^a-z0-9-]")
PAGES: dict[str, str] = {
    Destination.HOME: "species:home",
    Destination.THREATS: "species:threats",
    Destination.SOURCES: "species:sources",
}  # that are of no one species

_previewed: ContextVar[Campaign | None] = ContextVar("previewed", default=None)


def as_typed(code: str) -> str:
    """A code in any spelling that office programs and people make of it, as we write it."""
    return UNWANTED.sub("", DASHES.sub("-", code.lower()))[:LONGEST_CODE].strip("-")


def follow(code: str, *, is_counted: bool) -> str:
    """The address of a page of ours for a code, counting the visit; a code we do not know leads to the species.

    The destination is always one of our own named pages: nothing in the link can send a visitor elsewhere.
    """
    campaign = Campaign.objects.filter(code=code).select_related("species", "preset_plan").first()
    if is_counted:
        count_landing(campaign)
    return destination(campaign) if campaign else reverse("species:list")


def destination(campaign: Campaign) -> str:
    """The page with the code in its address; the form's presets too, while the campaign runs.

    Of one that is over, the page says so in a friendly way. A link that is only paused shows the page as it is.
    """
    code = {"c": campaign.code, **({"over": "1"} if campaign.is_over else {})}
    is_filled_in = campaign.destination == Destination.ADOPT and campaign.is_running
    presets = presets_of(campaign) if is_filled_in and leads_to_its_species(campaign) else {}
    return f"{page_of(campaign)}?{urlencode(code | presets)}"


def page_of(campaign: Campaign) -> str:
    """What is not published is never led to: the next page above it is."""
    species = campaign.species
    if species is None or not leads_to_its_species(campaign):
        return reverse(PAGES.get(campaign.destination, "species:home"))
    if campaign.destination == Destination.ADOPT:
        return reverse("adoptions:adopt", args=[species.slug])
    note = newest_note(species) if campaign.destination == Destination.NOTE else None
    return note.get_absolute_url() if note else reverse("species:detail", args=[species.slug])


def leads_to_its_species(campaign: Campaign) -> bool:
    return campaign.destination not in PAGES and campaign.species is not None and campaign.species.is_published


def newest_note(species: Species) -> FieldNote | None:
    return FieldNote.objects.public().filter(species=species).first()


def free_code(name: str) -> str:
    """`Spring appeal` → `spring-appeal`, or with a number where that was ever used; empty for what makes no code."""
    code = slugify(name).replace("_", "-")[:LONGEST_CODE].strip("-")
    if len(code) < SHORTEST_CODE:
        return ""
    taken = set(Campaign.objects.filter(code__startswith=code[: LONGEST_CODE - 4]).values_list("code", flat=True))
    numbered = (f"{code[: LONGEST_CODE - len(end)].strip('-')}{end}" for end in (f"-{n}" for n in count(2)))
    return code if code not in taken else next(each for each in numbered if each not in taken)


def all_codes() -> Iterable[str]:
    """Of every campaign there ever was: each has its credit, whether it runs or not."""
    return Campaign.objects.values_list("code", flat=True).order_by()


def code_in(query: QueryDict) -> str:
    """The code in an address: of several, as some programs add their own, the first that is a campaign's.

    One that is nobody's is kept as it came (`Adoption.campaign_code`). Empty if there is none.
    """
    codes = [code.strip().lower() for code in query.getlist("c")[:MOST_CODES]]
    codes = [code for code in codes if CAMPAIGN_CODE.fullmatch(code)]
    if len(codes) > 1:
        known = set(Campaign.objects.filter(code__in=codes).values_list("code", flat=True))
        codes = [code for code in codes if code in known] or codes
    return codes[0] if codes else ""


@contextmanager
def as_if_kept(campaign: Campaign) -> Iterator[None]:
    """Pages made here and now show these words under its code: for a look at them before they are kept."""
    token = _previewed.set(campaign)
    try:
        yield
    finally:
        _previewed.reset(token)


def words_for(code: object) -> Campaign | None:
    """Whose words stand on the page for who came by this code; None where none were written, or it does not run."""
    previewed = _previewed.get()
    if previewed and previewed.code == code:
        return previewed
    if not (isinstance(code, str) and CAMPAIGN_CODE.fullmatch(code)):
        return None
    return Campaign.objects.running().filter(code=code).exclude(landing_text="", statement="").first()


def presets_of(campaign: Campaign) -> dict[str, str]:
    """The answers filled in beforehand, as parameters of the adopt page."""
    found = {}
    if campaign.preset_plan:
        found["plan"] = campaign.preset_plan.slug
    if campaign.preset_frequency:
        found["frequency"] = campaign.preset_frequency
    if campaign.preset_pence:
        found["amount"] = f"{campaign.preset_pence // 100}.{campaign.preset_pence % 100:02}"
    if campaign.preset_gift:
        found["gift"] = "1"
    return found


def problems(campaign: Campaign) -> list[str]:
    """What keeps a link from doing what its campaign says, in sentences for staff."""
    species = campaign.species
    if campaign.destination in PAGES:
        return []
    if species is None or not species.is_published:
        return ["The species is not published: the link leads to the home page."]
    if campaign.destination == Destination.NOTE and not newest_note(species):
        return ["No field note of this species is published: the link leads to the page of the species."]
    if campaign.destination != Destination.ADOPT:
        return []
    plans = list(Plan.objects.on_offer_for(species))
    if campaign.preset_plan and campaign.preset_plan not in plans:
        return [f"{campaign.preset_plan} is not on offer for the {species.common_name}: another plan is shown."]
    if not plans:
        return ["Nothing is on offer for this species: nobody can adopt."]
    return _problems_of_price(campaign, campaign.preset_plan or plans[0])


def _problems_of_price(campaign: Campaign, plan: Plan) -> list[str]:
    frequency, pence = campaign.preset_frequency, campaign.preset_pence
    prices = {price.frequency: price for price in plan.prices.all()}
    if not prices or (frequency and frequency not in prices):
        return [
            f"{plan} cannot be given “{campaign.get_preset_frequency_display()}”: the choice is left to the reader."
        ]
    price = prices[frequency] if frequency else next(iter(prices.values()))
    if pence and not price.allows(pence):
        least, most = pounds(price.minimum_pence), pounds(price.maximum_pence)
        return [f"{pounds(pence)} is not taken: {plan} allows {least} to {most}. The usual amounts are shown."]
    return []


def check_links() -> int:
    """Call staff to each link in use that does not do what it should; again only after they said it was done."""
    waiting = set(Attention.objects.open().filter(kind=AttentionKind.CAMPAIGN_LINK).values_list("reason", flat=True))
    found = 0
    for campaign in Campaign.objects.running().select_related("species", "preset_plan"):
        for problem in problems(campaign):
            found += 1
            what = f"{campaign}: {problem}"[:300]
            if what not in waiting:
                key = f"{timezone.localdate()} {campaign}"
                attention.call(AttentionKind.CAMPAIGN_LINK, key=key, reason=what)
    return found


def count_landing(campaign: Campaign | None) -> None:
    """One more on today's row, without losing any when many come at once. None: a code that is no campaign's."""
    today = CampaignDay.objects.filter(campaign=campaign, day=timezone.localdate())
    if not today.update(landings=F("landings") + 1):
        CampaignDay.objects.get_or_create(campaign=campaign, day=timezone.localdate())
        today.update(landings=F("landings") + 1)
