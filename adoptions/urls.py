from django.urls import path

from .views import campaign_links, certificates, checkout, webhook

app_name = "adoptions"

urlpatterns = [
    path("adopt/<slug:slug>/", checkout.adopt, name="adopt"),
    path("adoptions/<uuid:public_id>/thanks/", checkout.thanks, name="thanks"),
    path("adoptions/<str:token>/certificate.pdf", certificates.certificate, name="certificate"),
    path("go/<str:code>", campaign_links.follow, name="campaign_link"),
    path("go/<str:code>/", campaign_links.follow),
    path("stripe/webhook/", webhook.receive, name="stripe_webhook"),
]
