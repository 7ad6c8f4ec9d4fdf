//! Prices: the numbers that the documentation quotes.

use foreshard_model::target::Architecture;

use super::table::REGIONS;
use super::*;

#[test]
fn a_shard_costs_about_four_plain_states() {
    let rates = rates("us-east-1", Architecture::Arm64);
    let usd = EACH_SHARD.usd(&rates);
    assert!((1.00e-4..=1.20e-4).contains(&usd), "{usd}");
    assert!((4.0..=4.8).contains(&(usd / rates.transition)));
}

#[test]
fn where_prices_are_from_is_said() {
    let said = |region, architecture| rates(region, architecture).source;
    insta::assert_snapshot!([
        said("us-east-1", Architecture::Arm64),
        said("eu-west-1", Architecture::Arm64),
        said("eu-west-3", Architecture::X86_64),
        said("mx-central-1", Architecture::Arm64),
    ].join("\n"), @r"
    prices of us-east-1, arm64; on demand, first tier; not verified: PutMetricData request
    prices of eu-west-1, arm64, and for want of its own those of us-east-1 for PutMetricData request, byte of logs; on demand, first tier; not verified: write request unit, read request unit, PUT, GET, PutMetricData request
    prices of eu-west-3, x86_64, and for want of its own those of us-east-1 for invocation, GB-second of scratch disk above 512 MB, write request unit, read request unit, PUT, GET, PutMetricData request, byte of logs; on demand, first tier; not verified: PutMetricData request
    no price of `mx-central-1` is known: those of us-east-1 are used, arm64; on demand, first tier; not verified: PutMetricData request
    ");
    assert_eq!(
        rates("mx-central-1", Architecture::Arm64).region,
        "us-east-1"
    );
    assert_eq!(
        rates("eu-west-3", Architecture::Arm64).transition,
        0.000_029_7
    );
    for region in REGIONS.map(|(region, _)| region) {
        let rates = rates(region, Architecture::X86_64);
        assert_eq!(rates.unit_prices.len(), 11, "{region}");
        assert!(
            rates.unit_prices.iter().all(|price| price.usd > 0.0),
            "{rates:?}"
        );
    }
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
