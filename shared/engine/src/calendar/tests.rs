//! Calendars: text in, events out.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

fn shown(events: &[Event]) -> String {
    let line = |e: &Event| {
        let time = |s: i64| Timestamp::from_second(s).unwrap().to_string();
        format!("{} {} {}", time(e.start_s), time(e.end_s), e.name)
    };
    events.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn told(text: &str) -> String {
    let problems = Calendar::read(text.as_bytes()).unwrap_err();
    let line = |p: &Problem| format!("{} {}: {}", p.code, p.path, p.message);
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn csv_has_days_times_and_repetitions() {
    let text = "start,name,end,kind,factor,lanes,region,repeat\n\
        2026-06-03,\"review, all\",2026-06-04,holiday,,,,\n\
        2026-06-05T22:30,nightly,,,2,,us-east-1,FREQ=DAILY;COUNT=2\n\
        # a note\n\
        2026-06-01T10:00:00+02:00,launch,2026-06-01T12:00:00Z,event,,400,,\n";
    let calendar = Calendar::read(text.as_bytes()).unwrap();
    let events = calendar.between(at("2026-06-01T00:00:00Z"), at("2026-07-01T00:00:00Z"));
    assert_eq!(
        shown(&events),
        "2026-06-01T08:00:00Z 2026-06-01T12:00:00Z launch\n\
         2026-06-03T00:00:00Z 2026-06-05T00:00:00Z review, all\n\
         2026-06-05T22:30:00Z 2026-06-05T23:30:00Z nightly\n\
         2026-06-06T22:30:00Z 2026-06-06T23:30:00Z nightly"
    );
    assert_eq!(
        (events[0].lanes, events[2].factor, events[1].holiday),
        (400.0, 2.0, true)
    );
    let elsewhere = calendar
        .of_region("eu-west-1")
        .between(at("2026-06-01T00:00:00Z"), at("2026-07-01T00:00:00Z"));
    assert_eq!(elsewhere.len(), 2);
}

#[test]
fn every_problem_of_a_csv_is_told_with_its_line() {
    assert_eq!(told(""), "FS2030 calendar: it is empty");
    assert_eq!(
        told("name,begin\nx,2026-01-01"),
        "FS2030 line 1: `begin` is no column\nFS2030 line 1: there is no column `start`"
    );
    let text = "name,start,end,kind,factor,repeat\n,2026-01-01,,,,\na,soon,,,,\nb,2026-01-02,2026-01-01,,,\nc,2026-01-01,,party,,\nd,2026-01-01,,,-1,\ne,2026-01-01,,,,FREQ=HOURLY\n";
    assert_eq!(
        told(text),
        "FS2030 line 2: it has no name\n\
         FS2030 line 3: `soon` is no time (start)\n\
         FS2030 line 4: its end is not after its start\n\
         FS2030 line 5: `party` is no kind\n\
         FS2030 line 6: `-1` is no factor\n\
         FS2030 line 7: `FREQ=HOURLY` is not followed"
    );
}

const ICAL: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-TIMEZONE:Europe/Berlin\r\n\
BEGIN:VEVENT\r\nSUMMARY:Day of\r\n  unity\r\nDTSTART;VALUE=DATE:20261003\r\nCATEGORIES:HOLIDAY\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nSUMMARY:stand-up\r\nDTSTART;TZID=America/New_York:20261026T090000\r\nDURATION:PT30M\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261105T000000Z\r\nEXDATE;TZID=America/New_York:20261028T090000\r\n\
BEGIN:VALARM\r\nDURATION:PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nSUMMARY:gone\r\nSTATUS:CANCELLED\r\nDTSTART:20261001T000000Z\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nSUMMARY:launch\r\nDTSTART:20261101T120000Z\r\nDTEND:20261101T140000Z\r\nX-FORESHARD-LANES:250\r\nX-FORESHARD-REGION:us-east-1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[test]
fn icalendar_has_zones_rules_and_exceptions() {
    let calendar = Calendar::read(ICAL.as_bytes()).unwrap();
    let events = calendar.between(at("2026-10-01T00:00:00Z"), at("2026-12-01T00:00:00Z"));
    // Berlin's day begins at 22:00 UTC in summer; New York's clocks change on 1 November, Berlin's a week before.
    assert_eq!(
        shown(&events),
        "2026-10-02T22:00:00Z 2026-10-03T22:00:00Z Day of unity\n\
         2026-10-26T13:00:00Z 2026-10-26T13:30:00Z stand-up\n\
         2026-11-01T12:00:00Z 2026-11-01T14:00:00Z launch\n\
         2026-11-02T14:00:00Z 2026-11-02T14:30:00Z stand-up\n\
         2026-11-04T14:00:00Z 2026-11-04T14:30:00Z stand-up"
    );
    assert_eq!(
        (
            events[0].holiday,
            events[2].lanes,
            events[2].region.as_deref()
        ),
        (true, 250.0, Some("us-east-1"))
    );
    assert_eq!(
        told(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\nBEGIN:VEVENT\nDTSTART:soon\nEND:VEVENT\nBEGIN:VEVENT\nDTSTART:20260101\nRRULE:FREQ=YEARLY;BYSETPOS=1\nEND:VEVENT\nEND:VCALENDAR"
        ),
        "FS2030 line 3: an event has no DTSTART\n\
         FS2030 line 6: `soon` is no time (DTSTART)\n\
         FS2030 line 10: `BYSETPOS=1` is not followed"
    );
}

#[test]
fn the_starter_set_has_the_known_days() {
    let starter = Calendar::starter();
    let of = |from: &str, to: &str| {
        let events = starter.between(at(from), at(to));
        events
            .iter()
            .map(|e| e.name.clone())
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(
        of("2026-11-20T00:00:00Z", "2026-12-01T00:00:00Z"),
        "Thanksgiving Day, Black Friday, Cyber Monday"
    );
    assert_eq!(
        of("2027-03-20T00:00:00Z", "2027-04-01T00:00:00Z"),
        "Good Friday, Easter Monday"
    );
    assert_eq!(
        of("2028-05-25T00:00:00Z", "2028-06-01T00:00:00Z"),
        "Memorial Day"
    );
    // Black Friday is the day after Thanksgiving, Easter Monday three days after Good Friday, in every year of the table.
    let all = starter.between(at("2025-01-01T00:00:00Z"), at("2031-01-01T00:00:00Z"));
    let days = |name: &str| -> Vec<i64> {
        all.iter()
            .filter(|e| e.name == name)
            .map(|e| e.start_s / 86_400)
            .collect()
    };
    let apart = |a: &str, b: &str| -> Vec<i64> {
        days(a).iter().zip(days(b)).map(|(a, b)| b - a).collect()
    };
    assert_eq!(apart("Thanksgiving Day", "Black Friday"), [1; 6]);
    assert_eq!(apart("Thanksgiving Day", "Cyber Monday"), [4; 6]);
    assert_eq!(apart("Good Friday", "Easter Monday"), [3; 6]);
}

#[test]
fn days_are_workdays_weekends_or_holidays() {
    let calendar = Calendar::read(b"name,start,kind\nx,2026-06-02,holiday\n").unwrap();
    let kinds = calendar.day_kinds(at("2026-05-30T00:00:00Z"), 43_200, 10);
    assert_eq!(kinds, [1, 1, 1, 1, 0, 0, 2, 2, 0, 0]);
    // Row numbers are no dates.
    assert_eq!(calendar.day_kinds(0, 43_200, 4), [0; 4]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_text_breaks_the_reader(text in "(BEGIN:VCALENDAR\n)?([A-Z;=:,0-9T\"\\-\n]|BEGIN:VEVENT\n|END:VEVENT\n|DTSTART:2026|RRULE:FREQ=|name,start\n|é){0,40}") {
        if let Ok(calendar) = Calendar::read(text.as_bytes()) {
            let events = calendar.between(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
            prop_assert!(events.len() <= calendar.len() * 366);
        }
    }
}
