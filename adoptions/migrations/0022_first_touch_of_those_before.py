from django.db import migrations

# Of adoptions made before, what brought them is the first that is known. A million rows take some ten seconds.
FILL = """
SET LOCAL statement_timeout = 0;
UPDATE adoptions_adoption SET first_campaign_code = campaign_code WHERE first_campaign_code = '' AND campaign_code <> ''
"""


class Migration(migrations.Migration):
    dependencies = [("adoptions", "0021_first_touch_and_unknown_codes")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
