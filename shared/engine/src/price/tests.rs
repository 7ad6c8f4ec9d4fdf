//! Prices: the numbers that the documentation quotes.

use foreshard_model::target::Architecture;

use super::*;

#[test]
fn a_shard_costs_about_five_plain_states() {
    let rates = rates("us-east-1", Architecture::Arm64);
    let usd = EACH_SHARD.usd(&rates);
    assert!((1.15e-4..=1.35e-4).contains(&usd), "{usd}");
    assert!((4.6..=5.4).contains(&(usd / rates.transition)));
}

#[test]
fn a_region_without_a_row_says_so() {
    let here = rates("us-east-1", Architecture::Arm64);
    assert!(!here.source.contains("for want"), "{}", here.source);
    let there = rates("mx-central-1", Architecture::X86_64);
    assert_eq!(there.region, "us-east-1");
    assert!(
        there
            .source
            .contains("for want of a row: Lambda, Step Functions")
    );
    let paris = rates("eu-west-3", Architecture::Arm64);
    assert_eq!(paris.transition, 0.000_029_7);
}

#[test]
fn the_interval_widens_with_what_is_unknown() {
    let rates = rates("us-east-1", Architecture::Arm64);
    let known = Counted {
        tasks: 100,
        shards: 10,
        gb_s: 1_000.0,
        plain_gb_s: 1_000.0,
        makespan_ms: 60_000.0,
        ..Counted::default()
    };
    let sure = forecast(&known, &rates);
    let unsure = forecast(
        &Counted {
            unknown: 50,
            ..known
        },
        &rates,
    );
    assert_eq!(sure.total_usd.mid, unsure.total_usd.mid);
    assert!(unsure.total_usd.high > sure.total_usd.high);
    assert!(unsure.makespan_s.low < sure.makespan_s.low);
    let sum: f64 = sure.by_service.values().map(|usd| usd.0).sum();
    assert!((sum - sure.total_usd.mid).abs() < 1e-12);
    assert!(sure.total_usd.low < sure.total_usd.mid && sure.total_usd.mid < sure.total_usd.high);
}
