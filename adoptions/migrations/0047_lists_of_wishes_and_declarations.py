"""Consent and Gift Aid open and are searched by an index. Built while the site runs, without a lock on either."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.contrib.postgres.search import SearchVector
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('adoptions', '0046_rules_in_words'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='consentevent',
            index=models.Index(fields=['-at', '-id'], name='consent_newest'),
        ),
        AddIndexConcurrently(
            model_name='consentevent',
            index=models.Index(fields=['state', '-at', '-id'], name='consent_by_state'),
        ),
        AddIndexConcurrently(
            model_name='consentevent',
            index=models.Index(fields=['basis', '-at', '-id'], name='consent_by_basis'),
        ),
        AddIndexConcurrently(
            model_name='giftaiddeclaration',
            index=GinIndex(SearchVector('first_name', 'last_name', config='names'), name='gift_aid_by_name'),
        ),
        AddIndexConcurrently(
            model_name='giftaiddeclaration',
            index=models.Index(fields=['channel', '-id'], name='gift_aid_by_channel'),
        ),
        AddIndexConcurrently(
            model_name='giftaiddeclaration',
            index=models.Index(fields=['covers_from'], name='gift_aid_by_first_day'),
        ),
        AddIndexConcurrently(
            model_name='giftaiddeclaration',
            index=models.Index(
                fields=['cancelled_on'], name='gift_aid_cancelled', condition=models.Q(cancelled_on__isnull=False)
            ),
        ),
    ]
