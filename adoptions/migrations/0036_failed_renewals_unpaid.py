"""Built while the site runs, for as long as it takes."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

# safe: RunSQL: it says how long a statement of this session may take, and touches no table.
AS_LONG_AS_IT_TAKES = migrations.RunSQL("SET statement_timeout = 0", "SET statement_timeout = 0")
AS_EVER = migrations.RunSQL("RESET statement_timeout", "RESET statement_timeout")


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('adoptions', '0035_lists_written_by_number'),
    ]

    operations = [
        AS_LONG_AS_IT_TAKES,
        AddIndexConcurrently(
            model_name='failedrenewal',
            index=models.Index(fields=['-failed_at', '-id'], name='failed_renewal_unpaid', condition=models.Q(payment=None)),
        ),
        AS_EVER,
    ]
