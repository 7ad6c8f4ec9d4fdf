//! `foreshard forecast`: what is typed, what is printed, the exit code.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use super::transcripts::program;

/// Nine days of hours: 10 at night, 50 by day, one hour missing; as dates from a Saturday on.
fn calls() -> String {
    let mut text = "time,calls,errors\n".to_owned();
    for hour in 0..24 * 9 {
        let value = if (8..18).contains(&(hour % 24)) {
            50
        } else {
            10
        };
        let _ = match hour {
            30 => writeln!(
                text,
                "2026-11-{:02}T{:02}:00:00Z,,1",
                14 + hour / 24,
                hour % 24
            ),
            _ => writeln!(
                text,
                "2026-11-{:02}T{:02}:00:00Z,{value},0",
                14 + hour / 24,
                hour % 24
            ),
        };
    }
    text
}

/// Types commands in a folder with series; what was typed and printed.
fn transcript(lines: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("calls.csv", calls()),
        ("empty.csv", "time,value\n".to_owned()),
        (
            "odd.csv",
            "time,value\n0,-3\n1,inf\nsoon,2\n3,4\n".to_owned(),
        ),
        (
            "days.csv",
            "name,start,end,kind\nbroken,31-12,,\n".to_owned(),
        ),
        (
            "sale.csv",
            "name,start,end,factor\nsale,2026-11-23T06:00,2026-11-23T12:00,3\n".to_owned(),
        ),
    ] {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    lines
        .iter()
        .map(|line| typed(folder.path(), line))
        .collect()
}

fn typed(folder: &Path, line: &str) -> String {
    let answer = Command::new(program())
        .args(line.split(' '))
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("cargo build --workspace has made the command");
    let mut text = format!(
        "$ foreshard {line}\n{}{}",
        String::from_utf8_lossy(&answer.stdout),
        String::from_utf8_lossy(&answer.stderr)
    );
    match answer.status.code() {
        Some(0) => {}
        code => {
            let _ = writeln!(text, "[exit code {}]", code.unwrap_or(-1));
        }
    }
    text
}

