"""Two supporters who are one person: suggested in a list, looked at side by side, joined, and parted again."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST

from config.asking_first import asked_first
from config.desk_page import desk_page, see
from config.fresh_sign_in import fresh_sign_in_required
from config.long_lists import LongList, a_few, with_words
from config.models import Mail
from config.money import pounds
from config.read_only import ReadOnly
from species.models import Comment

from .. import consent, details, merging
from ..merging import CannotMerge, Choice
from ..models import (
    MAY_UNDO_MERGE,
    Adoption,
    Complaint,
    ConsentEvent,
    Gift,
    GiftAidDeclaration,
    Likeness,
    Merge,
    Payment,
    Supporter,
)
from .attention import staff

NO_EMAIL = "no email"


def urls() -> list[URLPattern]:
    wrap = admin.site.admin_view
    return [
        path("<int:pk>/merge/<int:other_id>/", wrap(merge_supporters), name="merge_supporters"),
        path("merges/<int:pk>/undo/", wrap(undo_merge), name="undo_merge"),
    ]


@dataclass(frozen=True)
class Side:
    """One of the two as the page shows them: what they are, and how much hangs on them."""

    supporter: Supporter
    rows: list[tuple[str, str]]


class MergeForm(forms.Form):
    """One of two for each; where both are the same there is nothing to choose."""

    name = forms.ChoiceField(label="Which name stays?", widget=forms.RadioSelect)
    email = forms.ChoiceField(label="Which address stays?", widget=forms.RadioSelect)

    def __init__(self, data: Any = None, *, pair: list[Supporter]) -> None:
        self.pair = pair
        first, second = pair
        best = first if first.has_email else second
        super().__init__(data, initial={"name": first.pk, "email": best.pk})
        for field, value in (("name", "name"), ("email", "email_if_any")):
            labels = [(str(each.pk), getattr(each, value) or NO_EMAIL) for each in pair]
            self.fields[field].choices = labels  # type: ignore[attr-defined]  # of a ChoiceField

    def choice(self) -> Choice:
        """Call only on a valid form."""
        known = {str(each.pk): each for each in self.pair}
        return Choice(known[self.cleaned_data["name"]].name, known[self.cleaned_data["email"]].email)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_sign_in_required(to="send")  # one address opens the adoptions of both then
def merge_supporters(request: HttpRequest, pk: int, other_id: int) -> HttpResponse:
    """Step one chooses, step two says what will happen, step three does it."""
    if not request.user.has_perm("adoptions.add_merge"):
        raise PermissionDenied
    pair = list(Supporter.objects.filter(pk__in=[pk, other_id], erased_at=None).order_by("pk"))
    if len(pair) != 2:
        raise Http404
    step = request.POST.get("step", "")
    if step == "not_same":
        merging.refuse(pk, other_id, by=staff(request))
        messages.success(request, "Noted: these are two people. They are not suggested again.")
        return see(reverse("admin:adoptions_likeness_changelist"))
    form = MergeForm(request.POST if request.method == "POST" else None, pair=pair)
    if not form.is_valid() or step == "change":
        return page(request, form)
    if step == "merge":
        return do_it(request, form)
    return page(request, form, effects=effects(form))


def do_it(request: HttpRequest, form: MergeForm) -> HttpResponse:
    first, second = form.pair
    try:
        made = merging.merge(first.pk, second.pk, form.choice(), by=staff(request))
    except CannotMerge as error:
        messages.error(request, str(error))
        return see(reverse("admin:adoptions_likeness_changelist"))
    messages.success(request, f"They are one now. It can be undone until {made.at + MAY_UNDO_MERGE:%d/%m/%Y}.")
    return see(reverse("admin:supporter_timeline", args=[made.survivor_id]))


def page(request: HttpRequest, form: MergeForm, **more: Any) -> HttpResponse:
    sides = [side_of(each) for each in form.pair]
    pairs = reverse("admin:adoptions_likeness_changelist") + "?state=open"
    return desk_page(
        request,
        "admin/adoptions/merge.html",
        "Are these one person?",
        trail=[("Pairs that may be one person", pairs)],
        here="Side by side",
        form=form,
        sides=sides,
        lines=[(one[0], one[1], two[1]) for one, two in zip(*(side.rows for side in sides), strict=True)],
        because=Likeness.objects.filter(first=form.pair[0], second=form.pair[1]).first(),
        rows_shown=[each.pk for each in form.pair],
        **more,
    )


def side_of(supporter: Supporter) -> Side:
    """The same lines for both, so that they stand side by side."""
    own = Adoption.objects.filter(supporter=supporter)
    received = Payment.objects.filter(adoption__supporter=supporter)
    declared = GiftAidDeclaration.objects.filter(supporter=supporter).first()
    home = f"{declared.first_name} {declared.last_name}, {declared.address}, {declared.postcode}" if declared else ""
    emails = details.addresses_of(supporter)
    rows = [
        ("Number", str(supporter.pk)),
        ("Name", supporter.name),
        ("Email", supporter.email_if_any or NO_EMAIL),
        ("Known since", f"{supporter.created_at:%d/%m/%Y}"),
        ("Addresses before", ", ".join(each.email for each in supporter.former_addresses.all()) or "none"),
        ("Adoptions", ", ".join(own.values_list("reference", flat=True)[:20]) or "none"),
        ("Received", f"{pounds(received.balance_pence())} in {counted(received.count(), 'movement')}"),
        ("Presents", str(Gift.objects.filter(adoption__supporter=supporter).count())),
        ("Gift Aid", home or "not declared"),
        ("Declarations", str(GiftAidDeclaration.objects.filter(supporter=supporter).count())),
        ("News by email", news_of(supporter)),
        ("Mails", str(Mail.objects.filter(details.mails_to(supporter)).count())),
        ("Comments", str(sum(Comment.objects.by_address(each).count() for each in emails))),
        ("Complaints", str(sum(Complaint.objects.by_address(each).count() for each in emails))),
    ]
    return Side(supporter, rows)


def news_of(supporter: Supporter) -> str:
    if consent.may_send_news(supporter):
        return "yes"
    return "refused" if merging.has_refused(supporter) else "no"


def counted(number: int, what: str) -> str:
    """`1 wish`, `2 wishes`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}{'es' if what.endswith('sh') else 's'}"


