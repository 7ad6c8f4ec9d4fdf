//! Decisions on provisioned concurrency: where it pays, how many, when, and what stands against it.

use std::collections::BTreeMap;

use foreshard_model::prewarm::{
    ColdStartWorth, DemandStep, PrewarmAction, PrewarmAlias, PrewarmDecision, PrewarmInput,
    PrewarmMode, WarmState, WarmStatus, Wave,
};
use foreshard_model::target::Architecture;
use foreshard_model::units::{Mib, TimeMs};
use proptest::prelude::*;

use super::{BILLING_MS, Ledger, Tariff, lead_ms, prewarm, review};

const NOW: TimeMs = TimeMs(1_700_000_000_000);
const MINUTE: u64 = 60_000;

fn after(minutes: u64) -> TimeMs {
    NOW.plus(minutes * MINUTE)
}

/// Half an hour of minutes with the same quantiles.
fn alias(region: &str, quantiles: &[(f64, f64)]) -> PrewarmAlias {
    let step = |minute| DemandStep {
        from: after(minute),
        quantiles: quantiles.to_vec(),
    };
    PrewarmAlias {
        target: "execute-1769:live".into(),
        region: region.to_owned(),
        architecture: Architecture::X86_64,
        memory: Mib(1769),
        forecast: (0..30).map(step).collect(),
        cold_start_ms: 200.0,
        turnover: 0.2,
        busy: 1.0,
        ..PrewarmAlias::default()
    }
}

fn input(aliases: Vec<PrewarmAlias>) -> PrewarmInput {
    PrewarmInput {
        now: NOW,
        next: after(5),
        mode: PrewarmMode::Act,
        aliases,
        quotas: ["us-east-1", "eu-central-1"]
            .map(|r| (r.to_owned(), 1_000))
            .into(),
        calls_max: 15,
    }
}

fn one(alias: PrewarmAlias) -> PrewarmDecision {
    prewarm(&input(vec![alias])).remove(0)
}

fn with_state(
    alias: PrewarmAlias,
    provisioned: u32,
    status: WarmStatus,
    since: TimeMs,
) -> PrewarmAlias {
    PrewarmAlias {
        state: WarmState {
            provisioned,
            status,
            since: Some(since),
            warm_on_demand: 0,
        },
        ..alias
    }
}

const STEADY: [(f64, f64); 3] = [(0.1, 40.0), (0.5, 50.0), (0.9, 60.0)];

#[test]
fn steady_demand_pays_where_break_even_is_below_its_use() {
    let cheap = one(alias("us-east-1", &STEADY));
    assert!((40..60).contains(&cheap.environments), "{cheap:?}");
    assert!(cheap.expected.saving_usd.0 > 0.0);
    assert!(
        (cheap.break_even - 0.6).abs() < 0.001,
        "{}",
        cheap.break_even
    );
    assert_eq!(cheap.ready_at, NOW.plus(lead_ms(cheap.environments)));
    let dear = one(alias("eu-central-1", &STEADY));
    assert_eq!(dear.environments, 0, "above 1 it never pays: {dear:?}");
    assert!(dear.break_even > 1.0);
    assert!(dear.reasons[0].starts_with("none:"), "{:?}", dear.reasons);
}

#[test]
fn the_most_at_once_pay_as_far_as_they_are_busy_and_waves_are_throughout() {
    let with = |forecast_busy, waves| {
        one(PrewarmAlias {
            forecast_busy,
            waves,
            ..alias("us-east-1", &STEADY)
        })
    };
    let all = one(alias("us-east-1", &STEADY));
    assert_eq!(with(Some(1.0), Vec::new()), all);
    assert!(with(Some(0.9), Vec::new()).environments > 30);
    assert_eq!(with(Some(0.5), Vec::new()).environments, 0);
    let wave = Wave {
        from: NOW,
        until: after(120),
        environments: 300,
    };
    let besides = with(Some(0.5), vec![wave]).environments;
    assert!(besides >= 300, "{besides}");
}

