# What 0037 added is looked at here for rows that were there before, while everybody goes on writing.

from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('adoptions', '0037_adoptions_of_the_past'),
    ]

    operations = [
        ValidateConstraint(model_name='adoption', name='adoption_repeating_has_subscription'),
        ValidateConstraint(model_name='payment', name='payment_elsewhere_is_brought_in'),
        AddIndexConcurrently(
            model_name='importedrow',
            index=models.Index(condition=models.Q(('reference', ''), _negated=True), fields=['file', 'reference'], name='import_by_reference'),
        ),
        AddIndexConcurrently(
            model_name='importedrow',
            index=models.Index(condition=models.Q(('payment', ''), _negated=True), fields=['file', 'payment'], name='import_by_payment'),
        ),
        AddIndexConcurrently(
            model_name='payment',
            index=models.Index(condition=models.Q(('is_brought_in', True)), fields=['-occurred_at', '-id'], name='payment_brought_in'),
        ),
    ]
