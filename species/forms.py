"""What readers type: a reply under a species."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.fields import PlainTextField, SingleLineField, StrictEmailField
from config.limits import Limit, client_address

from .models import Comment, Species
from .models.comments import BODY_LENGTH, NAME_LENGTH

# A class of children may sit behind one address, a flood does too: the first is told to wait a little.
PER_ADDRESS = Limit("comment from a network address", times=5, per=timedelta(minutes=10))
PER_WRITER = Limit("comment by a writer", times=10, per=timedelta(days=1))
TRAP_FILLED = "The field that people cannot see was filled in."


class CommentForm(forms.Form):
    """Leave a reply. The email field is only for moderators; `homepage` is a trap that people never see."""

    marks_required = True

    name = SingleLineField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        error_messages={"required": _("Enter your name. A first name is enough.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = StrictEmailField(
        label=_("Email"),
        help_text=_("Never published. It tells a moderator that a person wrote this."),
        error_messages={"required": _("Enter your email address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    comment = PlainTextField(
        label=_("Comment"),
        max_length=BODY_LENGTH,
        error_messages={"required": _("Write your comment.")},
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    homepage = forms.CharField(
        label=_("Leave this empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    parent = forms.ModelChoiceField(Comment.objects.none(), required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, species: Species, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.species = species
        answerable = Comment.objects.public().filter(species=species, parent=None)
        self.fields["parent"] = forms.ModelChoiceField(
            answerable,
            required=False,
            widget=forms.HiddenInput,
            error_messages={"invalid_choice": _("The comment you answer is no longer shown.")},
        )

    def take_turn(self, request: HttpRequest) -> bool:
        """Count this reply; False, with a sentence on the form, when there have been too many."""
        is_allowed = PER_ADDRESS.allows(client_address(request)) and PER_WRITER.allows(
            self.cleaned_data["email"].lower()
        )
        if not is_allowed:
            self.add_error(
                None,
                ValidationError(
                    _("Many replies have just come from where you are. Please send it again in ten minutes.")
                ),
            )
        return is_allowed

    def save(self) -> None:
        """Into the queue, once however often it is sent. A filled trap holds a comment; it never deletes one."""
        comment = Comment(
            species=self.species,
            parent=self.cleaned_data["parent"],
            name=self.cleaned_data["name"],
            email=self.cleaned_data["email"],
            body=self.cleaned_data["comment"],
            held_because=TRAP_FILLED if self.cleaned_data["homepage"] else "",
        )
        Comment.objects.bulk_create([comment], ignore_conflicts=True)


class SearchForm(forms.Form):
    """Any words of any length become a search or a polite nothing; no input is an error."""

    q = PlainTextField(
        label=_("Search"),
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "maxlength": "200", "autocomplete": "off"}),
    )

    def words(self) -> str:
        """What is searched for: at most 200 characters on one line."""
        if not self.is_valid():
            return ""
        return " ".join(str(self.cleaned_data["q"]).split())[:200]
