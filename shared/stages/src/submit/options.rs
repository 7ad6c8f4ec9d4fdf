//! Bounds of what a submission asks for beside its document.

use std::collections::BTreeMap;

use foreshard_engine::objective;
use foreshard_model::ids::Tenant;
use foreshard_model::limits::{
    ARN_CHARS, BAGGAGE_BYTES, BAGGAGE_MEMBERS, DISTRIBUTED_CHILDREN, HISTORY_BUDGET_EVENTS,
};
use foreshard_model::policy::RunOptions;

use super::query::brief;
use super::refusal::{Code, Refusal};

/// Largest factor on CPU time, bytes and memory: beyond it nothing fits any target.
const SCALE_MAX: f64 = 1_000_000.0;

/// Bundles of one submission.
pub(super) const BUNDLES_MAX: usize = 64;

fn refuse<T>(detail: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(Code::BadOption, detail))
}

pub(super) fn check_options(options: &RunOptions) -> Result<(), Refusal> {
    for (name, value) in [
        ("scale", options.scale),
        ("memory_scale", options.memory_scale),
    ] {
        if !(value > 0.0 && value <= SCALE_MAX) {
            return refuse(format!(
                "`options.{name}` is {value}: above 0, at most {SCALE_MAX}"
            ));
        }
    }
    for (name, value, most) in [
        ("lanes_max", options.lanes_max, DISTRIBUTED_CHILDREN),
        (
            "history_budget",
            options.history_budget,
            HISTORY_BUDGET_EVENTS,
        ),
        ("shard_tasks_max", options.shard_tasks_max, u32::MAX),
    ] {
        if value.is_some_and(|v| v == 0 || v > most) {
            let seen = value.unwrap_or_default();
            return refuse(format!("`options.{name}` is {seen}: from 1 to {most}"));
        }
    }
    let problems = objective::problems(&options.objective, "options.objective");
    match problems.first() {
        None => Ok(()),
        Some(first) => {
            let detail = format!("`{}`: {}", first.path, first.message);
            Err(Refusal::new(Code::BadOption, detail).with(problems))
        }
    }
}

/// A task's role must be of the caller's own account: otherwise the deployment could be made to use a trust that
/// another account has in it.
pub(super) fn check_role(role: Option<&str>, tenant: &Tenant) -> Result<(), Refusal> {
    let Some(role) = role else {
        return Ok(());
    };
    let parts: Vec<&str> = role.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, name] = parts.as_slice() else {
        return refuse(format!("`role` is `{}`: the ARN of a role", brief(role)));
    };
    let named = name
        .strip_prefix("role/")
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_graphic()));
    if !partition.starts_with("aws") || !named || role.len() > ARN_CHARS {
        return refuse(format!("`role` is `{}`: the ARN of a role", brief(role)));
    }
    if *account != tenant.as_str() {
        return refuse(format!(
            "`role` is of account `{}`, not yours",
            brief(account)
        ));
    }
    Ok(())
}

pub(super) fn check_baggage(baggage: &BTreeMap<String, String>) -> Result<(), Refusal> {
    // As JSON, which it travels as: an escape may take six bytes for one.
    let bytes = serde_json::to_vec(baggage).map_or(usize::MAX, |json| json.len());
    if baggage.len() > BAGGAGE_MEMBERS || bytes > BAGGAGE_BYTES {
        return refuse(format!(
            "`baggage` has {} members of {bytes} bytes as JSON: at most {BAGGAGE_MEMBERS} of {BAGGAGE_BYTES} bytes",
            baggage.len()
        ));
    }
    if baggage.keys().any(String::is_empty) {
        return refuse("`baggage` has a member without a name");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use foreshard_model::objective::Objective;

    use super::*;

    #[test]
    fn a_role_is_an_arn_of_the_callers_account() {
        let tenant = Tenant::from("123456789012");
        let check = |role: &str| check_role(Some(role), &tenant).is_ok();
        assert!(check("arn:aws:iam::123456789012:role/etl"));
        assert!(check("arn:aws-cn:iam::123456789012:role/path/etl"));
        assert!(!check("arn:aws:iam::210987654321:role/etl"));
        assert!(!check("arn:aws:iam::123456789012:user/etl"));
        assert!(!check("arn:aws:iam::123456789012:role/"));
        assert!(!check("arn:aws:iam::123456789012:role/a b"));
        assert!(!check("etl"));
    }

    #[test]
    fn options_and_baggage_are_bounded() {
        let ok = RunOptions::default();
        assert!(check_options(&ok).is_ok());
        for bad in [
            RunOptions {
                scale: 0.0,
                ..ok.clone()
            },
            RunOptions {
                scale: f64::NAN,
                ..ok.clone()
            },
            RunOptions {
                memory_scale: -1.0,
                ..ok.clone()
            },
            RunOptions {
                lanes_max: Some(0),
                ..ok.clone()
            },
            RunOptions {
                history_budget: Some(30_000),
                ..ok.clone()
            },
            RunOptions {
                shard_tasks_max: Some(0),
                ..ok.clone()
            },
            RunOptions {
                objective: Objective {
                    deadline_s: Some(0.0),
                    ..Objective::default()
                },
                ..ok.clone()
            },
        ] {
            assert!(check_options(&bad).is_err(), "{bad:?}");
        }
        // As JSON: two braces, four quotes, a colon, the name and the value; a control character takes six bytes.
        let baggage = |value: String| check_baggage(&[("k".to_owned(), value)].into());
        assert!(baggage("v".repeat(4_088)).is_ok());
        assert!(baggage("v".repeat(4_089)).is_err());
        assert!(baggage("\u{1}".repeat(681)).is_ok());
        assert!(baggage("\u{1}".repeat(682)).is_err());
        assert!(check_baggage(&[("a".to_owned(), "b".to_owned())].into()).is_ok());
    }
}
