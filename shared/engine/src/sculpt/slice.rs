//! The share of a part: how many there are is planned, how much each is given shows when the input is there.

use std::ops::Range;

use foreshard_model::sculpt::Slice;
use serde_json::Value;
use thiserror::Error;

use crate::expression::path::{Path, Step};

/// Why an array could not be cut.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no array at `{path}` that could be cut")]
pub struct NoArray {
    /// Where one was expected.
    pub path: String,
}

/// The positions, of `total`, that a part is given: one after the other they are all of them, no two differ by more than
/// one in length, and the first is empty only when there is nothing at all.
#[must_use]
pub fn share(total: u64, part: u32, parts: u32) -> Range<u64> {
    let parts = u128::from(parts.max(1));
    let start = |part: u128| (part.min(parts) * u128::from(total)).div_ceil(parts) as u64;
    start(part.into())..start(u128::from(part) + 1)
}

/// Leaves of the array at `path` what the part is given; the number of elements that are left.
///
/// # Errors
/// There is no array.
pub fn cut_array(input: &mut Value, path: &str, slice: &Slice) -> Result<usize, NoArray> {
    let none = || NoArray {
        path: path.to_owned(),
    };
    let places = Path::parse(path).filter(Path::is_definite);
    let mut steps = places.as_ref().ok_or_else(none)?.steps.iter();
    let place = steps.try_fold(input, |at, step| match step {
        Step::Key(key) => at.as_object_mut()?.get_mut(key),
        Step::Index(index) => at.as_array_mut()?.get_mut(*index),
    });
    let array = place.and_then(Value::as_array_mut).ok_or_else(none)?;
    let kept = share(array.len() as u64, slice.part, slice.parts);
    array.truncate(kept.end as usize);
    array.drain(..kept.start as usize);
    Ok(array.len())
}

#[cfg(test)]
mod tests {
    use foreshard_model::sculpt::SplitBy;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn slice(part: u32, parts: u32) -> Slice {
        let path = "$.rows".to_owned();
        Slice {
            by: SplitBy::Array { path },
            part,
            parts,
        }
    }

    #[test]
    fn what_is_no_array_is_not_cut() {
        for input in [json!(null), json!({"rows": 3}), json!({"row": [1]})] {
            let refused = cut_array(&mut input.clone(), "$.rows", &slice(0, 2));
            assert_eq!(refused.unwrap_err().path, "$.rows");
        }
        assert!(cut_array(&mut json!([[1]]), "$[*]", &slice(0, 2)).is_err());
    }

    proptest! {
        #[test]
        fn shares_are_all_of_it_in_order(total in 0_u64..1_000_000, parts in 1_u32..1_200) {
            let shares: Vec<_> = (0..parts).map(|part| share(total, part, parts)).collect();
            let mut at = 0;
            for share in &shares {
                prop_assert_eq!(share.start, at);
                at = share.end;
                let even = total / u64::from(parts);
                prop_assert!((even..=even + 1).contains(&(share.end - share.start)));
            }
            prop_assert_eq!(at, total);
            prop_assert_eq!(shares[0].is_empty(), total == 0);
        }

        #[test]
        fn parts_of_an_array_are_the_array(rows in prop::collection::vec(any::<i32>(), 0..40), parts in 1_u32..50) {
            let mut together = Vec::new();
            for part in 0..parts {
                let mut input = json!({"rows": rows, "other": 1});
                let left = cut_array(&mut input, "$.rows", &slice(part, parts)).unwrap();
                let list = input["rows"].as_array().unwrap();
                prop_assert_eq!(list.len(), left);
                together.extend(list.iter().filter_map(Value::as_i64).map(|n| n as i32));
            }
            prop_assert_eq!(together, rows);
        }
    }
}
