"""What made-up practitioners write, by language and domain. Nobody is named in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from snapshot.instrument import DomainId

REMARKS: Mapping[str, Mapping[DomainId, Sequence[str]]] = {
    "en-GB": {
        DomainId("awareness"): (
            "The briefing last term helped us to notice more.",
            "New staff wait months for training.",
            "We talk about it in supervision, and that works.",
            "Short refreshers would help more than one long day.",
        ),
        DomainId("prevention"): (
            "Work with parents about life online goes down well.",
            "We need more lessons on healthy relationships.",
            "There is little for children who worry us with their behaviour.",
            "Good leaflets, but not in the languages that our families speak.",
        ),
        DomainId("initial-response"): (
            "The front door answers quickly and knows its job.",
            "We do not hear what became of a referral.",
            "Strategy meetings without health are still common.",
            "It is clear whom to ring, also at night.",
        ),
        DomainId("effective-assessment"): (
            "Assessments listen to the child more than they did.",
            "Each agency sees a part, and nobody puts the parts together.",
            "We would like to be asked for what we know.",
            "Reports are long, and the child is hard to find in them.",
        ),
        DomainId("recovery-support"): (
            "Waiting lists are far too long.",
            "The support is very good once it begins.",
            "Parents who did nothing wrong are left alone.",
            "Nobody tells schools what help a child gets.",
        ),
    },
    "cy-GB": {
        DomainId("awareness"): (
            "Roedd yr hyfforddiant y tymor diwethaf yn help mawr.",
            "Mae staff newydd yn aros misoedd am hyfforddiant.",
            "Mae trafod hyn mewn goruchwyliaeth yn gweithio.",
        ),
        DomainId("prevention"): (
            "Mae gwaith gyda rhieni am fywyd ar-lein yn mynd yn dda.",
            "Mae angen mwy o wersi am berthnasoedd iach.",
            "Mae'r taflenni yn dda, ond mae angen mwy o ieithoedd.",
        ),
        DomainId("initial-response"): (
            "Mae'r drws ffrynt yn ateb yn gyflym.",
            "Nid ydym yn clywed beth ddigwyddodd wedyn.",
            "Mae'n glir pwy i'w ffonio, hyd yn oed yn y nos.",
        ),
        DomainId("effective-assessment"): (
            "Mae asesiadau yn gwrando mwy ar y plentyn nag o'r blaen.",
            "Mae pob asiantaeth yn gweld rhan, a neb yn gweld y cyfan.",
            "Hoffem gael ein holi am yr hyn a wyddom.",
        ),
        DomainId("recovery-support"): (
            "Mae'r rhestrau aros yn llawer rhy hir.",
            "Mae'r gefnogaeth yn dda iawn ar ôl iddi ddechrau.",
            "Nid oes neb yn dweud wrth ysgolion pa help sydd ar gael.",
        ),
    },
}

_FIRST = ("Ann", "Bethan", "Carys", "Dilip", "Efua", "Femi", "Gwen", "Haider")
_LAST = ("Archer", "Baker", "Cooper", "Draper", "Farmer")


def names(how_many: int) -> list[str]:
    """Of so many leads, all different up to forty."""
    return [f"{_FIRST[n % len(_FIRST)]} {_LAST[n % len(_LAST)]}" for n in range(how_many)]


NUMBER = "01632 960 777"
"""Of those that Ofcom keeps free for drama: what somebody careless adds, and has to take out."""

AT_RISK = {
    "en-GB": "A child told me that she is not safe at home.",
    "cy-GB": "Dywedodd plentyn wrthyf nad yw hi'n ddiogel gartref.",
}

PARAPHRASE = {
    "en-GB": "Somebody would like to know more of what happens afterwards.",
    "cy-GB": "Hoffai rhywun wybod mwy am yr hyn sy'n digwydd wedyn.",
}
THEME = {
    "en-GB": "People value what there is, and would like it sooner.",
    "cy-GB": "Mae pobl yn gwerthfawrogi'r hyn sydd ar gael, ac am ei gael yn gynt.",
}
REASON = {
    "en-GB": "Half-term has kept many people away.",
    "cy-GB": "Mae hanner tymor wedi cadw llawer o bobl draw.",
}

SESSION_NOTE = {
    "en-GB": "It hangs on the team: the north of the area is further on than the south.",
    "cy-GB": "Mae'n dibynnu ar y tîm: mae gogledd yr ardal ymhellach ymlaen na'r de.",
}
EVIDENCE = {
    "en-GB": "The audit of last autumn, and training records.",
    "cy-GB": "Archwiliad yr hydref diwethaf, a chofnodion hyfforddi.",
}
DISSENT = {
    "en-GB": "We see fewer children helped than this says.",
    "cy-GB": "Rydym yn gweld llai o blant yn cael help nag y mae hyn yn ei ddweud.",
}
OWN_ACTION = {
    "en-GB": "Meet every three months to see how far we have come",
    "cy-GB": "Cwrdd bob tri mis i weld pa mor bell yr ydym wedi dod",
}
PLAN_NOTE = {
    "en-GB": "The first time after the summer holidays.",
    "cy-GB": "Y tro cyntaf ar ôl gwyliau'r haf.",
}
