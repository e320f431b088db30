"""Whoever undid a list is kept beside whoever brought it in: they answer for the movements that take it back."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


# safe: AddField importedfile.undone_by: a list is a row, so there are some hundreds at most; nobody waits for them.
# safe: AddConstraint importedfile: of the same few rows, and the version before leaves it empty.
class Migration(migrations.Migration):

    dependencies = [
        ('adoptions', '0041_words_of_a_campaign_are_watched'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='importedfile',
            name='undone_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='importedfile',
            constraint=models.CheckConstraint(condition=models.Q(('undone_by__isnull', True), ('state__in', ['undoing', 'undone', 'failed']), _connector='OR'), name='import_undone_by_somebody'),
        ),
    ]
