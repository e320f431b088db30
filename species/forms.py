"""What readers type: a reply under a species."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.fields import PlainTextField, SingleLineField, StrictEmailField
from config.limits import Limit, client_address, network_of

from .child_safety import first_name
from .models import Comment, Species
from .models.comments import BODY_LENGTH, NAME_LENGTH
from .receiving import receive
from .weighing import form_stamp

# A class of children may sit behind one address, a flood does too: the first is told to wait a little.
PER_ADDRESS = Limit("comment from a network address", times=5, per=timedelta(minutes=10))
PER_NETWORK = Limit("comment from a network", times=30, per=timedelta(hours=1))
PER_WRITER = Limit("comment by a writer", times=10, per=timedelta(days=1))


class CommentForm(forms.Form):
    """Leave a reply. The email field is only for moderators; `homepage` is a trap that people never see.

    `loaded` says when the form was: a reply within three seconds is looked at more closely, one after a day is not.
    """

    marks_required = True

    name = SingleLineField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        help_text=_("Only the first name is shown."),
        error_messages={"required": _("Enter your name. A first name is enough.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = StrictEmailField(
        label=_("Email"),
        help_text=_("Never shown and never given away. We tell you there what became of your reply."),
        error_messages={"required": _("Enter your email address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    comment = PlainTextField(
        label=_("Comment"),
        max_length=BODY_LENGTH,
        help_text=_("Please leave out surnames, schools, addresses and telephone numbers."),
        error_messages={"required": _("Write your comment.")},
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    whole_name = forms.BooleanField(label=_("Show my whole name"), required=False)
    wants_replies = forms.BooleanField(label=_("Email me when somebody answers"), required=False)
    homepage = forms.CharField(
        label=_("Leave this empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    loaded = forms.CharField(required=False, initial=form_stamp, widget=forms.HiddenInput)
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

    def clean(self) -> None:
        """Comments may have closed since the page was loaded; what was typed is given back all the same."""
        if not self.species.takes_comments:
            raise ValidationError(_("Comments on this page are closed."))

    def take_turn(self, request: HttpRequest) -> bool:
        """Count this reply; False, with a sentence on the form, when there have been too many."""
        address = client_address(request)
        is_allowed = (
            PER_ADDRESS.allows(address)
            and PER_NETWORK.allows(network_of(address))
            and PER_WRITER.allows(self.address().lower())
        )
        if not is_allowed:
            self.add_error(
                None,
                ValidationError(
                    _("Many replies have just come from where you are. Please send it again in ten minutes.")
                ),
            )
        return is_allowed

    def address(self) -> str:
        return str(self.cleaned_data["email"])

    def as_comment(self) -> Comment:
        name = self.cleaned_data["name"]
        return Comment(
            species=self.species,
            parent=self.cleaned_data["parent"],
            name=name,
            name_to_show=name if self.cleaned_data["whole_name"] else first_name(name),
            email=self.address(),
            body=self.cleaned_data["comment"],
            wants_replies=self.cleaned_data["wants_replies"],
        )

    def save(self, request: HttpRequest) -> Comment:
        """Into the queue, once however often it is sent. A filled trap holds a comment; it never deletes one."""
        comment = self.as_comment()
        comment.network = network_of(client_address(request))
        receive(
            comment,
            raw=str(self.data.get("comment", "")),
            trap=bool(self.cleaned_data["homepage"]),
            stamp=self.cleaned_data["loaded"],
        )
        return comment


class ChangeForm(forms.Form):
    """The writer's second thoughts about what still waits."""

    comment = PlainTextField(
        label=_("Comment"),
        max_length=BODY_LENGTH,
        error_messages={"required": _("Write your comment, or take it back.")},
        widget=forms.Textarea(attrs={"rows": 6}),
    )


class OwnWordsForm(forms.Form):
    """Who wants to see what they have written here."""

    email = StrictEmailField(
        label=_("Your email address"),
        help_text=_("The one you gave when you wrote."),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )


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
