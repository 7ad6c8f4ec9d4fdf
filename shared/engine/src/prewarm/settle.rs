//! Settles what one alias should have and what follows from what it has and what is under way.

use foreshard_model::prewarm::{
    ColdStartWorth, PrewarmAction, PrewarmAlias, PrewarmDecision, WarmStatus,
};
use foreshard_model::units::TimeMs;

use super::choose::{Clock, Ledger};
use super::demand::{Window, window};
use super::{BILLING_MS, HORIZON_MS, lead_ms};

/// While an allocation is under way it is only raised for this many times as much: a new request starts over.
const RESTART_FROM: f64 = 1.25;

/// A change by less than this share of what is there is none: forecasts of neighbouring minutes differ by so much, and calls are
/// few.
const SMALL_CHANGE: f64 = 0.05;

/// Environments that the lead is calculated for at most: ten minutes of allocation.
const LEAD_FOR_MAX: u32 = 60_000;

/// Decides for one alias alone; quotas and calls come after.
pub(super) fn decide(alias: &PrewarmAlias, now: TimeMs, interval_ms: u64) -> PrewarmDecision {
    let clock = clock(alias, now, interval_ms);
    let seen = seen(alias, clock);
    let ledger = Ledger::new(alias, &seen.segments, clock);
    let mended = seen.mended.iter().map(|&text| text.to_owned());
    let mut reasons: Vec<String> = alias.forecast_note.iter().cloned().chain(mended).collect();
    let ceiling = alias.reserved.unwrap_or(u32::MAX);
    let most = ceiling.min(ledger.most());
    if most < ledger.most() {
        reasons.push(format!(
            "the function's reserved concurrency of {most} is less than the {} that may be wanted",
            ledger.most()
        ));
    }
    let cheapest = ledger.cheapest(most);
    let promised = ledger.promised().min(most);
    reasons.push(because(&ledger, cheapest, promised));
    let wanted = cheapest.max(promised);
    let environments = under_way(&ledger, wanted, &mut reasons).min(ceiling);
    let environments = steady(&ledger, environments, promised, &mut reasons).min(ceiling);
    decided(&ledger, environments, reasons)
}

pub(super) fn clock(alias: &PrewarmAlias, now: TimeMs, interval_ms: u64) -> Clock {
    let most = alias.forecast.iter().flat_map(|step| &step.quantiles);
    let most = most.map(|&(_, n)| n).filter(|n| n.is_finite());
    let waves = alias.waves.iter().map(|wave| wave.environments);
    let waves = waves.fold(0, u32::saturating_add);
    let most = (most.fold(0.0, f64::max) as u32).saturating_add(waves);
    let most = most.min(alias.reserved.unwrap_or(most)).min(LEAD_FOR_MAX);
    Clock {
        now,
        next: now.plus(interval_ms),
        lead_ms: lead_ms(most),
        end: now.plus(HORIZON_MS.max(2 * interval_ms)),
    }
}

/// Demand until the horizon, cut wherever something may begin or end.
pub(super) fn seen(alias: &PrewarmAlias, clock: Clock) -> Window {
    let mut cuts = vec![clock.now, clock.next, clock.end];
    for put in [clock.now, clock.next] {
        cuts.push(put.plus(clock.lead_ms));
        let blocks = (0..=clock.end.since(put) / BILLING_MS).map(|at| put.plus(at * BILLING_MS));
        cuts.extend(blocks);
    }
    let since = alias.state.since.filter(|&since| since <= clock.now);
    // What is under way is usable from then on.
    cuts.extend(since.map(|since| since.plus(lead_ms(alias.state.provisioned))));
    if let Some(since) = since {
        let paid = clock.now.since(since).div_ceil(BILLING_MS);
        let until = clock.end.since(since) / BILLING_MS;
        cuts.extend((paid..=until).map(|at| since.plus(at * BILLING_MS)));
    }
    cuts.retain(|cut| (clock.now..=clock.end).contains(cut));
    window(alias, &cuts)
}

/// The decision as it is handed on.
pub(super) fn decided(
    ledger: &Ledger<'_>,
    environments: u32,
    reasons: Vec<String>,
) -> PrewarmDecision {
    let state = &ledger.alias.state;
    let there = matches!(state.status, WarmStatus::Ready | WarmStatus::InProgress);
    let would = match environments {
        0 if state.provisioned > 0 => PrewarmAction::Delete,
        n if n > 0 && !(there && n == state.provisioned) => PrewarmAction::Put { environments: n },
        _ => PrewarmAction::Keep,
    };
    let until = ledger.held_until(environments);
    PrewarmDecision {
        target: ledger.alias.target.clone(),
        environments,
        action: would,
        would,
        ready_at: ledger.ready_at(environments),
        until,
        covers: ledger.covers(environments, until),
        break_even: ledger.tariff.break_even(),
        expected: ledger.expected(environments, until),
        reasons,
    }
}

fn because(ledger: &Ledger<'_>, cheapest: u32, promised: u32) -> String {
    if ledger.segments.is_empty() {
        return "none: nothing is known of the demand".to_owned();
    }
    let prices = format!(
        "break-even at a utilisation of {:.2}{}",
        ledger.tariff.break_even(),
        if ledger.tariff.known {
            ""
        } else {
            ", prices assumed"
        }
    );
    if let ColdStartWorth::Slo { share } = ledger.alias.worth
        && promised > cheapest
    {
        return format!(
            "{promised} keep the promise that demand is above them in at most {share} of the steps; {cheapest} would be \
             cheapest; {prices}"
        );
    }
    let n = cheapest.max(1);
    let at = ledger.expected(n, ledger.held_until(n));
    let sums = format!(
        "{:.6} USD idle against {:.6} of cheaper time and {:.1} cold starts worth {:.6}",
        at.idle_usd.0, at.cheaper_usd.0, at.cold_starts_avoided, at.avoided_usd.0
    );
    match cheapest {
        0 => format!("none: even one would be {sums}, or is early enough later; {prices}"),
        n => format!("{n}: {sums}; {prices}"),
    }
}

/// The wanted number, or what an allocation that is under way or has failed makes of it.
fn under_way(ledger: &Ledger<'_>, wanted: u32, reasons: &mut Vec<String>) -> u32 {
    let present = ledger.alias.state.provisioned;
    match ledger.alias.state.status {
        WarmStatus::Failed if wanted > present / 2 => {
            reasons.push(format!(
                "Lambda could not allocate {present}: at most half of it is asked for"
            ));
            present / 2
        }
        WarmStatus::InProgress
            if wanted > 0 && f64::from(wanted) <= f64::from(present) * RESTART_FROM =>
        {
            reasons.push(format!("{present} are being allocated: left alone"));
            present
        }
        _ => wanted,
    }
}

/// What is there already, where the wanted number hardly differs from it.
fn steady(ledger: &Ledger<'_>, wanted: u32, promised: u32, reasons: &mut Vec<String>) -> u32 {
    let present = ledger.present();
    let little = f64::from(wanted.abs_diff(present)) <= SMALL_CHANGE * f64::from(present);
    if wanted == present || wanted == 0 || present < promised || !little {
        return wanted;
    }
    reasons.push(format!(
        "{wanted} instead of {present} is too small a change"
    ));
    present
}
