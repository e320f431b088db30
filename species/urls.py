from django.contrib.sitemaps.views import sitemap
from django.urls import path
from django.views.decorators.http import require_safe

from .feeds import CommentsFeed, FieldNotesFeed
from .sitemaps import SiteMap
from .translated import LANGUAGES
from .views import (
    commenting,
    machine_read,
    moderating,
    own_comment,
    own_words,
    previewing,
    reading,
    replying,
    searching,
    sharing,
    translated,
)
from .views.drawing import shapes

app_name = "species"

urlpatterns = [
    path("", reading.home, name="home"),
    path("species/", reading.species_list, name="list"),
    path("preview/<str:token>/", previewing.preview, name="preview"),
    path("species/<slug:slug>/", reading.species_detail, name="detail"),
    path("species/<slug:slug>/share.png", sharing.share_picture, name="share_picture"),
    path("species/<slug:slug>/shapes.svg", shapes, name="shapes"),
    path("species/<slug:slug>/comments/", replying.leave_reply, name="leave_reply"),
    path("species/<slug:slug>/comments/waiting/", replying.reply_waiting, name="reply_waiting"),
    path("comments/<int:pk>/", commenting.comment, name="comment"),
    path("comments/<int:pk>/report/", commenting.report, name="report_comment"),
    path("my-comment/<str:token>/", own_comment.own_comment, name="own_comment"),
    path("my-comment/<str:token>/change/", own_comment.change_own_comment, name="change_own_comment"),
    path("my-comment/<str:token>/take-back/", own_comment.take_back_own_comment, name="take_back_own_comment"),
    path("my-comment/<str:token>/publish/", own_comment.publish_own_comment, name="publish_own_comment"),
    path("my-comment/<str:token>/all.json", own_words.download, name="download_own_words"),
    path("my-comment/<str:token>/erase/", own_words.erase, name="erase_own_words"),
    path("my-comments/", own_words.ask_for_link, name="own_words"),
    path("my-comments/sent/", own_words.link_sent, name="own_words_sent"),
    path("no-more-replies/<str:token>/", own_comment.stop_replies, name="stop_replies"),
    path("moderate/<str:token>/", moderating.moderate, name="moderate"),
    *(
        path(f"{language}/species/<slug:slug>/", translated.at_a_glance, {"language": language}, name="translated")
        for language in LANGUAGES
    ),
    path("field-notes/<slug:slug>/", reading.field_note, name="field_note"),
    path("threats/", reading.threat_list, name="threats"),
    path("threats/<slug:slug>/", reading.threat_detail, name="threat"),
    path("sources/", reading.sources, name="sources"),
    path("search/", searching.search, name="search"),
    path("api/species/<slug:slug>.json", machine_read.api_species, name="api"),
    path("feeds/comments/<slug:slug>.xml", require_safe(CommentsFeed()), name="comments_feed"),
    path("feeds/field-notes.xml", require_safe(FieldNotesFeed()), name="field_notes_feed"),
    path("sitemap.xml", require_safe(sitemap), {"sitemaps": {"site": SiteMap}}, name="sitemap"),
    path("robots.txt", machine_read.robots_txt, name="robots"),
    path(".well-known/security.txt", machine_read.security_txt, name="security"),
]
