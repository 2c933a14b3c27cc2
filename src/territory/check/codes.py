"""Every code that a check may report, and the rule that is then broken."""

from __future__ import annotations

from typing import Final

__all__ = ["ALIGNMENT_CODES", "CODES", "NIGHT_CODES", "PLAN_CODES", "POLICY_CODES", "ROUTING_CODES", "SINGLE_CODES"]

_ELIGIBILITY: Final = {
    "skill-missing": "The rep has every skill that the customer requires.",
    "rep-forbidden": "The customer does not forbid the rep.",
    "lock-broken": "A locked customer is served by its owner.",
}

#: Code to rule, of `check_plan`: what policies ask for.
POLICY_CODES: Final[dict[str, str]] = {
    "follow-up-missing": "A won deal has its follow-ups among the visits.",
    "follow-up-wrong": "A follow-up is due as long after the deal as the settings say, within the tolerance.",
    "remote-wrong": "Visits are made from home where their row or the settings ask for it, and nowhere else.",
    "first-visit-remote": "The first visit ever is made in the field.",
    "cold-lead-far": "A cold lead is visited where that adds no more driving than cold_detour_s.",
    "day-set-broken": "A customer with sets of days is visited on all days of one of them, or on none.",
    "day-set-missing": "A customer with sets of days is planned on one of them, or unassigned.",
    "load-unknown": "The customers have the measure that fills the reps up.",
    "load-too-high": "The loads of a day's visits in the field add up to no more than the rep's load_limit.",
}

#: Code to rule, of `check_plan`: what single visits ask for.
SINGLE_CODES: Final[dict[str, str]] = {
    "single-missing": "A single visit is planned or unassigned; an event on each of its days.",
    "single-doubled": "A single visit is made once, an event once a day.",
    "single-customer-wrong": "A single visit is one of the customer whom its row names.",
    "single-day-wrong": "A single visit is made on one of its days.",
    "single-time-wrong": "A single visit with a time starts then, by the customer's clock.",
    "single-rep-wrong": "A single visit is made by the reps whom its row names.",
    "single-due-wrong": "An unassigned single visit is listed for its due day, its last day, or its event's.",
    "joint-incomplete": "A joint visit is made by two reps.",
    "joint-apart": "Both reps start a joint visit at the same moment.",
    "commitment-wrong": "A visit is promised as firmly as its row says, or as follows from it.",
}

#: Code to rule, of `check_plan`: nights away from home.
NIGHT_CODES: Final[dict[str, str]] = {
    "night-not-allowed": "Nights are spent away only where the plan's settings allow it.",
    "nights-unordered": "The nights stand in the order of rep and day.",
    "night-doubled": "A rep spends a night in one place.",
    "night-place-wrong": "A night is spent at a customer's place or in a hotel, and its coordinates are theirs.",
    "night-without-route": "A route ends where a night is spent, and the rep's route of the next day begins there.",
    "night-weekday": "Nights are spent away on the evenings of the rep's night_weekdays.",
    "too-many-nights-in-week": "From Monday to Sunday there are at most the rep's max_nights_per_week.",
    "too-many-nights-in-row": "In a row there are at most the rep's max_nights_in_row.",
    "night-too-near": "Nights are spent at least the rep's overnight_min_km away from home, by the travel.",
    "night-cost-wrong": "A night costs what the hotel asks, else the rep's hotel_cost, and the rep's meal_cost.",
}

