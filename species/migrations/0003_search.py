from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations

# English stems, with accents taken off first, so that “Xishuangbanna’s” and “Hunchún” are found as people type them.
CREATE = """
CREATE TEXT SEARCH CONFIGURATION pugmark (COPY = english);
ALTER TEXT SEARCH CONFIGURATION pugmark
    ALTER MAPPING FOR hword, hword_part, word WITH unaccent, english_stem;
"""


class Migration(migrations.Migration):
    dependencies = [("species", "0002_comment_said_once")]

    operations = [
        TrigramExtension(),
        UnaccentExtension(),
        migrations.RunSQL(CREATE, "DROP TEXT SEARCH CONFIGURATION pugmark"),
    ]
