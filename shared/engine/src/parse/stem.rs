//! The part of a name that tasks of one type share: `count-3` and `count-12` are both `count`.

/// A name without the number at its end; a number of the form `_ID0000012`, as traces have it, goes as a whole, and
/// then only numbers that are set off: `chr21_ID0000012` is `chr21`.
pub(crate) fn stem(name: &str) -> &str {
    if let Some(at) = name.rfind("ID") {
        let digits = &name[at + 2..];
        let before = name[..at].trim_end_matches(['_', '-', '.']);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && before.len() < at {
            return set_off(before);
        }
    }
    let short = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if short.len() < name.len() {
        set_off(short.trim_end_matches(['_', '-', '.']))
    } else {
        name
    }
}

/// Removes further numbers that a separator sets off: `sequence_1` of `fast2bfq_s_1_sequence_1`.
fn set_off(name: &str) -> &str {
    let short = name.trim_end_matches(|c: char| c.is_ascii_digit());
    match short.strip_suffix(['_', '-', '.']) {
        Some(shorter) if short.len() < name.len() && !shorter.is_empty() => set_off(shorter),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_of_one_type_share_their_stem() {
        let table = [
            ("count-12", "count"),
            ("count12", "count"),
            ("split", "split"),
            ("mProject_ID0000001", "mProject"),
            ("chr21_chr21_ID0000001", "chr21_chr21"),
            (
                "fast2bfq_s_1_sequence_14_ID0000099",
                "fast2bfq_s_1_sequence",
            ),
            ("SAMPLESHEET_CHECK_4", "SAMPLESHEET_CHECK"),
            ("part-1-2", "part"),
            ("GRID7", "GRID"),
            ("42", ""),
            ("", ""),
            ("é9", "é"),
        ];
        for (name, expected) in table {
            assert_eq!(stem(name), expected, "{name}");
        }
    }
}
