"""Built while the site runs: without a lock on the adoptions, and for as long as it takes."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

AS_LONG_AS_IT_TAKES = migrations.RunSQL("SET statement_timeout = 0", "SET statement_timeout = 0")
AS_EVER = migrations.RunSQL("RESET statement_timeout", "RESET statement_timeout")


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('adoptions', '0027_adoptions_off_the_site'),
    ]

    operations = [
        AS_LONG_AS_IT_TAKES,
        AddIndexConcurrently(
            model_name='adoption',
            index=models.Index(fields=['-activated_at', '-id'], name='adoption_by_start', condition=models.Q(activated_at__isnull=False)),
        ),
        AddIndexConcurrently(
            model_name='adoption',
            index=models.Index(fields=['-ended_at', '-id'], name='adoption_by_end', condition=models.Q(ended_at__isnull=False)),
        ),
        AS_EVER,
    ]
