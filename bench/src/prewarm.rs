//! `bench prewarm`: recorded and scheduled load, minute by minute, against none, a fixed number, target tracking and our decisions.

use foreshard_engine::prewarm::prewarm as decide;
use foreshard_model::prewarm::{
    ColdStartWorth, DemandStep, PrewarmAction, PrewarmAlias, PrewarmInput, PrewarmMode, Wave,
};
use foreshard_model::target::Architecture;
use foreshard_model::units::{Mib, TimeMs};
use serde::Serialize;

use crate::BenchError;
use crate::arguments::PrewarmArguments;
use crate::replay::{MINUTE_MS, Replay};
use crate::series::{read, rows};

/// Minutes of a day.
const DAY: usize = 1_440;

/// Days that the forecast looks back: the same minute of each.
const DAYS_BACK: usize = 14;

/// Minutes that it looks ahead.
const AHEAD: usize = 120;

/// Quantiles of the forecast: every second of the days that it looks back.
const QUANTILES: [f64; 7] = [0.07, 0.21, 0.36, 0.5, 0.64, 0.79, 0.93];

/// Minutes around a moment whose median is what is always there.
const AROUND: usize = 30;

/// Target tracking as AWS does it: above the target for three minutes, or 10 % below it for fifteen.
const TRACKED: (f64, usize, usize) = (0.7, 3, 15);

/// The figures of one load at one price of a cold start.
#[derive(Debug, Serialize)]
pub struct Figures {
    load: String,
    worth_usd: f64,
    cold_starts_none: f64,
    avoided: f64,
    idle_usd: f64,
    idle_by_fixed: Option<f64>,
    total_by_none: f64,
    calls: u32,
    tracking_avoided: f64,
    tracking_idle_usd: f64,
    tracking_total_by_none: f64,
}

/// Load by minute, with what is known of it beforehand.
struct Load {
    name: String,
    minutes: Vec<f64>,
    /// First minute that counts.
    from: usize,
    waves: Vec<Wave>,
}

