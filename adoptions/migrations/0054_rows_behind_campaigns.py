"""What one link brought is found in the order of the list, newest first, however many there are."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("adoptions", "0053_landings_by_day")]
    operations = [
        migrations.AlterModelOptions(
            name="campaignday",
            options={
                "ordering": ["-day"],
                "verbose_name": "day of landings",
                "verbose_name_plural": "days of landings",
            },
        ),
        AddIndexConcurrently(
            model_name="adoption",
            index=models.Index(
                condition=models.Q(campaign__isnull=False), fields=["campaign", "-id"], name="adoption_by_campaign"
            ),
        ),
        AddIndexConcurrently(
            model_name="adoption",
            index=models.Index(
                condition=models.Q(("first_campaign_code", ""), _negated=True),
                fields=["first_campaign_code", "-id"],
                name="adoption_by_first_link",
            ),
        ),
        RemoveIndexConcurrently(model_name="adoption", name="adoption_by_first_code"),
        # Its own index is the beginning of that one.
        migrations.AlterField(
            model_name="adoption",
            name="campaign",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The link that brought them.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="adoptions",
                to="adoptions.campaign",
            ),
        ),
    ]
