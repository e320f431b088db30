"""A list of how often links were followed opens on the newest days, however many there are."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("adoptions", "0052_taking_over_by_its_name")]
    operations = [
        migrations.AlterModelOptions(
            name="campaignday",
            options={"ordering": ["-day"], "verbose_name": "day of a link", "verbose_name_plural": "landings by day"},
        ),
        AddIndexConcurrently(
            model_name="campaignday",
            index=models.Index(fields=["-day", "-id"], name="campaign_day_newest"),
        ),
    ]