#: Code to rule, of `check_plan`.
PLAN_CODES: Final[dict[str, str]] = {
    # the tables
    "stops-unordered": "The stops stand in the order of rep, day and position.",
    "routes-unordered": "The routes stand in the order of rep and day.",
    "position-wrong": "The positions of a day's stops are 0, 1, 2 and so on.",
    "stop-without-route": "Every stop belongs to a route of its rep and day.",
    "route-without-stops": "Every route has stops.",
    "route-doubled": "A rep has one route a day.",
    "stop-count-wrong": "A route's n_stops is the number of its stops.",
    "outside-horizon": "Every day, and every due day of an unassigned visit, lies in the horizon.",
    "time-missing": "Every arrival, start and end of a stop and every leave and back of a route is known.",
    # travel
    "travel-differs": "The plan was made with the travel that it is checked with.",
    "leg-unreachable": "There is a way for every leg.",
    "drive-wrong": "A stop's drive_s is the travel time from the place before it.",
    "estimate-untold": "Drives that a fallback told, the source of travel having failed, are marked as estimated.",
    "distance-wrong": "A stop's distance_m is the distance from the place before it.",
    "route-drive-wrong": "A route's drive_s is the sum of its legs, the last one included.",
    "route-distance-wrong": "A route's distance_m is the sum of its legs, the last one included.",
    "bound-above-drive": "A route's bound_s is not above its drive_s.",
    # the day, in time
    "arrival-too-early": "Between the end of the visit before (or leaving) and the arrival lies the drive.",
    "start-before-arrival": "A visit starts when the rep has arrived, or later.",
    "end-wrong": "A visit ends when its service time, rounded up to whole seconds, has passed since its start.",
    "back-too-early": "Between the end of the last visit and being back there is time for the drive.",
    # when reps work
    "on-holiday": "Nobody visits on a holiday, unless the shift has an exception for that very day.",
    "on-leave": "Nobody visits on leave.",
    "no-shift": "The rep works on that day, by its weekday or the exceptions of single dates.",
    "office-day": "Nobody visits in the field on an office day.",
    "before-shift": "The rep leaves when the shift has begun, or later.",
    "after-shift": "A rep without overtime is back when the shift ends, or earlier.",
    "overtime-too-long": "The rep is back no later after the end of the shift than max_overtime_s.",
    "prep-missing": "Between the begin of the shift and leaving there is time for the rep's prep_s.",
    "admin-missing": "Between being back and the end of the shift with its overtime there is time for admin_s.",
    "too-many-visits": "A day has at most the rep's max_visits_per_day.",
    # the daily break
    "break-missing": "A rep who takes breaks has one in every route that reaches into the break window.",
    "break-unexpected": "A rep without breaks has none.",
    "break-length-wrong": "The break is as long as the rep's break_s, rounded up to whole seconds.",
    "break-outside-window": "The break lies within the rep's break window.",
    "break-during-drive": "The rep does not drive during the break.",
    "break-during-visit": "No visit takes place during the break.",
    # when customers can be visited
    "outside-opening-hours": "The visit (or, where only it counts, its start) lies within one opening interval.",
    "call-block": "The visit, unless it outranks that, touches no day on which the customer must not be called on.",
    "weekday-not-allowed": "The visit is on one of the customer's weekdays.",
    "week-parity": "The visit is in an odd or even ISO week, as the customer wants it.",
    # who visits whom
    **_ELIGIBILITY,
    "inside-channel": "Customers who are served from inside are not visited.",
    "lost-customer": "Lost customers are not visited.",
    "wrong-rep": "A customer is visited by the rep of its territory, or who may stand in or come along.",
    "not-in-alignment": "The alignment knows everybody whom the plan visits.",
    # how often
    "visit-doubled": "A customer is visited at most once a day, events apart.",
    "visit-not-due": "Customers without an interval have single visits only.",
    "first-visit-early": "The first visit comes no earlier after the last visit than the interval allows.",
    "first-visit-late": "The first visit, planned or not, is due no later than the interval allows.",
    "interval-too-short": "Visits of a customer are not nearer to each other than the interval allows.",
    "interval-too-long": "Visits of a customer, planned or not, are not farther from each other than allowed.",
    "visit-missing": "Every visit that is due in the horizon is planned, or unassigned with a reason.",
    **SINGLE_CODES,
    **NIGHT_CODES,
    **POLICY_CODES,
    # what is not planned
    "planned-and-unassigned": "A visit is either planned or unassigned.",
    "unassigned-doubled": "A customer has at most one unassigned visit by interval a day, and each single one once.",
    "unassigned-too-soon": "An unassigned visit is due no sooner after the visit before than the interval allows.",
    "unassigned-not-due": "Unassigned are only visits of customers who are to be visited at all.",
    "reason-unknown": "The reason of an unassigned visit is one of `territory.model.Reason`.",
    "reason-unfounded": "The inputs do not refute the reason of an unassigned visit.",
    "reason-unfit": "Where the alignment gives a customer to nobody, the reason says that nobody can go there.",
    "detail-empty": "The reason of an unassigned visit is explained in a sentence.",
}

#: Code to rule, of `check_alignment`.
ALIGNMENT_CODES: Final[dict[str, str]] = {
    "territory-id-doubled": "Every territory has an id of its own, which is not blank.",
    "reason-missing": "A customer in no territory has a reason.",
    "reason-unfounded": "Only customers in no territory have a reason.",
    "rep-doubled": "A rep has at most one territory.",
    "territory-without-rep": "Where there are reps, every territory has one.",
    **_ELIGIBILITY,
    "measure-unknown": "The customers have every measure of the balance.",
    "target-wrong": "Targets are the total of a measure, shared out by the reps' capacities, or equally.",
    "unbalanced": "Every territory's total is within the allowed deviation from its target.",
    "limit-broken": "Every territory's total is within its limits.",
    "group-split": "Customers who must be together are in one territory.",
    "not-apart": "Customers who must be apart are in different territories.",
    "override-broken": "A customer who was given to a territory by name is in it.",
    "out-of-reach": "Nobody is beyond the reach of the rep's home, or of the centre, but by name or lock.",
    "not-contiguous": "A territory that was asked to be connected is, among the customers that every rep may serve.",
    "center-wrong": "Every territory with customers has a centre on the globe.",
    "center-unreachable": "Where travel counts, there is a way from everybody to the centre and back.",
    "objective-wrong": "The objective is the weighted mean of what it is said to be, from customer to centre.",
    "bound-above-objective": "The bound is not above the objective.",
}

