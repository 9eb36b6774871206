"""Who wins in the contests of a list of commands, worked out by hand: knows the list and nothing else of the system.

But for the ids of score sheets, which say nothing by themselves: of these it knows how they are made.
"""

from collections import Counter, defaultdict
from fractions import Fraction
from itertools import pairwise
from statistics import mean

from services.awards.domain.score_sheet import sheet_id

GRADES = ("first", "second", "third")


def prizes(stories):
    """By the id of the award: to whom it went, of which kind and grade, what became of it, and its certificate."""
    books, told = Books(), set()
    for story in stories:
        for step in story.steps:
            if step.expected == "done" and not step.until and step.command_id not in told:
                told.add(step.command_id)
                books.by = step.by
                getattr(books, step.command, books.nothing)(**step.arguments)
    return {award_id: prize for edition_id in books.lists for award_id, prize in books.awards(edition_id).items()}


class Books:
    """What the secretary of a jury would keep."""

    by = None

    def __init__(self):
        self.editions, self.entries, self.lists = {}, {}, {}
        self.judges, self.scores, self.recused = set(), {}, set()
        self.votes = defaultdict(list)
        self.objections, self.struck = {}, set()
        self.issued, self.revoked = set(), set()

    def nothing(self, **given):
        """A command that nobody wins or loses by."""

    def create_edition(self, edition_id, categories, rounds=(), **_):
        rounds = rounds or [{"weight": 1}]
        self.editions[edition_id] = ({one["category_code"]: one for one in categories}, rounds)

    def submit_entry(self, entry_id, edition_id, category_code, **_):
        self.entries[entry_id] = [edition_id, category_code, False]

    def check_eligibility(self, entry_id, eligible, **_):
        self.entries[entry_id][2] = eligible

    def register_judge(self, judge_id, **_):
        self.judges.add(judge_id)

    def submit_score(self, sheet_id, scores, **_):
        self.scores[sheet_id] = {one["criterion_code"]: int(one["points"]) for one in scores}

    def recuse(self, sheet_id, **_):
        self.recused.add(sheet_id)

    def resolve_tie(self, order, **_):
        for better, worse in pairwise(order):
            self.votes[better].append(worse)

    def publish_list(self, notice_id, edition_id, other_awards, **_):
        self.lists[edition_id] = (notice_id, other_awards)

    def file_objection(self, objection_id, line_no, notice_id, **_):
        self.objections[objection_id] = f"{notice_id}.{line_no}"

    def decide_objection(self, objection_id, outcome, **_):
        if outcome == "upheld":
            self.struck.add(self.objections[objection_id])

    def issue_certificate(self, award_id, **_):
        self.issued.add(award_id)

    def revoke_award(self, award_id, **_):
        self.revoked.add(award_id)

    def awards(self, edition_id):
        notice_id, others = self.lists[edition_id]
        listed = [
            *((entry_id, "graded", grade) for entry_id, grade in self.graded(edition_id)),
            *((one["subject_id"], one["award_kind"], "none") for one in others),
        ]
        numbered = ((f"{notice_id}.{number}", line) for number, line in enumerate(listed, start=1))
        return {
            award_id: (*line, "revoked" if award_id in self.revoked else "granted", award_id in self.issued)
            for award_id, line in numbered
            if award_id not in self.struck
        }

    def graded(self, edition_id):
        """The entries with a grade, category by category and the best first."""
        categories, rounds = self.editions[edition_id]
        for code in sorted(categories):
            entries = [one for one, said in self.entries.items() if said == [edition_id, code, True]]
            reached = Counter()
            for round_no, rules in enumerate(rounds, start=1):
                for entry_id in entries:
                    reached[entry_id] += rules["weight"] * self.score(edition_id, round_no, entry_id, categories[code])
                entries = self.ranked(entries, reached)
                if "advance_percent" in rules:
                    entries = entries[: -(-len(entries) * rules["advance_percent"] // 100)]
            grades = [grade for quota in categories[code]["quotas"] for grade in [quota["grade"]] * quota["places"]]
            yield from zip(entries, grades, strict=False)

    def ranked(self, entries, reached):
        """The best first; where two are alike the one that the committee voted for."""
        return sorted(entries, key=lambda one: (reached[one], len(self.votes[one])), reverse=True)

    def score(self, edition_id, round_no, entry_id, category):
        """The mean of what its judges gave, out of 100."""
        of = {"edition_id": edition_id, "round_no": round_no, "entry_id": entry_id}
        sheets = {sheet_id(**of, judge_id=judge_id) for judge_id in self.judges} & self.scores.keys() - self.recused
        weights = {one["criterion_code"]: Fraction(one["weight"]) for one in category["rubric"]}
        return mean(
            sum(weights[code] * points for code, points in self.scores[sheet].items()) / sum(weights.values())
            for sheet in sheets
        )
