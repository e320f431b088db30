from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.desk_page import desk_page
from config.fields import PoundsField
from config.mail import queue_mail
from config.money import pounds
from config.spreadsheet import csv_response
from config.two_editors import ToldOfColleagues
from species.models import Species

from .. import campaign_codes, campaign_report, campaign_sums, campaigns, matchback
from ..models import Campaign
from . import campaign_figures, campaign_preview, send_lists
from .reports import chart

DAYS_SHOWN = 14
PER_PAGE = 60  # lines of a report: with more bars its chart as wide as a screen cannot be read
IMAGES: dict[str, tuple[str, Callable[[Campaign], bytes]]] = {
    "svg": ("image/svg+xml", campaign_codes.svg),
    "png": ("image/png", campaign_codes.png),
}


class CampaignForm(forms.ModelForm[Campaign]):
    """Amounts as people write them: pounds, with or without the sign and the pence."""

    preset_pence = PoundsField(
        label="Amount in pounds", required=False, max_length=12, help_text="Chosen beforehand: 5 or 12.50."
    )
    cost_pence = PoundsField(
        label="Cost in pounds", required=False, max_length=12, help_text="What printing and sending it cost."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "code" in self.fields:
            self.fields["code"].required = False
            self.fields["code"].help_text = "Never re-used, never changed. Empty: made from the name."
        if not self.instance.pk and "species" in self.fields and len(public := Species.objects.public()[:2]) == 1:
            self.initial.setdefault("species", public[0].pk)

    def clean_cost_pence(self) -> int:
        return self.cleaned_data["cost_pence"] or 0

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if "code" in values and not values["code"] and "name" in values:
            values["code"] = campaigns.free_code(values["name"])
            if not values["code"]:
                self.add_error("code", "Type one: nothing of the name can stand in an address.")
        if (pence := values.get("preset_pence")) and values.get("preset_frequency") == "":
            amount = pounds(pence)  # the page begins with what repeats
            self.add_error("preset_frequency", f"Say how often: {amount} once is not {amount} every month.")
        return values


class WordsOfLink(admin.AllValuesFieldListFilter):
    """Links on which nothing was said stand together, under a word that can be pressed."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or campaign_report.NO_WORD}


class IsRunning(admin.SimpleListFilter):
    title = "running"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("running", "Now"), ("not", "Not now")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> QuerySet[Campaign]:
        running = Campaign.objects.running().values("pk")
        if self.value() == "not":
            return queryset.exclude(pk__in=running)
        return queryset.filter(pk__in=running) if self.value() == "running" else queryset


@admin.register(Campaign)
class CampaignAdmin(ToldOfColleagues[Campaign]):
    """The link maker: what a link says, how it looks on paper, where it leads now and what it has brought."""

    form = CampaignForm
    change_list_template = "admin/adoptions/campaign/list.html"
    change_form_template = "admin/adoptions/campaign/maker.html"
    list_display = ["code", "name", "destination", "species", "utm_source", "starts_at", "ends_at", "is_running"]
    list_filter = [IsRunning, "destination", "species", "is_paused", "starts_at"]
    list_filter += [("utm_source", WordsOfLink), ("utm_medium", WordsOfLink), ("utm_content", WordsOfLink)]
    list_select_related = ["species"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["code", "name", "utm_source", "utm_content"]
    fieldsets = [
        (None, {"fields": ["name", "code"]}),
        ("Where it leads", {"fields": ["destination", "species"]}),
        ("Filled in beforehand", {"fields": ["preset_plan", "preset_frequency", "preset_pence", "preset_gift"]}),
        ("What our pages say to them", {"fields": ["landing_text", "statement"]}),
        ("When", {"fields": ["starts_at", "ends_at", "is_paused"]}),
        ("For reports", {"fields": ["utm_source", "utm_medium", "utm_content", "cost_pence"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[str]:
        return ["code"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Campaign | None = None) -> dict[str, Sequence[str]]:
        return {} if obj else {"code": ["name"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).select_related("species", "preset_plan")

    @admin.display(description="Running", boolean=True)
    def is_running(self, campaign: Campaign) -> bool:
        return campaign.is_running

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """Old mails are clicked for years: a campaign ends, it is not deleted."""
        return False

    def get_urls(self) -> list[URLPattern]:
        guard = self.admin_site.admin_view
        return [
            path("report/", guard(require_safe(self.report)), name="adoptions_campaign_report"),
            path("report.csv", guard(require_safe(self.report_csv)), name="adoptions_campaign_csv"),
            path("<int:pk>/code.<str:kind>", guard(require_safe(self.picture)), name="adoptions_campaign_code"),
            path("preview/", guard(self.preview), name="adoptions_campaign_preview"),
            path("answers.csv", guard(require_safe(self.answers_csv)), name="adoptions_campaign_answers"),
            path("<int:pk>/sent/", guard(send_lists.sent_to), name="adoptions_campaign_sent"),
            path(
                "<int:pk>/sent/<int:number>/forget/",
                guard(send_lists.forget_list),
                name="adoptions_campaign_forget_list",
            ),
            path("<int:pk>/test-mail/", guard(require_POST(self.test_mail)), name="adoptions_campaign_test_mail"),
            *super().get_urls(),
        ]

    @method_decorator(csp_override(campaign_preview.WITH_A_FRAME))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(*args, **kwargs)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        campaign = self.get_object(request, object_id)
        if campaign is not None:
            [found] = campaign_report.figures([campaign])
            extra_context = {
                **(extra_context or {}),
                "link": campaign_codes.link(campaign),
                "leads_to": campaigns.destination(campaign),
                "problems": campaigns.problems(campaign),
                "figures": campaign_figures.of_one(request, found),
                "summed_up_at": campaign_sums.summed_up_at(),
                "days": campaign.days.all()[:DAYS_SHOWN],
            }
        return super().change_view(request, object_id, form_url, extra_context)

    def response_add(self, request: HttpRequest, obj: Campaign, post_url_continue: str | None = None) -> HttpResponse:
        """To the link itself, which is what it was made for."""
        if "_addanother" in request.POST or "_popup" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, f"The link {campaign_codes.link(obj)} works.", messages.SUCCESS)
        return redirect("admin:adoptions_campaign_change", obj.pk)

    def report(self, request: HttpRequest) -> HttpResponse:
        """A page of it: of campaigns there may be thousands, and of words as many."""
        by, of = self._of(request)
        page: Page[Any] = Paginator(of, PER_PAGE).get_page(request.GET.get("page"))
        figures = self._figures(page.object_list)
        return desk_page(
            request,
            "admin/adoptions/campaign/report.html",
            "What campaigns have brought",
            trail=[Campaign],
            here="What they have brought",
            by=by,
            ways=["", *campaign_report.WORDS],
            headings=(campaign_figures.OF_GROUPS if by else campaign_figures.COLUMNS).values(),
            lines=list(campaign_figures.lines(request, figures)),
            chart=chart((each.title, each.income_pence, pounds(each.income_pence)) for each in figures),
            page=page,
            pages=page.paginator.get_elided_page_range(page.number),
            found=[] if by else campaign_figures.answers(request, matchback.figures(page.object_list)),
            unknown=campaign_figures.unknown(request),
            summed_up_at=campaign_sums.summed_up_at(),
        )

    def report_csv(self, request: HttpRequest) -> HttpResponse:
        by, of = self._of(request)
        name = f"campaigns-by-{by}.csv" if by else "campaigns.csv"
        return csv_response(name, campaign_report.headings(by), campaign_report.lines(self._figures(of)))

    def _of(self, request: HttpRequest) -> tuple[str, QuerySet[Campaign] | list[campaign_report.Group]]:
        """By which word, and those of each; by none that there is, the campaigns."""
        by = request.GET.get("by", "")
        if by in campaign_report.WORDS:
            every = self._seen(request).select_related(None)
            return by, campaign_report.grouped(every, campaign_report.WORDS[by])
        return "", self._seen(request)

    @staticmethod
    def _figures(of: Iterable[Any]) -> list[Any]:
        return campaign_report.figures(of) if isinstance(of, QuerySet) else list(of)

    def answers_csv(self, request: HttpRequest) -> HttpResponse:
        """Apart from the other figures, as on the page."""
        found = matchback.figures(self._seen(request))
        rows = ([o.campaign.code, o.within, o.adoptions, campaign_report.decimal(o.income_pence)] for o in found)
        return csv_response("answers-without-the-link.csv", ("Code", "Within days", "Adoptions", "Income £"), rows)

    def picture(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        campaign = self._one(request, pk)
        if kind not in IMAGES:
            raise Http404
        content_type, draw = IMAGES[kind]
        name = f'attachment; filename="{campaign.code}.{kind}"' if "download" in request.GET else "inline"
        return HttpResponse(draw(campaign), content_type=content_type, headers={"Content-Disposition": name})

    @method_decorator([xframe_options_sameorigin, csp_override(campaign_preview.IN_A_FRAME), never_cache])
    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def preview(self, request: HttpRequest) -> HttpResponse:
        """The page with the words typed so far (POST), or with those that are kept. Keeps nothing."""
        named = request.GET.get("campaign", "")
        kept = self._one(request, int(named)) if named.isdecimal() and len(named) < 19 else None
        if request.method == "POST":
            self._seen(request)
            return campaign_preview.page_of(request, campaign_preview.as_typed(CampaignForm, request.POST, kept))
        if kept is None:
            raise Http404
        return campaign_preview.page_of(request, campaign_preview.as_it_runs(kept))

    def test_mail(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise Http404
        campaign = self._one(request, pk)
        to = getattr(request.user, "email", "")
        if to:
            context = {"campaign": campaign, "link_url": campaign_codes.link(campaign)}
            queue_mail("campaign_test", to=to, key=str(uuid4()), context=context)
            self.message_user(request, f"On its way to {to}.", messages.SUCCESS)
        else:
            self.message_user(request, "Your account has no email address to send it to.", messages.WARNING)
        return redirect(reverse("admin:adoptions_campaign_change", args=[pk]))

    def _seen(self, request: HttpRequest) -> QuerySet[Campaign]:
        if not self.has_view_permission(request):
            raise Http404
        return self.get_queryset(request)

    def _one(self, request: HttpRequest, pk: int) -> Campaign:
        campaign = self._seen(request).filter(pk=pk).first()
        if campaign is None:
            raise Http404
        return campaign