def effects(form: MergeForm) -> list[str]:
    """What the button would do, in sentences."""
    first, second = form.pair
    choice = form.choice()
    own = Adoption.objects.filter(supporter=second).count()
    wishes = ConsentEvent.objects.filter(supporter=second).count()
    declared = GiftAidDeclaration.objects.filter(supporter=second).count()
    stays = "no email" if choice.email not in {each.email_if_any for each in form.pair} else choice.email
    moved = f"{counted(own, 'adoption')} with payments, presents and certificates, "
    moved += f"{counted(declared, 'Gift Aid declaration')} and {counted(wishes, 'wish')} about news"
    found = [
        f"One supporter stays, number {first.pk}: {choice.name}, {stays}.",
        f"From number {second.pk} move: {moved}, and notes of staff. All keep their words and days.",
        "Gift Aid: a declaration of either covers the gifts of both from its day on, as they are one person’s.",
        "Mails, comments and complaints are found by either address.",
    ]
    pair = merging.Pair(first, second)
    found.append(
        "News by email goes on, to the address that stays."
        if merging.keeps_news(pair, choice)
        else "No news by email is sent: only a yes for the address that stays counts, and a no of either is a no."
    )
    told = [each.email for each in form.pair if each.has_email and Adoption.objects.filter(supporter=each).exists()]
    why = "says that they are joined and how to object, and nothing of the other address"
    found.append(f"A mail to {' and one to '.join(told)} {why}." if told else "Nobody is mailed.")
    found.append("For thirty days it can be undone. What comes in the meantime stays with the one who stays.")
    return found


