"""What is run: functions that return the runs of an experiment and how to build them."""
