//! Inputs from outside as columns: events of the calendar, and feeds as tables of time and value.

use std::collections::BTreeMap;

use crate::calendar::Calendar;

use super::ground::Column;
use super::numbers::{mean, median};
use super::series::Series;

/// Most inputs of a forecast: each is a coefficient to learn.
const COLUMNS_MAX: usize = 8;

/// A quantity that may say something about the series: orders, a price, the temperature.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Feed {
    /// Its name, as reasons tell it.
    pub name: String,
    /// Seconds since 1970, and the value from then on; in any order.
    pub rows: Vec<(i64, f64)>,
}

/// A column for each event that the history or the horizon meets, and for each feed.
pub fn columns(series: &Series, steps: usize, calendar: &Calendar, feeds: &[Feed]) -> Vec<Column> {
    let step = i64::from(series.step_s);
    let end_s = series.start_s + step * steps as i64;
    let mut events: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for event in calendar.between(series.start_s, end_s) {
        if event.declares() {
            continue;
        }
        let column = events
            .entry(event.name.clone())
            .or_insert_with(|| vec![0.0; steps]);
        let first = (event.start_s - series.start_s).max(0) / step;
        let last = (event.end_s - series.start_s + step - 1) / step;
        for at in first..last.min(steps as i64) {
            column[at as usize] = 1.0;
        }
    }
    let of_event = |(name, values)| Column {
        name,
        values,
        known_ahead: true,
    };
    // What never happened in the history has no effect that could be learnt.
    let met = |column: &Column| column.values[..series.values.len()].contains(&1.0);
    let events = events.into_iter().map(of_event).filter(met);
    let feeds = feeds.iter().filter_map(|feed| read(feed, series, steps));
    events.chain(feeds).take(COLUMNS_MAX).collect()
}

/// A feed at every step: the value last given before its end, on a scale of its own spread.
fn read(feed: &Feed, series: &Series, steps: usize) -> Option<Column> {
    let step = i64::from(series.step_s);
    let mut rows: Vec<(i64, f64)> = feed.rows.clone();
    rows.retain(|(_, value)| value.is_finite());
    rows.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let last = rows.last()?.0;
    let origin_s = series.end_s();
    let known = rows.iter().take_while(|(at, _)| *at < origin_s);
    let mut known: Vec<f64> = known.map(|(_, value)| *value).collect();
    let middle = median(&mut known)?;
    let spread = mean(known.iter().map(|v| (v - middle).abs()))?;
    if spread <= 0.0 {
        return None;
    }
    let mut values = Vec::with_capacity(steps);
    let mut at = 0;
    let mut current = 0.0;
    for index in 0..steps as i64 {
        let until = series.start_s + step * (index + 1);
        while at < rows.len() && rows[at].0 < until {
            current = ((rows[at].1 - middle) / spread).clamp(-5.0, 5.0);
            at += 1;
        }
        values.push(current);
    }
    let horizon_end = series.start_s + step * (steps as i64 - 1);
    Some(Column {
        name: feed.name.clone(),
        values,
        known_ahead: last >= horizon_end,
    })
}
