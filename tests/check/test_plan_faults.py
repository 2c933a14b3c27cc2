"""One fault, its codes and no others: every rule of a plan finds what it is there for."""

from __future__ import annotations

import pytest
from tests.check.test_plan_faults_days import DAYS
from tests.check.test_plan_faults_visits import VISITS

from territory.check import PLAN_CODES, check_plan
from territory.check.codes import NIGHT_CODES, POLICY_CODES, SINGLE_CODES

FAULTS = DAYS | VISITS


def test_every_code_has_a_fault():
    planted = set().union(*(codes for _, codes in FAULTS.values()))
    elsewhere = set(SINGLE_CODES) | set(POLICY_CODES) | set(NIGHT_CODES)
    assert planted - elsewhere == set(PLAN_CODES) - elsewhere
    assert len(FAULTS) >= 40


def test_right_plan_has_no_violations(draft, line):
    report = check_plan(draft.plan(), travel=line)
    assert report.ok, str(report)


AMOUNTS = {
    "n_stops": 1,
    "day after the horizon": 1,
    "day before the horizon": 3,
    "due before the horizon": 1,
    "drive": 1,
    "distance": 1,
    "route's drive": 1,
    "route's distance": 7,
    "bound": 1,
    "arrival earlier": 1,
    "visit later": 60,
    "start before arrival": 1,
    "end earlier": 1,
    "back earlier": 1,
    "leaves before the shift": 1,
    "back after the shift": 1,
    "no time to prepare": 1,
    "break in the time to prepare": 1800,
    "no time for work afterwards": 1,
    "break in the time for work afterwards": 1800,
    "too much overtime": 1,
    "overtime, and no time afterwards": 1,
    "closes early that day": 60,
    "too many visits": 1,
    "no break": 1800,
    "break of one who takes none": 60,
    "break too short": 1,
    "break before its window": 600,
    "break after its window": 100,
    "break while driving": 1,
    "break on the way home": 1,
    "break in a visit": 1,
    "opens later": 60,
    "closes during the visit": 60,
    "start after closing": 60,
    "interval too short": 2,
    "interval too long": 1,
    "too soon after the last visit": 1,
    "too late after the last visit": 1,
    "visits lost": 6,
}


@pytest.mark.parametrize("name", AMOUNTS)
def test_amount_says_how_far_off(name, draft, line):
    FAULTS[name][0](draft)
    assert check_plan(draft.plan(), travel=line).violations[0].amount == AMOUNTS[name]


MESSAGES = {
    "gap in positions": "The stops of rep R1 on 2026-01-05 have positions 0, 1, 3, not 0 to 2.",
    "too many visits": "Rep R2 has 2 visits on 2026-01-06; the most a day are 1.",
    "odd weeks": "Customer c4 is visited on 2026-01-06, in week 2, but wants odd weeks.",
    "that day off": "Rep R2 has a route on 2026-01-06, but has that day off.",
    "weekday off": "Rep R2 has a route on 2026-01-06, but does not work on a Tuesday.",
    "office day": "Rep R2 has visits in the field on 2026-01-06, an office day.",
    "no time to prepare": (
        "Rep R2 leaves at 2026-01-06 08:00: the shift begins at 2026-01-06 08:00, which leaves 0 s to prepare, not 1 s."
    ),
    "too much overtime": (
        "Rep R2 is back at 2026-01-06 09:20, 3600 s after the shift ends at 2026-01-06 08:20; 3599 s are allowed."
    ),
    "closed that day": (
        "The visit of customer c4 lasts from 2026-01-06 08:05 to 2026-01-06 08:35; its hours on 2026-01-06 are none."
    ),
    "closes early that day": (
        "The visit of customer c4 lasts from 2026-01-06 08:05 to 2026-01-06 08:35; its hours on 2026-01-06 are "
        "08:00-08:34."
    ),
    "weekday": "Customer c4 is visited on 2026-01-06, a Tuesday, which is none of its weekdays.",
    "skill": "Customer c4 is visited on 2026-01-06 by rep R2, who lacks dental.",
    "interval too long": (
        "Customer c1 is visited on 2026-01-14, 9 days after the visit before; at most 8 are asked for."
    ),
    "too late after the last visit": "Customer c4 is visited on 2026-01-06; its first visit was due by 2026-01-05.",
    "visits lost": "Customer c1 has a visit due by 2026-01-13 that is neither planned nor unassigned.",
    "arrival earlier": (
        "Rep R1 arrives at customer c2 at 2026-01-05 10:49:59, but ends the visit of customer c1 at 2026-01-05 10:40 "
        "and drives 600 s."
    ),
    "rep of another territory": "Customer c5 is visited on 2026-01-06 by rep R2, but belongs to rep R1.",
    "customer of nobody": "Customer c5 is visited on 2026-01-06 by rep R2, but belongs to nobody.",
    "unassigned twice": "Customer c6 has more than one unassigned visit due on 2026-01-08.",
    "island": "On 2026-01-06, rep R2 cannot get from customer c4 to customer c5.",
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_are_sentences(name, draft, line):
    FAULTS[name][0](draft)
    assert check_plan(draft.plan(), travel=line).violations[0].message == MESSAGES[name]