#[test]
fn a_series_is_forecast_with_its_model_and_reasons() {
    let text = transcript(&["forecast calls.csv --horizon 12 --quantiles 0.05,0.5,0.95"]);
    insta::assert_snapshot!(text, @r#"
    $ foreshard forecast calls.csv --horizon 12 --quantiles 0.05,0.5,0.95
    calls.csv: 216 rows of 3600 s from 2026-11-14 00:00, 1 missing
      data      rows are missing, and are not taken for zero (missing 1, rows 216)
      season    it repeats with a period of day, 2 days (2 days 1, day 1)
      forecast  `naive day` is used: no model loses less on the rows held back (loss 0, models 13, naive_loss 0, origins 6)

      MODEL                                         LOSS   OF NAIVE
    * naive day                                        0          -
      median of 3 cycles                               0          -
      median of 7 cycles                               0          -
      median of 14 cycles                              0          -
      median of like days                              0          -
      shape at the level of 2 rows                     0          -
      median of 3 cycles + median of 7 cycles          0          -
      mean of cycles                                   0          -
      shape at the level of 24 rows                    0          -
      level of 60 rows                            0.1108          -
      level of 1000 rows                          0.1108          -
      ets                                         0.1108          -
      mstl                                             -          -
    * is used. Losses are those on rows held back of the history.

    FROM                    0.05        0.5       0.95
    2026-11-23 00:00          10         10         10
    2026-11-23 01:00          10         10         10
    2026-11-23 02:00          10         10         10
    2026-11-23 03:00          10         10         10
    2026-11-23 04:00          10         10         10
    2026-11-23 05:00          10         10         10
    2026-11-23 06:00          10         10         10
    2026-11-23 07:00          10         10         10
    2026-11-23 08:00          50         50         50
    2026-11-23 09:00          50         50         50
    2026-11-23 10:00          50         50         50
    2026-11-23 11:00          50         50         50
    "#);
}

#[test]
fn what_came_is_beside_what_was_forecast_of_it() {
    let text = transcript(&["forecast calls.csv --horizon 12 --quantiles 0.5,0.9 --backtest"]);
    insta::assert_snapshot!(text, @r#"
    $ foreshard forecast calls.csv --horizon 12 --quantiles 0.5,0.9 --backtest
    calls.csv: 204 rows of 3600 s from 2026-11-14 00:00, 1 missing
      data      rows are missing, and are not taken for zero (missing 1, rows 204)
      season    it repeats with a period of day, 2 days (2 days 0.9989, day 0.9995)
      forecast  `naive day` is used: no model loses less on the rows held back (loss 0, models 13, naive_loss 0, origins 5)

      MODEL                                         LOSS   OF NAIVE
    * naive day                                        0          -
      median of 3 cycles                               0          -
      median of 7 cycles                               0          -
      median of 14 cycles                              0          -
      median of like days                              0          -
      shape at the level of 2 rows                     0          -
      mean of cycles                                   0          -
      median of 3 cycles + median of 7 cycles          0          -
      shape at the level of 24 rows                    0          -
      level of 60 rows                            0.2301          -
      level of 1000 rows                          0.2301          -
      ets                                         0.2301          -
      mstl                                             -          -
    * is used. Losses are those on rows held back of the history.

    held back: 12 steps that came; mean error 0, that of the day before 0
      at or below 0.5: 1.000 of them; loss 0
      at or below 0.9: 1.000 of them; loss 0

    FROM                     0.5        0.9       CAME
    2026-11-22 12:00          50         50         50
    2026-11-22 13:00          50         50         50
    2026-11-22 14:00          50         50         50
    2026-11-22 15:00          50         50         50
    2026-11-22 16:00          50         50         50
    2026-11-22 17:00          50         50         50
    2026-11-22 18:00          10         10         10
    2026-11-22 19:00          10         10         10
    2026-11-22 20:00          10         10         10
    2026-11-22 21:00          10         10         10
    2026-11-22 22:00          10         10         10
    2026-11-22 23:00          10         10         10
    "#);
}

#[test]
fn rows_are_summed_and_a_declared_event_changes_them() {
    let text =
        transcript(&["forecast calls.csv --horizon 2 --quantiles 0.5 --sum 6 --calendar sale.csv"]);
    insta::assert_snapshot!(text, @r#"
    $ foreshard forecast calls.csv --horizon 2 --quantiles 0.5 --sum 6 --calendar sale.csv
    calls.csv: 36 rows of 21600 s from 2026-11-14 00:00, 0 missing
      season    it repeats with a period of day, 2 days (2 days 0.9962, day 1)
      forecast  `naive day` is used: no model loses less on the rows held back (loss 0, models 13, naive_loss 0, origins 6)
      event     `sale` is declared to change it (factor 3, steps 1)

      MODEL                                         LOSS   OF NAIVE
    * naive day                                        0          -
      median of 3 cycles                               0          -
      median of 7 cycles                               0          -
      median of 14 cycles                              0          -
      median of 3 cycles + median of 7 cycles          0          -
      shape at the level of 1 rows                0.0001          -
      mean of cycles                              0.0003          -
      shape at the level of 4 rows                0.0011          -
      median of like days                         0.0028          -
      level of 60 rows                            0.3218          -
      level of 1000 rows                          0.3218          -
      ets                                         0.3218          -
      mstl                                             -          -
    * is used. Losses are those on rows held back of the history.

    FROM                     0.5
    2026-11-23 00:00          60
    2026-11-23 06:00         660
    "#);
}

#[test]
fn bad_data_gets_a_sane_answer_and_its_reason() {
    let text = transcript(&[
        "forecast empty.csv --horizon 2 --quantiles 0.5 --format json",
        "forecast odd.csv --horizon 2 --quantiles 0.5",
        "forecast odd.csv --horizon 4 --backtest",
    ]);
    insta::assert_snapshot!(text, @r#"
    $ foreshard forecast empty.csv --horizon 2 --quantiles 0.5 --format json
    {
      "file": "empty.csv",
      "history": {
        "start_s": 0,
        "step_s": 60,
        "rows": 0,
        "missing": 0
      },
      "forecast": {
        "start_s": 0,
        "step_s": 60,
        "quantiles": {
          "0.5": [
            0.0,
            0.0
          ]
        },
        "model": "none",
        "judged": [],
        "reasons": [
          {
            "subject": "forecast",
            "because": "there is no value: zero is assumed"
          }
        ]
      },
      "came": []
    }
    $ foreshard forecast odd.csv --horizon 2 --quantiles 0.5
    odd.csv: 4 rows of 60 s from row 0, 3 missing
      data      values are no finite numbers and count as missing (count 1)
      data      values are negative and count as missing (count 1)
      data      rows are missing, and are not taken for zero (missing 3, rows 4)
      forecast  the history is too short to hold rows back: the distribution of its values is used (rows 1)

    model: level of all rows

    FROM                     0.5
    row 4                      4
    row 5                      4
    note: 1 lines have no time in their first column and were left out
    $ foreshard forecast odd.csv --horizon 4 --backtest
    note: 1 lines have no time in their first column and were left out
    error: --backtest: 4 steps cannot be held back of 4, or none of them has a value; look less far ahead with --horizon
    [exit code 2]
    "#);
}

#[test]
fn bad_arguments_are_refused_with_what_was_seen() {
    let text = transcript(&[
        "forecast calls.csv --column latency",
        "forecast calls.csv --quantiles 1.5",
        "forecast calls.csv --calendar days.csv",
        "forecast nothing.csv",
        "forecast calls.csv --format dot",
    ]);
    insta::assert_snapshot!(text, @r#"
    $ foreshard forecast calls.csv --column latency
    error: `calls.csv`: there is no column `latency`; there are time, calls, errors
    [exit code 2]
    $ foreshard forecast calls.csv --quantiles 1.5
    error: invalid value '1.5' for '--quantiles <Q,…>': a quantile is a number from 0 to 1

    For more information, try '--help'.
    [exit code 2]
    $ foreshard forecast calls.csv --calendar days.csv
    FS2030

      × line 2: `31-12` is no time (start)
      help: such as 2026-12-24, 2026-12-24T18:00, 2026-12-24T18:00:00Z
    days.csv: 1 problem

    [exit code 2]
    $ foreshard forecast nothing.csv
    error: cannot read `nothing.csv`: No such file or directory (os error 2)
    [exit code 2]
    $ foreshard forecast calls.csv --format dot
    error: --format dot is for plans: a forecast is text, json or svg
    [exit code 2]
    "#);
}

#[test]
fn the_chart_shows_what_was_held_back() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("calls.csv"), calls()).expect("written");
    typed(
        folder.path(),
        "forecast calls.csv --backtest --svg chart.svg",
    );
    let chart = std::fs::read_to_string(folder.path().join("chart.svg")).expect("it is written");
    for class in ["was", "came", "middle", "now"] {
        assert!(
            chart.contains(&format!("<path class=\"{class}\"")),
            "{class}"
        );
    }
    let printed = typed(folder.path(), "forecast calls.csv --backtest --format svg");
    assert!(printed.ends_with(&chart));
}
