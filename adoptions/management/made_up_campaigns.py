"""Campaigns with what they brought, for `make_load`."""

from datetime import datetime, timedelta
from typing import Any

from adoptions.models import Campaign, CampaignDay
from species.models import Species

EVEN, APART = 20, 10  # so many go on evenly, and one in so many adoptions came by one of them
OLD, REVIVED = 500, 5_000  # one that is over long since for so many adoptions, under one word each
DAYS = 30  # on which each was followed
AT_A_TIME = 10_000


class Campaigns:
    """As they lie after years: some that go on evenly, one that brought a quarter of all, and many that are over.

    A list must be as quick for each: those of `old` brought nothing lately, and so did those of `again` until one was
    begun anew under their word, and a word stands for thousands of campaigns with more than a quarter of all adoptions.
    """

    def __init__(self, species: Species, numbers: range, oldest: datetime, newest: datetime) -> None:
        """`numbers` are those of the adoptions, begun evenly from the oldest to the newest."""
        self.species, self.numbers, self.oldest, self.newest = species, numbers, oldest, newest
        self.first_half, self.first_fifth, self.first_fiftieth = (len(numbers) // part for part in (2, 5, 50))
        middle, early = oldest + (newest - oldest) // 2, oldest + (newest - oldest) // 4
        email = {"utm_medium": "email"}
        self.even = self.made([f"made-up-{n}" for n in range(EVEN)])
        (self.large,) = self.made(["made-up-large"], ends_at=middle, utm_source="large", **email)
        (self.early,) = self.made(["made-up-early"], ends_at=early, utm_source="early")
        codes = [f"made-up-old-{n}" for n in range(len(numbers) // OLD or 1)]
        self.old = self.made(codes, ends_at=early, utm_source="old", **email)
        codes = [f"made-up-again-{n}" for n in range(len(numbers) // REVIVED or 1)]
        self.again = self.made(codes, ends_at=early, utm_source="again")
        (self.anew,) = self.made(["made-up-anew"], utm_source="again")

    def made(self, codes: list[str], **values: Any) -> list[Campaign]:
        """Those of the first call, if this is another."""
        appeals = (
            Campaign(code=code, name=f"{code} appeal", species=self.species, starts_at=self.oldest, **values)
            for code in codes
        )
        Campaign.objects.bulk_create(appeals, ignore_conflicts=True)
        made = Campaign.objects.in_bulk(codes, field_name="code")
        days = [self.newest.date() - timedelta(days=day) for day in range(DAYS)]
        CampaignDay.objects.bulk_create(
            (CampaignDay(campaign=each, day=day, landings=100) for each in made.values() for day in days),
            batch_size=AT_A_TIME,
            ignore_conflicts=True,
        )
        return [made[code] for code in codes]

    def that_brought(self, n: int) -> Campaign | None:
        """The adoption of that number."""
        index = n - self.numbers.start
        if n % APART == 5:
            return self.even[n // APART % EVEN]
        match n % 4:
            case 0:
                return self.large
            case 1 if index < self.first_fiftieth:
                return self.early
            case 2 if index < self.first_half:
                return self.old[n // 4 % len(self.old)]
            case 3 if index < self.first_fifth:
                return self.again[n // 4 % len(self.again)]
            case 3 if index >= len(self.numbers) - 4 * EVEN:
                return self.anew
        return None
