"""Made-up rows by the million are rows as any other: each points at one that is there."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import Count, F, ForeignKey
from pytest_django import Settings

from adoptions.models import (
    Adoption,
    Campaign,
    CampaignDay,
    ConsentEvent,
    FailedRenewal,
    Fee,
    GiftAidDeclaration,
    Payment,
)
from config.models import Mail
from species.models import Comment


@pytest.mark.django_db(transaction=True)  # VACUUM wants to be alone
def test_no_row_points_at_nothing(settings: Settings) -> None:
    settings.DEBUG = True
    call_command("make_load", "--adoptions=60", verbosity=0)
    call_command("make_load", "--adoptions=60", verbosity=0)
    assert [one.objects.count() for one in (Adoption, Payment, Fee, FailedRenewal)] == [120, 120, 120, 12]
    assert [one.objects.count() for one in (ConsentEvent, Mail, GiftAidDeclaration, Comment)] == [12, 12, 12, 12]
    assert [one.objects.count() for one in (Campaign, CampaignDay)] == [25, 750]
    by_link = Adoption.objects.exclude(campaign=None)
    assert by_link.count() == by_link.filter(campaign_code=F("campaign__code")).count()
    brought = dict(by_link.values_list("campaign__utm_source").annotate(Count("pk")).order_by())
    assert brought == {"": 12, "large": 30, "old": 16, "early": 2, "again": 24}
    models = [model for app in ("adoptions", "config", "species") for model in apps.get_app_config(app).get_models()]
    for model in models:
        for field in model._meta.get_fields():
            if isinstance(field, ForeignKey):
                there = field.related_model._base_manager.values(field.target_field.attname)
                pointing = model._base_manager.exclude(**{field.attname: None})
                assert not pointing.exclude(**{f"{field.attname}__in": there}).exists(), (
                    f"{model.__name__}.{field.name}"
                )