/// Replays every load at every price.
pub fn prewarm(arguments: &PrewarmArguments) -> Result<Vec<Figures>, BenchError> {
    let mut loads = vec![scheduled(arguments.days)];
    for path in &arguments.series {
        let rows = rows(&read(path)?);
        let minutes: Vec<f64> = rows
            .iter()
            .map(|row| row.value.unwrap_or(0.0).max(0.0))
            .collect();
        let whole = minutes.len() / DAY * DAY;
        let from = whole.saturating_sub(arguments.days * DAY);
        if from < DAYS_BACK * DAY {
            return Err(BenchError::content(
                path,
                "less than two weeks before the days that count",
            ));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.split('.').next().unwrap_or_default().to_owned();
        let minutes = minutes[..whole].to_vec();
        loads.push(Load {
            name: format!("{name}, what recurs above the usual"),
            minutes: peaks(&minutes),
            from,
            waves: Vec::new(),
        });
        loads.push(Load {
            name,
            minutes,
            from,
            waves: Vec::new(),
        });
    }
    let mut all = Vec::new();
    for load in &loads {
        all.extend(
            arguments
                .worth_usd
                .iter()
                .map(|&worth| figures(load, worth, arguments)),
        );
    }
    Ok(all)
}

/// Three schedules: each hour 40 environments for 3 minutes, each night 400 for half an hour, each morning 150 for an hour.
fn scheduled(days: usize) -> Load {
    let mut minutes = vec![0.0; days * DAY];
    let mut waves = Vec::new();
    let mut wave = |from: usize, long: usize, environments: u32| {
        for minute in minutes.iter_mut().skip(from).take(long) {
            *minute += f64::from(environments);
        }
        waves.push(Wave {
            from: moment(from),
            until: moment(from + long),
            environments,
        });
    };
    for day in 0..days {
        (0..24).for_each(|hour| wave(day * DAY + hour * 60 + 10, 3, 40));
        wave(day * DAY + 120, 30, 400);
        wave(day * DAY + 540, 60, 150);
    }
    Load {
        name: "schedules".to_owned(),
        minutes,
        from: 0,
        waves,
    }
}

/// What is above the median of the hour around.
fn peaks(minutes: &[f64]) -> Vec<f64> {
    let around = |at: usize| {
        let until = (at + AROUND + 1).min(minutes.len());
        let mut near = minutes[at.saturating_sub(AROUND)..until].to_vec();
        near.sort_by(f64::total_cmp);
        near[near.len() / 2]
    };
    (0..minutes.len())
        .map(|at| (minutes[at] - around(at)).max(0.0))
        .collect()
}

fn moment(minute: usize) -> TimeMs {
    TimeMs(1_700_000_000_000).plus(minute as u64 * MINUTE_MS)
}

fn figures(load: &Load, worth_usd: f64, arguments: &PrewarmArguments) -> Figures {
    let alias = PrewarmAlias {
        target: "execute-1769:live".into(),
        region: arguments.region.clone(),
        architecture: Architecture::Arm64,
        memory: Mib(1769),
        cold_start_ms: arguments.cold_start_ms,
        worth: ColdStartWorth::Usd { each: worth_usd },
        turnover: 1.0,
        busy: (arguments.busy_s / 60.0).clamp(0.0, 1.0),
        ..PrewarmAlias::default()
    };
    let replayed = |act: &mut dyn FnMut(&mut Replay, usize)| {
        let mut replay = Replay::new(&alias);
        for minute in load.from..load.minutes.len() {
            act(&mut replay, minute);
            replay.minute(moment(minute), load.minutes[minute], arguments.busy_s);
        }
        replay.end(moment(load.minutes.len()))
    };
    let none = replayed(&mut |_, _| {});
    let ours = replayed(&mut |replay, minute| {
        if (minute - load.from).is_multiple_of(arguments.interval_min.max(1)) {
            act(replay, minute, load, &alias, arguments);
        }
    });
    let tracking = replayed(&mut |replay, minute| track(replay, minute, load));
    let starts = none.bill.starts.max(1.0);
    let avoided = |replay: &Replay| 1.0 - replay.bill.cold / starts;
    let fixed = fixed(load, ours.bill.starts - ours.bill.cold);
    let fixed_minutes = fixed * (load.minutes.len() - load.from) as f64;
    let rounded = |value: f64| (value * 1e4).round() / 1e4;
    let by_none =
        |replay: &Replay| rounded(replay.total_usd(worth_usd) / none.total_usd(worth_usd));
    Figures {
        load: load.name.clone(),
        worth_usd,
        cold_starts_none: none.bill.cold.round(),
        avoided: rounded(avoided(&ours)),
        idle_usd: rounded(ours.idle_usd()),
        idle_by_fixed: (fixed_minutes > 0.0).then(|| rounded(ours.bill.minutes / fixed_minutes)),
        total_by_none: by_none(&ours),
        calls: ours.bill.calls,
        tracking_avoided: rounded(avoided(&tracking)),
        tracking_idle_usd: rounded(tracking.idle_usd()),
        tracking_total_by_none: by_none(&tracking),
    }
}

/// One decision of ours, carried out.
fn act(
    replay: &mut Replay,
    minute: usize,
    load: &Load,
    alias: &PrewarmAlias,
    arguments: &PrewarmArguments,
) {
    let now = moment(minute);
    let alias = PrewarmAlias {
        forecast: if load.waves.is_empty() {
            forecast(&load.minutes, minute)
        } else {
            Vec::new()
        },
        waves: load.waves.clone(),
        state: replay.state(now),
        ..alias.clone()
    };
    let input = PrewarmInput {
        now,
        next: moment(minute + arguments.interval_min.max(1)),
        mode: PrewarmMode::Act,
        aliases: vec![alias],
        calls_max: 15,
        ..PrewarmInput::default()
    };
    for decision in decide(&input) {
        match decision.action {
            PrewarmAction::Keep => {}
            PrewarmAction::Put { environments } => replay.put(now, environments),
            PrewarmAction::Delete => replay.put(now, 0),
        }
    }
}

/// Quantiles of the same minute in the two weeks before: it sees no minute from `now` on.
fn forecast(minutes: &[f64], now: usize) -> Vec<DemandStep> {
    let until = (now + AHEAD).min(minutes.len());
    let step = |minute: usize| {
        let mut before: Vec<f64> = (1..=DAYS_BACK)
            .map(|day| minutes[minute - day * DAY])
            .collect();
        before.sort_by(f64::total_cmp);
        let at = |(index, q): (usize, &f64)| (*q, before[2 * index]);
        DemandStep {
            from: moment(minute),
            quantiles: QUANTILES.iter().enumerate().map(at).collect(),
        }
    };
    (now..until).map(step).collect()
}

/// Target tracking: it sees the minutes before, and never lets go of the last environment.
fn track(replay: &mut Replay, minute: usize, load: &Load) {
    let (target, out_after, in_after) = TRACKED;
    let now = moment(minute);
    let present = replay.state(now).provisioned;
    if present == 0 {
        replay.put(now, 1);
        return;
    }
    let used = |minutes: usize| {
        let from = minute.saturating_sub(minutes).max(load.from);
        (minute - from == minutes).then(|| &load.minutes[from..minute])
    };
    let share = |value: &f64| value.min(f64::from(present)) / f64::from(present);
    let above = used(out_after).is_some_and(|used| used.iter().all(|v| share(v) > target));
    let below = used(in_after).is_some_and(|used| used.iter().all(|v| share(v) < 0.9 * target));
    if above || below {
        let lately = if above { out_after } else { in_after };
        let most = used(lately)
            .unwrap_or_default()
            .iter()
            .copied()
            .fold(0.0, f64::max);
        let most = if above {
            most.min(f64::from(present))
        } else {
            most
        };
        replay.put(now, (most / target).ceil().max(1.0) as u32);
    }
}

/// The smallest fixed number that avoids as many cold starts, unrounded.
fn fixed(load: &Load, avoided: f64) -> f64 {
    let minutes = &load.minutes[load.from..];
    let (mut low, mut high) = (0.0, minutes.iter().copied().fold(0.0, f64::max));
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        let met: f64 = minutes.iter().map(|value| value.min(middle)).sum();
        if met >= avoided - 1e-6 {
            high = middle;
        } else {
            low = middle;
        }
    }
    if avoided > 0.0 { high } else { 0.0 }
}
