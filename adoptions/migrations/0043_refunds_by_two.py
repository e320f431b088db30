"""A large refund waits for a second person; those before it needed none."""


import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


# safe: AddField refundrequest.second: some hundred refunds a year at most; the index is built in no time.
# safe: AddConstraint refundrequest: of the same few rows, and the version before leaves the new columns as they begin.
class Migration(migrations.Migration):

    dependencies = [
        ('adoptions', '0042_who_undid_a_list'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='refundrequest',
            name='needs_second',
            field=models.BooleanField(db_default=False, default=False, verbose_name='needs a second person'),
        ),
        migrations.AddField(
            model_name='refundrequest',
            name='second',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='second person'),
        ),
        migrations.AddField(
            model_name='refundrequest',
            name='second_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='decided by them'),
        ),
        migrations.AddField(
            model_name='refundrequest',
            name='stops',
            field=models.BooleanField(db_default=False, default=False, help_text='The adoption is to end with it.', verbose_name='ends the adoption'),
        ),
        migrations.AddConstraint(
            model_name='refundrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('second__isnull', True), ('second_at__isnull', True)), models.Q(('needs_second', True), ('second__isnull', False), ('second_at__isnull', False), models.Q(('second', models.F('by')), _negated=True)), _connector='OR'), name='refund_request_second_is_another'),
        ),
        migrations.AddConstraint(
            model_name='refundrequest',
            constraint=models.CheckConstraint(condition=models.Q(('needs_second', False), ('second__isnull', False), ('stripe_refund_id__isnull', True), _connector='OR'), name='refund_request_made_by_two'),
        ),
    ]
