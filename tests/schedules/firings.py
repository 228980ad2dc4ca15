#!/usr/bin/env python3
"""Lists when cron expressions fire in zones, as README.md beside it says. It shares no code with Colibri: it walks through every minute of its years."""
import calendar
import datetime
import hashlib
import os
import sys
import zoneinfo

MINUTE = 60
NAMES = {name: number for number, name in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), 1)}
NAMES.update({name: number for number, name in enumerate("SUN MON TUE WED THU FRI SAT".split())})

EXPRESSIONS = [
    "30 2 * * *", "0 2 * * *", "15,45 2 * * *", "10 2 * * *", "30 1 * * *", "45 1 * * *", "0 1,2,3 * * *", "0 0 * * *", "30 0 * * *", "0 0-5 * * *",
    "0 7 * * MON-FRI", "30 2 * * SUN", "0 12 29 2 *", "59 23 L * *", "30 2 L * *", "0 12 LW * *", "0 8 15W * *", "0 9 * * MON#1", "15 10 * * FRIL", "0 6 13 * FRI",
    "0 0 1 JAN *", "*/15 * * * *", "30 * * * *", "0 * * * *", "0 */2 * * *", "*/20 2 * * *", "*/15 9-17 * * 1-5",
]

ZONES = {
    "Europe/Berlin": (2015, 2024),
    "America/New_York": (2015, 2024),
    "Australia/Lord_Howe": (2015, 2024),
    "Africa/Casablanca": (2015, 2024),
    "Pacific/Apia": (2010, 2019),
    "UTC": (2015, 2024),
}


def numbers(field, low, high):
    """The numbers of a plain field."""
    found = set()
    for part in field.split(","):
        part, _, step = part.partition("/")
        if part == "*":
            first, last = low, high
        elif "-" in part:
            first, last = (NAMES.get(end) if end in NAMES else int(end) for end in part.split("-"))
        else:
            first = NAMES.get(part) if part in NAMES else int(part)
            last = high if step else first
        found.update(range(first, last + 1, int(step or 1)))
    return found


def days_in(day):
    return calendar.monthrange(day.year, day.month)[1]


def nearest_weekday(year, month, number):
    """The weekday nearest to a day without leaving its month."""
    last = calendar.monthrange(year, month)[1]
    number = min(number, last)
    weekday = datetime.date(year, month, number).weekday()
    if weekday == 5:
        return number - 1 if number > 1 else number + 2
    if weekday == 6:
        return number + 1 if number < last else number - 2
    return number


def is_day(field, day):
    if field == "L":
        return day.day == days_in(day)
    if field == "LW":
        return day.day == nearest_weekday(day.year, day.month, days_in(day))
    if field.endswith("W"):
        return day.day == nearest_weekday(day.year, day.month, int(field[:-1]))
    return day.day in numbers(field, 1, 31)


def is_weekday(field, day):
    weekday = (day.weekday() + 1) % 7
    if "#" in field:
        name, nth = field.split("#")
        return weekday == NAMES[name] and (day.day - 1) // 7 + 1 == int(nth)
    if field.endswith("L") and len(field) > 1:
        return weekday == NAMES[field[:-1]] and day.day + 7 > days_in(day)
    return weekday in {number % 7 for number in numbers(field, 0, 7)} if field != "*" else True


def minutes_of(expression, day):
    """The minutes of a day that an expression names, by the clock on the wall. Both days count: the one of the month and the one of the week."""
    minute, hour, in_month, month, in_week = expression.split()
    if day.month not in numbers(month, 1, 12) or not is_day(in_month, day) or not is_weekday(in_week, day):
        return frozenset()
    return frozenset(h * 60 + m for h in numbers(hour, 0, 23) for m in numbers(minute, 0, 59))


def is_like_interval(expression):
    return any("*" in field or "/" in field for field in expression.split()[:2])


def walk(zone, first_year, last_year):
    """Every firing of every expression, in seconds since the epoch, and the changes of the zone's offset."""
    place = zoneinfo.ZoneInfo(zone)
    start = int(datetime.datetime(first_year, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
    end = int(datetime.datetime(last_year + 1, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
    fired = [[] for _ in EXPRESSIONS]
    changes = []
    tables = {}
    fixed_mask = sum(1 << i for i, e in enumerate(EXPRESSIONS) if not is_like_interval(e))
    shown_mask = (1 << len(EXPRESSIONS)) - 1 - fixed_mask

    def named(wall):
        """Which expressions name a minute of the wall clock, as bits."""
        number, minute = divmod(wall, 1440)
        if number not in tables:
            table = [0] * 1440
            day = datetime.date(1970, 1, 1) + datetime.timedelta(days=number)
            for index, expression in enumerate(EXPRESSIONS):
                for one in minutes_of(expression, day):
                    table[one] |= 1 << index
            if len(tables) > 8:
                tables.clear()
            tables[number] = table
        return tables[number][minute]

    def offset(at):
        return int(datetime.datetime.fromtimestamp(at, place).utcoffset().total_seconds())

    latest = (start - MINUTE + offset(start - MINUTE)) // MINUTE
    before = offset(start - MINUTE)
    for at in range(start, end, MINUTE):
        now = offset(at)
        if now != before:
            changes.append(at)
            before = now
        wall = (at + now) // MINUTE
        bits = named(wall) & shown_mask
        # A fixed time fires when the wall clock shows it, or a later time, for the first time.
        while latest < wall:
            latest += 1
            bits |= named(latest) & fixed_mask
        index = 0
        while bits:
            if bits & 1:
                fired[index].append(at)
            bits >>= 1
            index += 1
    return fired, changes


def text(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%MZ")


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "years.csv"), "w", encoding="ascii") as years, open(os.path.join(folder, "changes.csv"), "w", encoding="ascii") as around:
        for zone, (first, last) in ZONES.items():
            fired, changes = walk(zone, first, last)
            for expression, times in zip(EXPRESSIONS, fired):
                for year in range(first, last + 1):
                    listed = [text(at) for at in times if datetime.datetime.fromtimestamp(at, datetime.timezone.utc).year == year]
                    years.write(f"{zone};{expression};{year};{len(listed)};{hashlib.sha256(chr(10).join(listed).encode()).hexdigest()[:16]}\n")
                for change in changes:
                    near = [text(at) for at in times if change - 3 * 3600 <= at <= change + 3 * 3600]
                    if near:
                        around.write(f"{zone};{expression};{text(change)};{' '.join(near)}\n")
            print(f"{zone}: {len(changes)} changes, {sum(map(len, fired))} firings", file=sys.stderr)


if __name__ == "__main__":
    main()