#: Code to rule, of `check_routing`.
ROUTING_CODES: Final[dict[str, str]] = {
    # the shape of the answer
    "not-whole": "Shifts, visits and times are whole numbers.",
    "shift-unknown": "Every route is of a shift of the problem.",
    "visit-unknown": "Every visit is one of the problem.",
    "routes-unordered": "The routes stand in the order of the shifts.",
    "shift-doubled": "A shift has one route.",
    "route-without-visits": "Every route has visits.",
    "start-count-wrong": "A route has a start for each visit.",
    "break-count-wrong": "A route says for each break of the shift when it begins, or that it is not needed.",
    # one shift, in time
    "leg-unreachable": "There is a way for every leg.",
    "start-too-early": "Between leaving, or the end of the visit before, and a start lies the drive.",
    "back-too-early": "Between the end of the last visit and being back lies the drive.",
    "before-shift": "The rep leaves when the shift has begun, or later.",
    "after-shift": "The rep is back, and the last break over, when the shift and its overtime end, or earlier.",
    "outside-window": "A visit, or where only it counts its start, lies within a window of the visit.",
    "break-missing": "A break is left out only by who is back before its window, or leaves after it.",
    "break-outside-window": "A break lies within its window, and in the shift.",
    "break-during-visit": "No visit takes place during a break.",
    "break-during-drive": "The rep does not drive during a break.",
    "frozen-drive": "Before the freeze no drive begins but those to locked visits.",
    "drive-wrong": "A route's drive_s is what its legs take.",
    "distance-wrong": "A route's distance_m is the sum of its legs where metres cost, else 0.",
    # limits
    "duration-too-long": "From leaving to being back is at most max_duration_s.",
    "drive-too-long": "A route's drive_s is at most max_drive_s.",
    "too-many-visits": "A shift has at most max_visits.",
    "over-capacity": "The loads of a shift's visits add up to no more than its capacity.",
    # which visit in which shift
    "not-eligible": "A visit goes only to shifts that it is eligible for.",
    "pin-broken": "A pinned visit is made in its shift, and starts when it has to.",
    "lock-broken": "A shift with locked visits begins with them, in their order, and nobody else makes them.",
    "visit-doubled": "A visit is made once; with a cadence once a day.",
    "pattern-broken": "A visit with patterns is made on the days of one of them, or not at all.",
    "rhythm-first": "The first visit of a rhythm lies on one of its first days; if missed, on the one that was meant.",
    "rhythm-gap": "From one visit of a rhythm to the next lie as many days as allowed; if missed, as many as meant.",
    "rhythm-open": "While another visit of a rhythm is due it is made or missed.",
    "rhythm-over": "There are no visits of a rhythm after none is due.",
    "joint-broken": "Joint visits are made in two shifts with one start, or not at all.",
    "precedence-broken": "A visit that has to come after another starts late enough after it, or is not made.",
    # what is not made
    "unserved-missing": "Every visit that is not made is among those unserved.",
    "unserved-doubled": "A visit is unserved once; of a rhythm, once a day.",
    "unserved-wrong": "A visit that is made is not unserved; only of a rhythm a day is known.",
    # what it costs
    "terms-unknown": "The terms of the objective are the ones that there are.",
    "term-wrong": "Each term of the objective is what the routes cost.",
    "objective-wrong": "The objective is the sum of its terms.",
    "bound-above-objective": "Where all required visits are made, the bound is not above the objective.",
    "required-missing-wrong": "The count required_missing is that of required or locked visits that are not made.",
    "status-wrong": "The status is a `territory.model.enums.Status`.",
    "optimal-unproven": "Who says optimal has a bound that proves it, and makes all required visits.",
    "infeasible-unfounded": "Who says infeasible leaves out required visits.",
}


def _all() -> dict[str, str]:
    """Return every code; where checks share one, the rule of each."""
    rules: dict[str, list[str]] = {}
    for codes in (PLAN_CODES, ALIGNMENT_CODES, ROUTING_CODES):
        for code, rule in codes.items():
            if rule not in rules.setdefault(code, []):
                rules[code].append(rule)
    return {code: " ".join(sentences) for code, sentences in rules.items()}


#: Code to rule, of all checks.
CODES: Final[dict[str, str]] = _all()
