"""What is true about a species, and what people say beneath it.

Species     an animal people can read about and adopt
Fact        one statement with its value, date, place, sources and how sure we are; it has a key within its species
Source      where facts come from; shared by all species
Conflict    a question on which sources disagree: what each says, and what we chose to show
Population count
            one survey: how many, where, when, by which method; counts of one series may be compared, others not
Threat      something that presses on several species; a species threat says how it presses on one
Text        editable prose about a species in one language, whose sentences cite facts and print their values
Field note  a short dated report from the field
Comment     a reply from a reader, shown once a moderator has approved it
"""
