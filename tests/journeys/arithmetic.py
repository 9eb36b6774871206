"""The six numbers of a list of commands, worked out by hand: knows the list and nothing else of the system."""

from collections import defaultdict


def six_numbers(stories):
    """K1 to K6 of 2011 (K5 in fen), as these commands should make them; refused and repeated ones change nothing."""
    books = Books()
    told = set()
    for story in stories:
        for step in story.steps:
            if step.expected == "done" and step.command_id not in told:
                told.add(step.command_id)
                getattr(books, step.command, books.nothing)(**step.arguments)
    return books.numbers()


class Books:
    """What a clerk with pencil and paper would keep."""

    def __init__(self):
        self.prizes, self.verified_prizes = {}, set()
        self.campaigns, self.activities = {}, {}
        self.counts, self.verified_counts = {}, set()
        self.associations, self.registered_on, self.active = {}, {}, set()
        self.standing = defaultdict(set)
        self.levels, self.money = {}, defaultdict(int)
        self.organisations, self.established = {}, {}

    def nothing(self, **given):
        """A command that moves none of the six numbers."""

    def numbers(self):
        return {
            "K1": sum(self.is_k1(self.prizes[one]) for one in self.verified_prizes),
            "K2": sum(self.counts[one]["person_times"] for one in self.verified_counts if self.is_k2(self.counts[one])),
            "K3": sum(self.is_k3(one) for one in self.active),
            "K4": sum(len(parts) == 3 for parts in self.standing.values()),
            "K5": sum(fen for grant, fen in self.money.items() if self.levels[grant] in ("central", "province")),
            "K6": sum(
                self.organisations[one] == "university" and day.startswith("2011")
                for one, day in self.established.items()
            ),
        }

    def is_k1(self, prize):
        contest = (prize["series"], prize["level"], prize["edition_no"])
        return contest == ("youth_contest", "province", 26) and prize["award_kind"] in ("graded", "special")

    def is_k2(self, count):
        campaign = self.activities[count["activity_id"]].get("campaign_id")
        counts = campaign is None or self.campaigns[campaign] != "members_day"
        return counts and count["mode"] == "offline" and count["day"].startswith("2011")

    def is_k3(self, association):
        return self.registered_on[association].startswith("2011") and not self.associations[association]

    def report_external_result(self, result_id, **prize):
        self.prizes[result_id] = prize

    def verify_external_result(self, result_id):
        self.verified_prizes.add(result_id)

    def revoke_external_result(self, result_id, **_):
        self.verified_prizes.remove(result_id)

    def open_campaign(self, campaign_id, campaign_kind, **_):
        self.campaigns[campaign_id] = campaign_kind

    def create_activity(self, activity_id, **activity):
        self.activities[activity_id] = activity

    def record_count(self, count_id, **count):
        self.counts[count_id] = count

    def verify_count(self, count_id):
        self.verified_counts.add(count_id)

    def correct_count(self, count_id, person_times, **_):
        self.counts[count_id] = {**self.counts[count_id], "person_times": person_times}

    def supersede_count(self, count_id, **_):
        self.verified_counts.discard(count_id)

    def prepare_association(self, association_id, predecessor_ids=(), **_):
        self.associations[association_id] = predecessor_ids

    def file_association(self, association_id, filed_on, **_):
        self.registered_on.setdefault(association_id, filed_on)

    def register_association(self, association_id, registered_on, **_):
        self.registered_on.setdefault(association_id, registered_on)

    def activate_association(self, association_id):
        self.active.add(association_id)

    def suspend_association(self, association_id, **_):
        self.active.discard(association_id)

    def dissolve_association(self, association_id, **_):
        self.active.discard(association_id)

    def merge_associations(self, association_id, **_):
        self.active.discard(association_id)

    def accept_part(self, point_id, part, **_):
        self.standing[point_id].add(part)

    def recheck_part(self, point_id, part, **_):
        self.standing[point_id].add(part)

    def lapse_part(self, point_id, part, **_):
        self.standing[point_id].discard(part)

    def approve_grant(self, grant_id, source_level, **_):
        self.levels[grant_id] = source_level

    def receive_funds(self, grant_id, fen, **_):
        self.money[grant_id] += fen

    def return_funds(self, grant_id, fen, **_):
        self.money[grant_id] -= fen

    def create_organisation(self, organisation_id, organisation_kind, **_):
        self.organisations[organisation_id] = organisation_kind

    def establish_organisation(self, organisation_id, established_on, **_):
        self.established[organisation_id] = established_on
