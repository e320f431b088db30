from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("adoptions", "0002_first_plan")]

    operations = [
        migrations.AddField(
            model_name="adoption",
            name="revision",
            field=models.PositiveIntegerField(
                default=0,
                editable=False,
                help_text="How often Stripe's word was written here: see fulfilment.apply_latest.",
            ),
        ),
    ]
