"""The rule book of awards, one module for each thing; pure. In the order of a contest:

the call        programme, window, rubric, rules, edition
the entries     material, entry, entry_row, benefit, comparison, eligibility
the judges      judge, conflict, seating, assignment, seat_plan, score_sheet, disclosure
the results     sheet, figure, normalisation, round_result, ranking, standing, judged, judging_round, entry_result
the prizes      award_list, list_line, notice, objection, award
the way up      nomination_call, nomination, external_result, recommendation, topic
"""
