"""Pages that are kept in memory show a campaign's words, and carry its code on: they are made anew when it changes."""

from django.db import migrations, models

WATCH = """
CREATE TRIGGER page_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON adoptions_campaign
    FOR EACH STATEMENT EXECUTE FUNCTION species_note_page_change();
"""


# safe: RunSQL: a trigger that writes to a table which the version before reads for just that; it refuses nothing.
class Migration(migrations.Migration):
    dependencies = [
        ("adoptions", "0040_complaints_that_are_open"),
        ("species", "0010_page_changes"),
    ]

    operations = [
        migrations.RunSQL(WATCH, "DROP TRIGGER page_change ON adoptions_campaign"),
        migrations.AlterField(
            model_name="campaign",
            name="landing_text",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="Stands at the top of each page for who comes by this link, while it runs. No links, no styles.",
                max_length=1000,
                verbose_name="words of welcome",
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="statement",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="Of a partner or an agency that is paid for this appeal: who gets how much of each gift. The law asks for it beside the button, and there it stands, before and after the answers are checked; and below the words of welcome on the pages to read.",
                max_length=600,
                verbose_name="solicitation statement",
            ),
        ),
    ]
