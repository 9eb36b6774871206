"""The annual plan as data and values: the file, its model, periods and pace. Pure."""
