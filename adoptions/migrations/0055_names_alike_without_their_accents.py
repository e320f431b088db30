"""A name that was misheard is compared without its accents, which hardly anybody types and which count as other letters."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations

import adoptions.models.supporters

# unaccent() may change with its dictionary, and an index needs what does not: with the dictionary named, and each name
# with its schema, as a dump that is restored finds nothing without.
CREATE = """
CREATE FUNCTION without_accents(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
AS $$ SELECT public.unaccent('public.unaccent'::regdictionary, $1) $$
"""


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("adoptions", "0054_rows_behind_campaigns"), ("species", "0003_search")]
    operations = [
        # safe: RunSQL: a new function, which nothing that runs calls.
        migrations.RunSQL(CREATE, "DROP FUNCTION without_accents(text)"),
        AddIndexConcurrently(
            "supporter",
            GinIndex(
                OpClass(adoptions.models.supporters.WithoutAccents("name"), name="gin_trgm_ops"),
                name="supporter_like_plain",
            ),
        ),
        RemoveIndexConcurrently("supporter", "supporter_by_likeness"),
    ]
