"""Where a campaign link leads, and how often it was followed."""

from urllib.parse import urlencode

from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from .models import Campaign, CampaignDay, Destination


def follow(code: str, *, is_counted: bool) -> str:
    """The address of a page of ours for a code, counting the visit; a code we do not know leads to the species.

    The destination is always one of our own named pages: nothing in the link can send a visitor elsewhere.
    """
    campaign = Campaign.objects.filter(code=code).select_related("species").first()
    if campaign is None:
        return reverse("species:list")
    if is_counted:
        count_landing(campaign)
    return destination(campaign)


def destination(campaign: Campaign) -> str:
    """The page with the code in its address; the form's presets too, while the campaign runs."""
    species = campaign.species
    code = {"c": campaign.code}
    if campaign.destination == Destination.HOME or species is None or not species.is_published:
        return f"{reverse('species:home')}?{urlencode(code)}"
    if campaign.destination == Destination.SPECIES:
        return f"{reverse('species:detail', args=[species.slug])}?{urlencode(code)}"
    presets = presets_of(campaign) if campaign.is_running else {}
    return f"{reverse('adoptions:adopt', args=[species.slug])}?{urlencode(code | presets)}"


def presets_of(campaign: Campaign) -> dict[str, str]:
    """The answers filled in beforehand, as parameters of the adopt page."""
    found = {}
    if campaign.preset_frequency:
        found["frequency"] = campaign.preset_frequency
    if campaign.preset_pence:
        found["amount"] = f"{campaign.preset_pence // 100}.{campaign.preset_pence % 100:02}"
    if campaign.preset_gift:
        found["gift"] = "1"
    return found


def count_landing(campaign: Campaign) -> None:
    """One more on today's row, without losing any when many come at once."""
    today = CampaignDay.objects.filter(campaign=campaign, day=timezone.localdate())
    if not today.update(landings=F("landings") + 1):
        CampaignDay.objects.get_or_create(campaign=campaign, day=timezone.localdate())
        today.update(landings=F("landings") + 1)
