"""Made-up rows by the million are rows as any other: each points at one that is there."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import ForeignKey
from pytest_django import Settings

from adoptions.models import Adoption, FailedRenewal, Fee, Payment


@pytest.mark.django_db(transaction=True)  # VACUUM wants to be alone
def test_no_row_points_at_nothing(settings: Settings) -> None:
    settings.DEBUG = True
    call_command("make_load", "--adoptions=60", verbosity=0)
    call_command("make_load", "--adoptions=60", verbosity=0)
    assert [one.objects.count() for one in (Adoption, Payment, Fee, FailedRenewal)] == [120, 120, 120, 12]
    models = [*apps.get_app_config("adoptions").get_models(), *apps.get_app_config("config").get_models()]
    for model in models:
        for field in model._meta.get_fields():
            if isinstance(field, ForeignKey):
                there = field.related_model._base_manager.values(field.target_field.attname)
                pointing = model._base_manager.exclude(**{field.attname: None})
                assert not pointing.exclude(**{f"{field.attname}__in": there}).exists(), (
                    f"{model.__name__}.{field.name}"
                )
