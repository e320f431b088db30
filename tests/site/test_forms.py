"""Every field is drawn by one template, and every error is said twice: at the top and beside the field."""

from django import forms
from django.template.loader import render_to_string

from tests.site.reading import read


class Visit(forms.Form):
    marks_required = True

    name = forms.CharField(label="Name", help_text="As people call you.")
    nickname = forms.CharField(label="Nickname", required=False)
    size = forms.ChoiceField(label="Size", choices=[("s", "Small"), ("l", "Large")], widget=forms.RadioSelect)
    agreed = forms.BooleanField(label="I agree")
    secret = forms.UUIDField(widget=forms.HiddenInput)


def drawn(form: forms.Form, name: str) -> str:
    return str(form[name].as_field_group())


def test_field_shows_label_hint_error_and_control_in_that_order() -> None:
    html = drawn(Visit({}), "name")
    parts = [html.index(text) for text in ("Name *", "As people call you.", "This field is required.", "<input")]
    assert parts == sorted(parts)


def test_field_names_its_hint_and_error_to_a_screen_reader() -> None:
    page = read(drawn(Visit({}), "name"))
    control = page.all("input")[0]
    assert control["aria-describedby"].split() == ["id_name_helptext", "id_name_error"]
    assert set(control["aria-describedby"].split()) <= set(page.ids)
    assert control["aria-invalid"] == "true"


def test_field_that_may_stay_empty_has_no_star() -> None:
    assert "*" not in drawn(Visit(), "nickname")


def test_choices_are_a_group_with_a_legend() -> None:
    page = read(drawn(Visit(), "size"))
    assert [tag.text.strip() for tag in page.all("legend")] == ["Size"]
    assert [tag["type"] for tag in page.all("input")] == ["radio", "radio"]


def test_tick_box_stands_inside_its_label() -> None:
    html = drawn(Visit(), "agreed")
    assert html.index("<label") < html.index("<input") < html.index("I agree")


def test_help_text_is_escaped() -> None:
    form = Visit()
    form.fields["name"].help_text = "<b>bold</b>"
    assert "&lt;b&gt;" in drawn(form, "name")


def test_error_summary_leads_to_each_control() -> None:
    form = Visit({"secret": "not one"})
    page = read(render_to_string("components/error_summary.html", {"form": form}))
    links = [tag["href"].removeprefix("#") for tag in page.all("a")]
    assert links == ["id_name", "id_size_0", "id_agreed"]
    fields = read("".join(drawn(form, name) for name in ("name", "size", "agreed")))
    assert set(links) <= set(fields.ids)


def test_error_summary_tells_of_a_hidden_field_too() -> None:
    form = Visit({"name": "Amara", "size": "s", "agreed": "on", "secret": "not one"})
    assert "Enter a valid UUID." in render_to_string("components/error_summary.html", {"form": form})


def test_error_summary_is_absent_without_errors() -> None:
    form = Visit({"name": "Amara", "size": "s", "agreed": "on", "secret": "3b1e2f9e-8f0e-4e55-9b1e-0e8f2d2b7a10"})
    assert form.is_valid()
    assert render_to_string("components/error_summary.html", {"form": form}).strip() == ""