#[test]
fn seldom_used_environments_are_not_provisioned_unless_a_cold_start_has_its_price() {
    let bursts = [(0.5, 0.0), (0.9, 10.0), (0.99, 50.0)];
    let idle = alias("us-east-1", &bursts);
    assert_eq!(one(idle.clone()).environments, 0);
    let priced = PrewarmAlias {
        worth: ColdStartWorth::Usd { each: 0.05 },
        ..idle.clone()
    };
    let some = one(priced);
    assert!(some.environments > 5, "{some:?}");
    let promised = PrewarmAlias {
        worth: ColdStartWorth::Slo { share: 0.01 },
        ..idle
    };
    let kept = one(promised);
    assert_eq!(kept.environments, 50, "{kept:?}");
    assert!(
        kept.expected.saving_usd.0 < 0.0,
        "what the promise costs is told"
    );
    assert!((kept.covers - 0.99).abs() < 0.02, "{}", kept.covers);
}

#[test]
fn the_more_a_cold_start_costs_the_more_is_covered() {
    let each = [0.0, 0.001, 0.01, 0.1, 1.0];
    let found = each.map(|each| {
        let spread = [
            (0.05, 0.0),
            (0.25, 10.0),
            (0.5, 20.0),
            (0.75, 40.0),
            (0.95, 100.0),
        ];
        one(PrewarmAlias {
            worth: ColdStartWorth::Usd { each },
            ..alias("eu-central-1", &spread)
        })
        .environments
    });
    assert!(found.is_sorted(), "{found:?}");
    assert_eq!((found[0], found[4]), (0, 100));
}

#[test]
fn a_wave_of_an_admitted_plan_is_met_in_time_and_only_then() {
    let wave = |minute| PrewarmAlias {
        forecast: Vec::new(),
        waves: vec![Wave {
            from: after(minute),
            until: after(minute + 10),
            environments: 300,
        }],
        worth: ColdStartWorth::Usd { each: 0.01 },
        ..alias("us-east-1", &[])
    };
    assert_eq!(
        one(wave(20)).environments,
        0,
        "the next decision is early enough"
    );
    let due = one(wave(6));
    assert_eq!(due.environments, 300, "{due:?}");
    assert!(
        due.ready_at <= after(6),
        "none is usable before all are there"
    );
    assert!((due.expected.cold_starts_avoided - 300.0).abs() < 1e-6);
    assert_eq!(
        one(wave(0)).expected.cold_starts_avoided,
        0.0,
        "too late for its start"
    );
}

#[test]
fn quotas_reservations_and_calls_are_kept() {
    let many = |target: &str, region: &str| PrewarmAlias {
        target: target.into(),
        worth: ColdStartWorth::Slo { share: 0.05 },
        ..alias(region, &[(0.5, 700.0), (0.95, 700.0)])
    };
    let mut all = input(vec![
        many("a:live", "us-east-1"),
        many("b:live", "us-east-1"),
    ]);
    let found = prewarm(&all);
    assert_eq!(
        found[0].environments + found[1].environments,
        900,
        "100 stay free"
    );
    let cut = found
        .iter()
        .filter(|d| d.reasons.iter().any(|r| r.contains("must stay free")));
    assert_eq!(cut.count(), 1);
    all.calls_max = 1;
    let acts = prewarm(&all)
        .iter()
        .filter(|d| d.action != PrewarmAction::Keep)
        .count();
    assert_eq!(acts, 1);
    all.mode = PrewarmMode::ForecastOnly;
    let told = prewarm(&all);
    assert!(
        told.iter()
            .all(|d| d.action == PrewarmAction::Keep && d.would != d.action)
    );
    let reserved = one(PrewarmAlias {
        reserved: Some(30),
        ..many("a:live", "us-east-1")
    });
    assert_eq!(reserved.environments, 30);
}

#[test]
fn what_is_there_is_kept_until_it_is_paid_off_and_then_released() {
    let little = alias("us-east-1", &[(0.5, 0.0), (0.9, 0.0), (1.0, 50.0)]);
    let paid = one(with_state(little.clone(), 40, WarmStatus::Ready, NOW));
    assert_eq!((paid.environments, paid.action), (40, PrewarmAction::Keep));
    let over = one(with_state(
        little,
        40,
        WarmStatus::Ready,
        TimeMs(NOW.0 - BILLING_MS),
    ));
    assert_eq!((over.environments, over.action), (0, PrewarmAction::Delete));
}

