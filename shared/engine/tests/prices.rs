//! The price list beside the one that is kept with the recorded data.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test reads what lies beside the checkout, says when there is nothing, and fails when it cannot go on"
)]

use std::path::Path;

use foreshard_engine::price::{Rates, rates};
use foreshard_model::target::Architecture;
use serde_json::Value;

/// The price list beside the checkout; `None`, and a line that says so, where it is not required.
fn recorded() -> Option<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/design/prices.json");
    let required = std::env::var("FORESHARD_SHARED").is_ok_and(|how| how == "required");
    match std::fs::read(&file) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(error) if required => panic!("`{}` is required: {error}", file.display()),
        Err(_) => {
            println!("SKIPPED: recorded prices: there is no `{}`", file.display());
            None
        }
    }
}

fn number(list: &Value, pointer: &str) -> f64 {
    let value = list.pointer(pointer).and_then(Value::as_f64);
    value.unwrap_or_else(|| panic!("there is no number at {pointer}"))
}

#[track_caller]
fn same(ours: f64, theirs: f64) {
    assert!((ours / theirs - 1.0).abs() < 1e-9, "{ours} is not {theirs}");
}

/// Whether the region's own price is known for a unit.
fn own(rates: &Rates, unit: &str, region: &str) -> bool {
    let mut all = rates.unit_prices.iter();
    all.find(|price| price.unit == unit).unwrap().region == region
}

#[test]
fn every_price_of_the_largest_region_is_the_recorded_one() {
    let Some(list) = recorded() else { return };
    let at = |pointer: &str| number(&list, &format!("/us-east-1{pointer}"));
    let arm64 = rates("us-east-1", Architecture::Arm64);
    let x86_64 = rates("us-east-1", Architecture::X86_64);
    same(arm64.gb_s, at("/lambda/arm64/duration_gb_s_tiers/0/v"));
    same(x86_64.gb_s, at("/lambda/x86_64/duration_gb_s_tiers/0/v"));
    same(arm64.invocation * 1e6, at("/lambda/request_per_million/v"));
    same(
        arm64.disk_gb_s,
        at("/lambda/ephemeral_storage_gb_s_above_512mb/v"),
    );
    same(
        arm64.transition,
        at("/step_functions/standard_transition/v"),
    );
    same(
        arm64.write_unit * 1e6,
        at("/dynamodb_on_demand/wru_per_million/v"),
    );
    same(
        arm64.read_unit * 1e6,
        at("/dynamodb_on_demand/rru_per_million/v"),
    );
    same(arm64.put * 1e3, at("/s3_standard/put_per_1000/v"));
    same(arm64.get * 1e3, at("/s3_standard/get_per_1000/v"));
    same(
        arm64.metric_request * 1e3,
        at("/cloudwatch/put_metric_data_per_1000_requests/v"),
    );
    same(arm64.log_byte * 1e9, at("/cloudwatch/logs_ingest_gb/v"));
}

#[test]
fn prices_by_region_are_the_recorded_ones_and_no_others_are_claimed() {
    let Some(list) = recorded() else { return };
    let exceptions = &list["sfn_transition_by_region_exceptions"];
    for (region, gigabyte) in list["inter_region_out_gb"].as_object().unwrap() {
        if region == "src" {
            continue;
        }
        let x86_64 = rates(region, Architecture::X86_64);
        assert_eq!(x86_64.region, region);
        same(x86_64.transfer_byte * 1e9, gigabyte.as_f64().unwrap());
        let transition = exceptions.get(region).unwrap_or(&exceptions["default"]);
        same(x86_64.transition, transition.as_f64().unwrap());
        let known = list["lambda_x86_by_region"].get(region).is_some();
        assert_eq!(own(&x86_64, "GB-second, x86_64", region), known, "{region}");
        let arm64 = rates(region, Architecture::Arm64);
        let known = matches!(region.as_str(), "us-east-1" | "eu-west-1");
        assert_eq!(own(&arm64, "GB-second, arm64", region), known, "{region}");
    }
    let ireland = rates("eu-west-1", Architecture::Arm64);
    let at = |pointer: &str| number(&list, &format!("/eu-west-1{pointer}"));
    same(ireland.gb_s, at("/lambda/arm64/duration_gb_s/v"));
    same(
        ireland.invocation * 1e6,
        at("/lambda/request_per_million/v"),
    );
    same(
        ireland.disk_gb_s,
        at("/lambda/ephemeral_storage_gb_s_above_512mb/v"),
    );
    same(
        ireland.transition,
        at("/step_functions/standard_transition/v"),
    );
    same(
        ireland.write_unit * 1e6,
        at("/dynamodb_on_demand/wru_per_million/estimate"),
    );
    same(
        ireland.read_unit * 1e6,
        at("/dynamodb_on_demand/rru_per_million/estimate"),
    );
    same(ireland.put * 1e3, at("/s3_standard/put_per_1000/estimate"));
    same(ireland.get * 1e3, at("/s3_standard/get_per_1000/estimate"));
    assert!(
        ireland.source.contains("not verified: write request unit"),
        "{}",
        ireland.source
    );
}