@require_POST
@fresh_sign_in_required(to="send")
def undo_merge(request: HttpRequest, pk: int) -> HttpResponse:
    if not request.user.has_perm("adoptions.add_merge"):
        raise PermissionDenied
    record = get_object_or_404(Merge, pk=pk)
    if Merge.objects.filter(pk=pk).undoable().exists():
        here = reverse("admin:adoptions_merge_change", args=[pk])
        says = merging.effects_of_undoing(record)
        page = asked_first(request, "Make them two again?", says, trail=[Merge, record], button="Undo it", back=here)
        if page:
            return page
    try:
        merging.undo(record.pk, by=staff(request))
        messages.success(request, "They are two again. What came since the merge stays where it is.")
    except CannotMerge as error:
        messages.error(request, str(error))
    return see(reverse("admin:adoptions_merge_change", args=[record.pk]))


class IsOpen(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("open", "To look at"), ("refused", "Not the same")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Likeness]) -> QuerySet[Likeness]:
        if self.value() == "refused":
            return queryset.exclude(refused_at=None)
        return queryset & Likeness.objects.open().of_people() if self.value() == "open" else queryset


@admin.register(Likeness)
class LikenessAdmin(ReadOnly, LongList[Likeness]):
    list_display = ["side_by_side", "one", "other", "because", "found_at", "refused_at", "refused_by"]
    list_filter = [IsOpen, "found_at"]
    list_select_related = ["first", "second", "refused_by"]
    list_display_links = None
    sortable_by = []
    search_fields = ["because"]
    search_help_text = "The beginning of a name or an address of either"

    def get_list_display(self, request: HttpRequest) -> Any:
        """Without the way to join two for whoever may not."""
        return self.list_display if request.user.has_perm("adoptions.add_merge") else self.list_display[1:]

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        people = [with_words(Supporter.objects.all(), "name", words)]
        people.append(Supporter.objects.filter(email__istartswith=words[0]))
        rows = Likeness.objects
        return [rows.filter(**{side: a_few(each)}) for each in people for side in ("first__in", "second__in")]

    @admin.display(description="Look")
    def side_by_side(self, pair: Likeness) -> str:
        if pair.first.erased_at or pair.second.erased_at:
            return "One of them is gone"
        address = reverse("admin:merge_supporters", args=[pair.first_id, pair.second_id])
        return format_html('<a href="{}">Side by side</a>', address)

    @admin.display(description="One")
    def one(self, pair: Likeness) -> str:
        return str(pair.first)

    @admin.display(description="The other")
    def other(self, pair: Likeness) -> str:
        return str(pair.second)


@admin.register(Merge)
class MergeAdmin(ReadOnly, LongList[Merge]):
    list_display = ["at", "survivor", "number", "by", "undone_at", "undone_by"]
    list_filter = ["at", "undone_at"]
    list_select_related = ["survivor", "by", "undone_by"]
    sortable_by = []
    search_fields = ["survivor"]
    search_help_text = "The beginning of a name or an address"
    fields = ["survivor_link", "number", "by", "at", "until", "undone_at", "undone_by"]
    readonly_fields = ["survivor_link", "number", "at", "until"]
    change_form_template = "admin/adoptions/merge/change_form.html"

    def searches(self, words: list[str]) -> list[QuerySet[Any]]:
        people = with_words(Supporter.objects.all(), "name", words)
        addresses = Supporter.objects.filter(email__istartswith=words[0])
        return [Merge.objects.filter(survivor__in=a_few(each)) for each in (people, addresses)]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = request.user.has_perm("adoptions.add_merge")
        is_undoable = may and object_id.isdigit() and Merge.objects.filter(pk=object_id).undoable().exists()
        return super().change_view(request, object_id, form_url, {"is_undoable": is_undoable, **(extra_context or {})})

    @admin.display(description="Number of the other")
    def number(self, merge: Merge) -> int:
        return merge.merged_id

    @admin.display(description="Who stayed")
    def survivor_link(self, merge: Merge) -> str:
        address = reverse("admin:supporter_timeline", args=[merge.survivor_id])
        return format_html('<a href="{}">{}</a>', address, merge.survivor)

    @admin.display(description="Can be undone until")
    def until(self, merge: Merge) -> str:
        return f"{merge.at + MAY_UNDO_MERGE:%d/%m/%Y}"
