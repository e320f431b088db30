"""Filters by what a campaign's link has brought, of adoptions, of their money and of the days it was followed."""

from abc import abstractmethod
from heapq import nlargest
from itertools import chain
from typing import Any, TypeGuard

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Min, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest

from config.long_lists import COUNTED, AnyOf, CappedPaginator, Known, LongList

from ..campaign_report import NO_WORD, OF_ONE, WORDS
from ..campaign_sums import EVER_ADOPTED, their_first
from ..models import Adoption, Answer, Campaign, Payment

MORE = 8  # times as many are looked through, where some of the newest are no rows of a list


def as_number(typed: str) -> int:
    """0, which no row has, for what is none."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


def of_adoptions(rows: QuerySet[Any], *so: Any, **filters: Any) -> QuerySet[Any]:
    """Of a list of adoptions those that are so, of one of payments those of such adoptions."""
    if rows.model is Payment:
        return rows.filter(adoption__in=Adoption.objects.filter(*so, **filters).order_by().values("pk"))
    return rows.filter(*so, **filters)


class ByCampaign(admin.SimpleListFilter):
    """The newest campaigns: there may be thousands. An older one is chosen on its own screen, and named here then."""

    title = "campaign"
    parameter_name = OF_ONE
    newest = 20

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        found = list(Campaign.objects.order_by("-pk")[: self.newest])
        chosen = as_number(request.GET.get(self.parameter_name, ""))
        if chosen and chosen not in {each.pk for each in found}:
            found += Campaign.objects.filter(pk=chosen)
        return [(NO_WORD, NO_WORD), *((str(each.pk), str(each)) for each in found)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        if self.value() == NO_WORD:
            return queryset.filter(**{"adoption__campaign" if queryset.model is Payment else "campaign": None})
        return of_adoptions(queryset, campaign=as_number(self.value() or ""))


class AsAReportLinks(admin.SimpleListFilter):
    """Shown only where it is in the address, with what stands there and a way back to all."""

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name or "")
        return [] if asked is None else [(asked, self.words(asked))]

    def words(self, asked: str) -> str:
        """What it is filtered by, for a person."""
        return asked or NO_WORD

    def has_output(self) -> bool:
        return bool(self.used_parameters)


class OfAdoptions(AsAReportLinks):
    """Adoptions, or what is theirs."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        asked = self.value()
        return queryset if asked is None else self.only(queryset, asked)

    @classmethod
    @abstractmethod
    def only(cls, rows: QuerySet[Any], asked: str) -> QuerySet[Any]:
        """Those of a list that are so."""

    @classmethod
    @abstractmethod
    def newest(cls, asked: str, most: int) -> list[int]:
        """The ids of their newest adoptions, newest first, whatever else a list is filtered by."""


class OfCampaigns(OfAdoptions):
    """By campaigns that may be many."""

    @classmethod
    @abstractmethod
    def campaigns(cls, asked: str) -> QuerySet[Campaign]:
        """Of these."""

    @classmethod
    def theirs(cls) -> QuerySet[Adoption]:
        """What one of them brought, by an index with the id."""
        return Adoption.objects.filter(campaign=OuterRef("pk"))

    @classmethod
    def ids(cls, asked: str) -> list[int]:
        return list(cls.campaigns(asked).values_list("pk", flat=True))

    @classmethod
    def newest(cls, asked: str, most: int) -> list[int]:
        return newest_of(cls.campaigns(asked), cls.theirs(), most)


class WordOfCampaign(OfCampaigns):
    """By a word of the campaign that brought them: empty for one without."""

    @classmethod
    def campaigns(cls, asked: str) -> QuerySet[Campaign]:
        return Campaign.objects.filter(**{str(cls.parameter_name): asked})

    @classmethod
    def only(cls, rows: QuerySet[Any], asked: str) -> QuerySet[Any]:
        return of_adoptions(rows, AnyOf(F("campaign_id"), cls.ids(asked)))


class BySource(WordOfCampaign):
    title = "source of the campaign"
    parameter_name = "utm_source"


class ByMedium(WordOfCampaign):
    title = "medium of the campaign"
    parameter_name = "utm_medium"


class ByContent(WordOfCampaign):
    title = "content of the campaign"
    parameter_name = "utm_content"


class NamedByReport(OfCampaigns):
    """By `<field>:<word>`, as the report writes one campaign, or all with a word."""

    @classmethod
    def campaigns(cls, asked: str) -> QuerySet[Campaign]:
        field, _, word = asked.partition(":")
        if field == OF_ONE:
            return Campaign.objects.filter(pk=as_number(word))
        return Campaign.objects.filter(**{field: word}) if field in WORDS.values() else Campaign.objects.none()

    def words(self, asked: str) -> str:
        field, _, word = asked.partition(":")
        if field != OF_ONE:
            return super().words(word)
        return str(NamedByReport.campaigns(asked).first() or "no campaign")  # whether or not it is over


class BroughtFirst(NamedByReport):
    """Adopted by people whom these campaigns brought first, with whatever link they came this time."""

    title = "campaign that brought them first"
    parameter_name = "first"

    @classmethod
    def theirs(cls) -> QuerySet[Adoption]:
        return Adoption.objects.filter(~Q(first_campaign_code=""), first_campaign_code=OuterRef("code"))

    @classmethod
    def only(cls, rows: QuerySet[Any], asked: str) -> QuerySet[Any]:
        codes = list(cls.campaigns(asked).values_list("code", flat=True))
        # Of more than a hundred words the planner does not see that none of them is empty, as its index wants.
        return rows.filter(EVER_ADOPTED, ~Q(first_campaign_code=""), AnyOf(F("first_campaign_code"), codes))