#[test]
fn small_changes_are_left_alone_and_large_ones_are_made() {
    let before = TimeMs(NOW.0 - 4 * BILLING_MS);
    let wants = one(alias("us-east-1", &STEADY)).environments;
    let near = with_state(
        alias("us-east-1", &STEADY),
        wants - 1,
        WarmStatus::Ready,
        before,
    );
    assert_eq!(one(near).action, PrewarmAction::Keep);
    let far = with_state(alias("us-east-1", &STEADY), 5, WarmStatus::Ready, before);
    assert!(matches!(one(far).action, PrewarmAction::Put { environments } if environments > 30));
    let under_way = with_state(
        alias("us-east-1", &STEADY),
        wants - 2,
        WarmStatus::InProgress,
        NOW,
    );
    assert_eq!(
        one(under_way).action,
        PrewarmAction::Keep,
        "a new request starts over"
    );
    let failed = one(with_state(
        alias("us-east-1", &STEADY),
        40,
        WarmStatus::Failed,
        before,
    ));
    assert_eq!(failed.action, PrewarmAction::Put { environments: 20 });
}

#[test]
fn what_was_asked_for_a_wave_is_kept_while_it_comes_and_through_the_wave() {
    let wave = Wave {
        from: after(3),
        until: after(10),
        environments: 8,
    };
    let decided = |minute: u64, provisioned: u32, status: WarmStatus| {
        let load = PrewarmAlias {
            waves: [wave]
                .into_iter()
                .filter(|w| w.until > after(minute))
                .collect(),
            worth: ColdStartWorth::Usd { each: 1.0 },
            ..alias("us-east-1", &[])
        };
        let load = PrewarmAlias {
            forecast: Vec::new(),
            ..with_state(load, provisioned, status, NOW)
        };
        let input = PrewarmInput {
            now: after(minute),
            next: after(minute + 1),
            ..input(vec![load])
        };
        prewarm(&input).remove(0).action
    };
    let put = PrewarmAction::Put { environments: 8 };
    assert_eq!(decided(0, 0, WarmStatus::None), put);
    assert_eq!(
        decided(2, 0, WarmStatus::None),
        PrewarmAction::Keep,
        "it is too late"
    );
    for (minute, status) in [
        (1, WarmStatus::InProgress),
        (2, WarmStatus::InProgress),
        (3, WarmStatus::Ready),
        (6, WarmStatus::Ready),
        (9, WarmStatus::Ready),
    ] {
        let action = decided(minute, 8, status);
        assert_eq!(action, PrewarmAction::Keep, "{minute} minutes later");
    }
    assert_eq!(decided(11, 8, WarmStatus::Ready), PrewarmAction::Delete);
}

#[test]
fn what_is_warm_anyway_is_not_paid_for() {
    let soon_over = |alias: PrewarmAlias| PrewarmAlias {
        forecast: alias.forecast[..5].to_vec(),
        ..alias
    };
    let priced = soon_over(PrewarmAlias {
        worth: ColdStartWorth::Usd { each: 0.01 },
        ..alias("eu-central-1", &[(0.1, 10.0), (0.9, 20.0)])
    });
    assert!(one(priced.clone()).environments > 0);
    let warm = PrewarmAlias {
        state: WarmState {
            warm_on_demand: 20,
            ..WarmState::default()
        },
        ..priced
    };
    assert_eq!(one(warm).environments, 0);
}

#[test]
fn what_would_have_been_saved_is_told_afterwards() {
    let priced = PrewarmAlias {
        worth: ColdStartWorth::Usd { each: 0.01 },
        turnover: 1.0,
        ..alias("us-east-1", &[(0.5, 0.0)])
    };
    let happened: Vec<(TimeMs, f64)> = (0..5).map(|at| (after(at), 30.0)).collect();
    let bill = review(&priced, 20, NOW, after(5), &happened);
    assert!((bill.cold_starts_avoided - 100.0).abs() < 1e-9, "{bill:?}");
    let idle = 20.0 * 300.0 * 1769.0 / 1024.0 * Tariff::of(&priced).idle;
    assert!(bill.idle_usd.0 >= idle, "{bill:?}");
    let nothing = review(&priced, 20, NOW, after(5), &[]);
    assert!(nothing.saving_usd.0 < 0.0, "{nothing:?}");
}

