"""Filters by what a campaign's link has brought, of adoptions, of their money and of the days it was followed."""

from typing import Any

from django.contrib import admin
from django.db import connection, transaction
from django.db.models import F, Min, Q, QuerySet
from django.http import HttpRequest

from ..campaign_report import EVER_ADOPTED, NO_WORD, OF_ONE, WORDS
from ..models import Adoption, Answer, Campaign, CampaignDay, Payment

FEW = 1_000


def as_number(typed: str) -> int:
    """0, which no row has, for what is none."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


def only_of(rows: QuerySet[Any], *so: Q, of_one: bool = False, **filters: Any) -> QuerySet[Any]:
    """Of a list: those whose adoption is so; of the days of links, those that are so.

    What one campaign brought is found in the order of the list by an index. Of several the ids are asked for first,
    where they are few: the planner hopes to come upon a page of them soon, and reads all there is if they are old.
    """
    if rows.model is not Payment and (of_one or rows.model is CampaignDay):
        return rows.filter(*so, **filters)
    column, adoptions = (
        "adoption" if rows.model is Payment else "pk",
        Adoption.objects.filter(*so, **filters).order_by(),
    )
    if not of_one and len(ids := a_few(adoptions)) <= FEW:
        return rows.filter(**{f"{column}__in": ids})
    return rows.filter(*so, **filters) if rows.model is Adoption else rows.filter(adoption__in=adoptions.values("pk"))


def a_few(adoptions: QuerySet[Adoption]) -> list[int]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        return list(adoptions.values_list("pk", flat=True)[: FEW + 1])


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
        return only_of(queryset, of_one=True, campaign=as_number(self.value() or ""))


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


class WordOfCampaign(AsAReportLinks):
    """By a word of the campaign that brought them: empty for one without."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        word = self.value()
        if word is None:
            return queryset
        named = Campaign.objects.filter(**{str(self.parameter_name): word})
        ids = list(named.values_list("pk", flat=True))
        return only_of(queryset, of_one=len(ids) == 1, campaign__in=ids)


class BySource(WordOfCampaign):
    title = "source of the campaign"
    parameter_name = "utm_source"


class ByMedium(WordOfCampaign):
    title = "medium of the campaign"
    parameter_name = "utm_medium"


class ByContent(WordOfCampaign):
    title = "content of the campaign"
    parameter_name = "utm_content"


def named(asked: str) -> QuerySet[Campaign]:
    """The campaigns of `<field>:<word>`, as the report writes one of them, or all with a word."""
    field, _, word = asked.partition(":")
    if field == OF_ONE:
        return Campaign.objects.filter(pk=as_number(word))
    return Campaign.objects.filter(**{field: word}) if field in WORDS.values() else Campaign.objects.none()


class OfCampaigns(AsAReportLinks):
    def words(self, asked: str) -> str:
        field, _, word = asked.partition(":")
        return str(named(asked).first() or "no campaign") if field == OF_ONE else super().words(word)


class BroughtFirst(OfCampaigns):
    """Adopted by people whom these campaigns brought first, with whatever link they came this time."""

    title = "campaign that brought them first"
    parameter_name = "first"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Adoption]) -> QuerySet[Adoption]:
        if self.value() is None:
            return queryset
        codes = list(named(self.value() or "").values_list("code", flat=True))
        # Of more than a hundred words the planner does not see that none of them is empty, as its index wants.
        so = EVER_ADOPTED & ~Q(first_campaign_code="")
        return only_of(queryset, so, of_one=len(codes) == 1, first_campaign_code__in=codes)


class CameLate(OfCampaigns):
    """Begun when the campaign that brought them was over, and adopted."""

    title = "campaign that was over"
    parameter_name = "late"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Adoption]) -> QuerySet[Adoption]:
        if self.value() is None:
            return queryset
        over = named(self.value() or "").filter(ends_at__isnull=False)
        # Known beforehand, the first of those moments lets the planner begin there instead of reading all there are.
        first = over.aggregate(at=Min("ends_at"))["at"]
        if first is None:
            return queryset.none()
        so = EVER_ADOPTED & Q(created_at__gt=first) & Q(created_at__gt=F("campaign__ends_at"))
        ids = list(over.values_list("pk", flat=True))
        return only_of(queryset, so, of_one=len(ids) == 1, campaign__in=ids)


class AnsweredAMail(AsAReportLinks):
    """Without its code, by who was mailed: `<campaign>-<days>`, as a campaign's screen links here."""

    title = "answers without a link"
    parameter_name = "answers"

    def words(self, asked: str) -> str:
        campaign = Campaign.objects.filter(pk=as_number(asked.partition("-")[0])).first()
        return f"to {campaign}, within {as_number(asked.partition('-')[2])} days" if campaign else "no campaign"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        campaign, _, days = (self.value() or "").partition("-")
        answers = Answer.objects.filter(send_list__campaign=as_number(campaign), days__lte=min(as_number(days), 90))
        return only_of(queryset, pk__in=answers.values("adoption"))
