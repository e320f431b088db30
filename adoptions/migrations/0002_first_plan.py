"""The plan every site starts with. Fundraisers change it in the admin; it is made only where there is none."""

from django.db import migrations

PRICES = {
    "monthly": {"minimum_pence": 300, "preset_pence": [300, 500, 1000], "suggested_pence": 500},
    "once": {"minimum_pence": 300, "preset_pence": [2400, 3600, 6000], "suggested_pence": 3600},
    "yearly": {"minimum_pence": 1200, "preset_pence": [3600, 6000, 12000], "suggested_pence": 6000},
}


def make_first_plan(apps, schema_editor):
    Plan = apps.get_model("adoptions", "Plan")
    PlanPrice = apps.get_model("adoptions", "PlanPrice")
    if Plan.objects.exists():
        return
    plan = Plan.objects.create(
        slug="friend", name="Adopt", description="A certificate with your name by email, and news of the species."
    )
    for frequency, price in PRICES.items():
        PlanPrice.objects.create(plan=plan, frequency=frequency, maximum_pence=1_000_000, **price)


class Migration(migrations.Migration):
    dependencies = [("adoptions", "0001_initial")]

    operations = [migrations.RunPython(make_first_plan, migrations.RunPython.noop)]
