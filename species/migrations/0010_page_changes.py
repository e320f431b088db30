import django.db.models.functions.datetime
from django.db import migrations, models

# Every table that a public page reads. Of comments only those count that are, or were, shown.
TABLES = (
    "citation",
    "conflict",
    "conflictposition",
    "conflictposition_sources",
    "fact",
    "fact_sources",
    "fieldnote",
    "picture",
    "populationcount",
    "populationcount_sources",
    "source",
    "species",
    "speciesthreat",
    "text",
    "threat",
)
NOTE = """
CREATE FUNCTION species_note_page_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO species_pagechange DEFAULT VALUES;
    RETURN NULL;
END $$;
"""
WATCH = """
CREATE TRIGGER page_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON species_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION species_note_page_change();
"""
WATCH_COMMENTS = """
CREATE TRIGGER page_change_insert AFTER INSERT ON species_comment
    FOR EACH ROW WHEN (NEW.status = 'approved') EXECUTE FUNCTION species_note_page_change();
CREATE TRIGGER page_change_update AFTER UPDATE ON species_comment
    FOR EACH ROW WHEN (OLD.status = 'approved' OR NEW.status = 'approved') EXECUTE FUNCTION species_note_page_change();
CREATE TRIGGER page_change_delete AFTER DELETE ON species_comment
    FOR EACH ROW WHEN (OLD.status = 'approved') EXECUTE FUNCTION species_note_page_change();
CREATE TRIGGER page_change_truncate AFTER TRUNCATE ON species_comment
    FOR EACH STATEMENT EXECUTE FUNCTION species_note_page_change();
"""


class Migration(migrations.Migration):
    dependencies = [("species", "0009_a_second_opinion")]

    operations = [
        migrations.CreateModel(
            name="PageChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.RunSQL(
            NOTE + "".join(WATCH.format(table=table) for table in TABLES) + WATCH_COMMENTS,
            "DROP FUNCTION species_note_page_change() CASCADE",
        ),
    ]
