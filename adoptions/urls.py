from django.urls import path, re_path

from . import addresses as addresses  # registers <reference:…> and <secret:…>
from .views import (
    campaign_links,
    certificates,
    changing,
    checkout,
    commenting,
    gift,
    my_adoption,
    paying,
    signing_in,
    unsubscribing,
    webhook,
)

app_name = "adoptions"

urlpatterns = [
    path("adopt/<slug:slug>/", checkout.adopt, name="adopt"),
    path("pay/<str:token>/", paying.pay, name="pay"),
    path("adoptions/<uuid:public_id>/thanks/", checkout.thanks, name="thanks"),
    path("adoptions/<str:token>/certificate.pdf", certificates.certificate, name="certificate"),
    path("adoptions/<str:token>/certificate/", certificates.page, name="certificate_page"),
    path("adoptions/<str:token>/certificate.png", certificates.picture, name="certificate_picture"),
    path("certificates/", certificates.check, name="certificate_check"),
    path("gift/<str:token>/", gift.show, name="gift"),
    path("gift/<str:token>/open/", gift.unwrap, name="gift_open"),
    path("gift/<str:token>/thanks/", gift.thank, name="gift_thank"),
    path("gift/<str:token>/erase/", gift.erase, name="gift_erase"),
    path("my-adoption/", signing_in.my_adoption, name="my_adoption"),
    path("my-adoption/sent/", signing_in.link_sent, name="link_sent"),
    path("my-adoption/sign-out/", signing_in.sign_out, name="sign_out"),
    path("my-adoption/signed-out/", signing_in.signed_out, name="signed_out"),
    path("my-adoption/<secret:token>/", signing_in.use_link, name="use_link"),
    path("my-adoption/details/", my_adoption.details, name="details"),
    path("my-adoption/news/", my_adoption.news, name="news"),
    path("my-adoption/gift-aid/", my_adoption.take_back_gift_aid, name="gift_aid"),
    path("my-adoption/gift-aid/declare/", my_adoption.declare_gift_aid, name="declare_gift_aid"),
    path("my-adoption/data.json", my_adoption.download, name="download"),
    path("my-adoption/erase/", my_adoption.erase, name="erase"),
    path("my-adoption/<reference:reference>/", my_adoption.adoption, name="adoption"),
    path("my-adoption/<reference:reference>/receipts/<int:payment_id>/", my_adoption.receipt, name="receipt"),
    path(
        "my-adoption/<reference:reference>/receipts/<int:payment_id>.pdf", my_adoption.receipt_pdf, name="receipt_pdf"
    ),
    path("my-adoption/<reference:reference>/comment/", commenting.comment, name="comment"),
    path("my-adoption/<reference:reference>/gift/", my_adoption.change_gift, name="change_gift"),
    path("my-adoption/<reference:reference>/gift/again/", my_adoption.send_gift_again, name="send_gift_again"),
    path("my-adoption/<reference:reference>/stop/", changing.stop, name="stop"),
    path("my-adoption/<reference:reference>/go-on/", changing.go_on, name="go_on"),
    path("my-adoption/<reference:reference>/pause/", changing.pause, name="pause"),
    path("my-adoption/<reference:reference>/resume/", changing.resume, name="resume"),
    path("my-adoption/<reference:reference>/skip/", changing.skip, name="skip"),
    path("my-adoption/<reference:reference>/amount/", changing.amount, name="amount"),
    path("my-adoption/<reference:reference>/rhythm/", changing.rhythm, name="rhythm"),
    path("my-adoption/<reference:reference>/card/", changing.card, name="card"),
    path("unsubscribe/<str:token>/", unsubscribing.unsubscribe, name="unsubscribe"),
    # Written go/<code>; in capitals in a QR code, which holds them in less room; in any spelling by who types it.
    re_path(r"^[gG][oO]/(?P<code>[^/]+)/?\Z", campaign_links.follow, name="campaign_link"),
    path("stripe/webhook/", webhook.receive, name="stripe_webhook"),
]