class BroughtNew(NamedByReport):
    """Adopted by people who had not adopted before."""

    title = "campaign that brought new people"
    parameter_name = "new"

    @classmethod
    def only(cls, rows: QuerySet[Any], asked: str) -> QuerySet[Any]:
        return their_first(rows.filter(AnyOf(F("campaign_id"), cls.ids(asked))))


class CameLate(NamedByReport):
    """Begun when the campaign that brought them was over, and adopted."""

    title = "campaign that was over"
    parameter_name = "late"

    @classmethod
    def campaigns(cls, asked: str) -> QuerySet[Campaign]:
        return super().campaigns(asked).filter(ends_at__isnull=False)

    @classmethod
    def only(cls, rows: QuerySet[Any], asked: str) -> QuerySet[Any]:
        # Known beforehand, the first of those moments lets the planner begin there instead of reading all there are.
        first = cls.campaigns(asked).aggregate(at=Min("ends_at"))["at"]
        if first is None:
            return rows.none()
        so = EVER_ADOPTED & Q(created_at__gt=first) & Q(created_at__gt=F("campaign__ends_at"))
        return rows.filter(so, AnyOf(F("campaign_id"), cls.ids(asked)))


class AnsweredAMail(OfAdoptions):
    """Without its code, by who was mailed: `<campaign>-<days>`, as a campaign's screen links here."""

    title = "answers without a link"
    parameter_name = "answers"

    def words(self, asked: str) -> str:
        campaign = Campaign.objects.filter(pk=as_number(asked.partition("-")[0])).first()
        return f"to {campaign}, within {as_number(asked.partition('-')[2])} days" if campaign else "no campaign"

    @staticmethod
    def answers(asked: str) -> QuerySet[Answer]:
        campaign, _, days = asked.partition("-")
        return Answer.objects.filter(send_list__campaign=as_number(campaign), days__lte=min(as_number(days), 90))

    @classmethod
    def only(cls, rows: QuerySet[Any], asked: str) -> QuerySet[Any]:
        return of_adoptions(rows, pk__in=cls.answers(asked).values("adoption"))

    @classmethod
    def newest(cls, asked: str, most: int) -> list[int]:
        return list(cls.answers(asked).order_by("-adoption").values_list("adoption", flat=True).distinct()[:most])


class ListOfBrought[Row: Model](LongList[Row]):
    """Of adoptions, or of their payments by adoption, the newest first: as quick for those of thousands of campaigns.

    The planner hopes to come upon a page of them soon, and reads all there is if they are old, or are few among those.
    """

    def get_paginator(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any) -> Any:
        ids = self.known(request, queryset) if queryset.model is self.model else None  # and not the history of a row
        if ids is None:
            return super().get_paginator(request, queryset, *args, **kwargs)
        shown = self.get_queryset(request).select_related(*self.list_select_related)  # type: ignore[misc]  # never True
        rows = shown.order_by(*queryset.query.order_by)
        return CappedPaginator(queryset, *args, **kwargs, known=Known(ids, rows))

    def known(self, request: HttpRequest, rows: QuerySet[Any]) -> list[int] | None:
        """The first rows, or all where they are no more than can be paged through; None: the planner may look for them.

        It looks where hardly one of the newest adoptions of those campaigns is what the list is filtered by as well.
        """
        theirs = [
            each for each in self.list_filter if is_of_adoptions(each) and str(each.parameter_name) in request.GET
        ]
        by_adoption, column = ("-adoption_id", "adoption_id") if rows.model is Payment else ("-id", "id")
        if len(theirs) != 1 or SEARCH_VAR in request.GET or rows.query.order_by[0] != by_adoption:
            return None
        for most in (COUNTED + 1, COUNTED * MORE):
            newest = theirs[0].newest(request.GET[str(theirs[0].parameter_name)], most)
            found = list(rows.filter(AnyOf(F(column), newest)).values_list("pk", flat=True)[: COUNTED + 1])
            if len(newest) < most or len(found) > COUNTED:
                return found
            if len(found) * MORE <= COUNTED:
                break
        return None


def is_of_adoptions(a_filter: Any) -> TypeGuard[type[OfAdoptions]]:
    return isinstance(a_filter, type) and issubclass(a_filter, OfAdoptions)


def newest_of(campaigns: QuerySet[Campaign], theirs: QuerySet[Adoption], most: int) -> list[int]:
    """Of all adoptions of these campaigns, the ids of the newest, newest first.

    Each campaign is asked for its share, and of those whose share lies within the newest found so far, for more: some
    `most` ids are read in each round, however many campaigns there are and however their adoptions lie in time.
    `theirs` is those of one campaign, an OuterRef, by an index with the id.
    """
    found: list[int] = []
    since, share = 0, most // (campaigns.count() or 1) + 1
    of: QuerySet[Campaign] | None = campaigns
    while of is not None:
        newest = ArraySubquery(theirs.filter(pk__gte=since).order_by("-pk").values("pk")[:share])
        lists = list(of.order_by().values_list("pk", newest))
        found = nlargest(most, {*found, *chain.from_iterable(ids for _, ids in lists)})
        since = found[-1] if len(found) == most else 0
        unfinished = [pk for pk, ids in lists if len(ids) == share and ids[-1] > since]
        of = Campaign.objects.filter(AnyOf(F("pk"), unfinished)) if unfinished else None
        share *= 4
    return found
