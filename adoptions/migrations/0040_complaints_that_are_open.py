"""Built while the site runs, without a lock on the complaints."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('adoptions', '0039_words_of_a_campaign'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='complaint',
            index=models.Index(fields=['received_at'], name='complaint_open', condition=models.Q(closed_at=None)),
        ),
    ]
