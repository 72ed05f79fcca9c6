"""Reads a calendar as a calendar program does: its address, its name, and the events that are expected, as JSON."""

import json
import os
import sys
import urllib.request
from datetime import date, datetime, timedelta

from icalendar import Calendar

path, name, expected = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
with urllib.request.urlopen(os.environ["LATCHKEY_URL"] + path) as answer:
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8", answer.headers
    text = answer.read()

assert text.endswith(b"END:VCALENDAR\r\n")
for line in text.split(b"\r\n"):
    assert len(line) <= 75 and b"\n" not in line and b"\r" not in line, line

calendar = Calendar.from_ical(text)
assert not calendar.errors, calendar.errors
assert calendar["VERSION"] == "2.0" and calendar["PRODID"], calendar
assert calendar["X-WR-CALNAME"] == name, calendar["X-WR-CALNAME"]

events = calendar.walk("VEVENT")
assert len({event["UID"] for event in events}) == len(events)
found = []
for event in events:
    assert not event.errors, event.errors
    start, end = event["DTSTART"].dt, event["DTEND"].dt
    assert type(start) is date and end == start + timedelta(days=1), (start, end)
    assert isinstance(event["DTSTAMP"].dt, datetime) and event["DTSTAMP"].dt.utcoffset() == timedelta(0)
    assert event["TRANSP"] == "TRANSPARENT"
    assert event["URL"].startswith(os.environ["LATCHKEY_URL"] + "/"), event["URL"]
    lines = event["DESCRIPTION"].split("\n")
    assert lines[0].startswith("Group: ") and lines[1].startswith("Role: "), lines
    assert lines[2].startswith("Scopes: ") and lines[-1] == event["URL"], lines
    (alarm,) = event.walk("VALARM")
    assert not alarm.errors and alarm["ACTION"] == "DISPLAY" and alarm["TRIGGER"].dt == timedelta(days=-7)
    found.append({"summary": event["SUMMARY"], "day": start.isoformat()})
assert found == expected, found
