"""Questions about the plan and their answers: the query service, plan history, editions and the yearly report."""
