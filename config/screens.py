"""What each list of the desk is for, in plain words: said above it. A list without its words fails the tests."""

ABOUT = {
    "adoptions.adoption": "Every adoption and its money, as Stripe or a colleague reported it. Open one to refund, to "
    "stop it or to see its present. Nothing is typed here.",
    "adoptions.attention": "What no program can decide. Open one, read why it is here, and press what settles it.",
    "adoptions.campaign": "Links for mails and posters. A code is never used twice: end a campaign, do not delete it.",
    "adoptions.campaignday": "How often links were followed on each day, about right: counted without cookies. Those "
    "without a campaign had a code that is nobody’s.",
    "adoptions.closure": "When paying was closed because somebody was trying stolen cards, and who opened it again.",
    "adoptions.complaint": "Who is not content, what is due first on top. Each must be answered within 30 days.",
    "adoptions.comparison": "Every hour we compare our money with Stripe’s. Each line says how that went.",
    "adoptions.consentevent": "Who said yes or no to news, when, and to which words. The newest word counts.",
    "adoptions.difference": "Where our money and Stripe’s do not agree. Ask Stripe again, or leave it if you know why.",
    "adoptions.exportedfile": "Lists that colleagues took out: who, what and when. A file is deleted after a day.",
    "adoptions.failedrenewal": "Payments of running adoptions that failed, why, and whether the money came after all.",
    "adoptions.gift": "Presents: for whom, on which day they go out, and whether they have arrived.",
    "adoptions.giftaiddeclaration": "Who lets us claim tax back, in which words. Choose lines and an action to take "
    "one back, or to note that its written record went out by post.",
    "adoptions.handentry": "Cheques, cash and transfers that colleagues wrote down. Find each on the bank’s "
    "statement, choose it here and say so.",
    "adoptions.importedfile": "Lists that were brought in from elsewhere. Each can be undone as a whole for 30 days.",
    "adoptions.likeness": "Two supporters who may be one person. Look at them side by side, then join them or say no.",
    "adoptions.merge": "Who was joined with whom. For 30 days it can be undone.",
    "adoptions.payment": "Every movement of money, in and out. A line is never changed: what was wrong is put right "
    "by another line.",
    "adoptions.plan": "What can be adopted, for how much. A plan that was mailed is taken off offer, never deleted.",
    "adoptions.refundrequest": "Money that was given back: who asked for it, why, and what Stripe answered.",
    "adoptions.stripeevent": "What Stripe told us, word for word. One that could not be worked needs whoever runs the "
    "site.",
    "adoptions.supporter": "Everybody who gave, or was on a list. The timeline of each has all that happened and what "
    "you can do. A correction is told to the person by mail.",
    "auth.group": "The five roles and what each may do. They are set anew with each version: give extra rights to a "
    "person, not to a role.",
    "auth.user": "Colleagues who sign in here. Take “active” from who leaves; never delete them, as the log names "
    "them.",
    "config.auditentry": "Who of staff looked at what, took it out or changed it. Nobody can alter this.",
    "config.blockedload": "What browsers refused to load on our pages, because our rules forbid it. From a site you do "
    "not know: somebody may have planted it, so call whoever runs this one.",
    "config.mail": "Every mail that went out or waits to, as it was written. Choose one and send it again if it never "
    "came.",
    "config.mailwords": "The words of each mail. Put them in your own, look at them, and send yourself a test first.",
    "django_tasks_database.dbtaskresult": "What the site does in the background. For whoever runs it.",
    "species.comment": "What readers wrote. Nothing shows before somebody has read it. Nobody edits their words.",
    "species.conflict": "Where sources disagree. The page says what each of them holds, and why.",
    "species.fact": "One number or statement, with its source, its year and how sure we are. Sentences call it by its "
    "key.",
    "species.fieldnote": "News from where the animals live. Unpublished until you say so.",
    "species.picture": "Photographs with who took them and what they show to somebody who cannot see them.",
    "species.populationcount": "Counts over the years, for the figure that draws them.",
    "species.source": "What our facts rest on: papers, reports and people, and where to find them.",
    "species.species": "The animals themselves. A page is published when its texts and its facts are there.",
    "species.text": "What the pages say, section by section. Save a draft to look at it before readers do.",
    "species.threat": "What the animals suffer from. Each has a page of its own.",
}