#[test]
fn bad_forecasts_have_sane_answers_with_their_reasons() {
    let check = |quantiles: &[(f64, f64)], says: &str| {
        let found = one(PrewarmAlias {
            worth: ColdStartWorth::Slo { share: 0.1 },
            ..alias("us-east-1", quantiles)
        });
        assert!(
            found.reasons.iter().any(|r| r.contains(says)),
            "{:?}",
            found.reasons
        );
        found.environments
    };
    assert_eq!(check(&[], "none"), 0);
    assert_eq!(check(&[(0.5, f64::NAN), (0.9, 7.0)], "no number"), 7);
    assert_eq!(check(&[(0.5, -3.0), (0.9, 7.0)], "below nothing"), 7);
    assert_eq!(check(&[(0.5, 9.0), (0.9, 7.0)], "raised"), 9);
    assert_eq!(one(PrewarmAlias::default()).environments, 0);
    let backwards = PrewarmInput {
        next: TimeMs(0),
        ..input(vec![alias("us-east-1", &STEADY)])
    };
    assert!(
        prewarm(&backwards)[0].environments > 0,
        "a clock that jumps back"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_environment_that_is_asked_for_pays_and_none_that_would_is_left_out(
        mut demand in prop::collection::vec(0.0..200.0_f64, 3),
        each in prop_oneof![Just(0.0), 0.0..0.05],
        turnover in 0.0..1.0_f64,
        warm in 0_u32..50,
    ) {
        demand.sort_by(f64::total_cmp);
        let quantiles: Vec<(f64, f64)> = [0.1, 0.5, 0.9].into_iter().zip(demand).collect();
        let alias = PrewarmAlias {
            worth: ColdStartWorth::Usd { each },
            turnover,
            state: WarmState { warm_on_demand: warm, ..WarmState::default() },
            ..alias("us-east-1", &quantiles)
        };
        let found = one(alias.clone());
        let clock = super::settle::clock(&alias, NOW, 5 * MINUTE);
        let seen = super::settle::seen(&alias, clock);
        let ledger = Ledger::new(&alias, &seen.segments, clock);
        let asked = found.environments;
        prop_assert!((1..=asked).all(|k| ledger.pays(k)), "one of {asked} does not pay");
        prop_assert!(!(asked + 1..=200).any(|k| ledger.pays(k)), "one beyond {asked} would pay");
        // What waits for the next decision, or is not worth a call, is a small part.
        let saving = |n: u32| ledger.expected(n, ledger.held_until(n)).saving_usd.0;
        let (best, saved) = ((0..=200).map(saving).fold(0.0, f64::max), found.expected.saving_usd.0);
        prop_assert!(saved >= 0.0, "none is never worse");
        prop_assert!(saved >= 0.8 * best, "{saved} of {best} with {asked}");
    }

    #[test]
    fn whatever_comes_limits_are_kept(
        numbers in prop::collection::vec((-1.0..2.0_f64, prop_oneof![Just(f64::NAN), Just(f64::INFINITY), -10.0..1e7]), 0..6),
        provisioned in 0_u32..2_000,
        wave in 0_u32..u32::MAX,
        quota in 0_u32..3_000,
        share in prop_oneof![Just(f64::NAN), -1.0..2.0],
        since in prop_oneof![Just(0), Just(u64::MAX), Just(NOW.0)],
    ) {
        let bad = PrewarmAlias {
            waves: vec![Wave { from: after(3), until: after(1), environments: wave }, Wave { from: NOW, until: after(60), environments: wave }],
            worth: ColdStartWorth::Slo { share },
            turnover: f64::NAN,
            ..with_state(alias("us-east-1", &numbers), provisioned, WarmStatus::Ready, TimeMs(since))
        };
        let quotas: BTreeMap<String, u32> = [("us-east-1".to_owned(), quota)].into();
        let decisions = prewarm(&PrewarmInput { quotas, ..input(vec![bad.clone(), bad]) });
        let all: u32 = decisions.iter().map(|d| d.environments).sum();
        prop_assert!(all <= quota.saturating_sub(100));
        prop_assert!(decisions.iter().all(|d| !d.reasons.is_empty() && d.expected.saving_usd.0.is_finite()));
    }
}
