"""Claims, one module a group: functions that return what was measured beside what it is compared with."""
