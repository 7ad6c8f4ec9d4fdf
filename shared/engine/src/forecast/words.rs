//! Reasons and names in words.

use std::collections::BTreeMap;

use foreshard_model::plan::Reason;

/// A reason with its numbers.
pub fn reason(subject: &str, because: String, numbers: &[(&str, f64)]) -> Reason {
    let finite = numbers.iter().filter(|(_, value)| value.is_finite());
    Reason {
        subject: subject.to_owned(),
        because,
        numbers: finite
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect::<BTreeMap<_, _>>(),
    }
}

/// A period in the largest unit that divides it.
pub fn period(seconds: u64) -> String {
    match seconds {
        86_400 => "day".to_owned(),
        604_800 => "week".to_owned(),
        s if s > 0 && s.is_multiple_of(86_400) => format!("{} days", s / 86_400),
        s if s > 0 && s.is_multiple_of(3_600) => format!("{} h", s / 3_600),
        s if s > 0 && s.is_multiple_of(60) => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}
