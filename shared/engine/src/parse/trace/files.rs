//! Gives the files of a trace names that a scratch folder can hold.

use super::super::forms::file_name;
use super::super::names::{Names, Symbol};

/// Bytes of a traced name that are kept.
const KEPT: usize = 120;

/// The name of a file in any scratch: its last part, without characters that could surprise a program. Names that had to
/// be changed end in `~` and a number, and no other name contains `~`: two files never have the same.
pub(super) fn scratch_name(names: &Names, file: Symbol) -> String {
    let text = names.text(file);
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-+=,@".contains(c);
    if text.len() <= KEPT && text.chars().all(plain) && file_name(text).is_ok() {
        return text.to_owned();
    }
    let last = text.rsplit('/').next().unwrap_or_default();
    let safe: String = last
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .take(KEPT)
        .collect();
    format!("{}~{}", safe.trim_start_matches('.'), file.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_has_a_safe_name_of_its_own() {
        let mut names = Names::default();
        let long = "x".repeat(300);
        let texts = [
            "p2mass-atlas.fits",
            "/c3/93/samplesheet.valid.csv",
            "/c4/93/samplesheet.valid.csv",
            "../../etc/passwd",
            "..",
            ".",
            "",
            "a b;rm -rf $HOME",
            "tilde~1",
            long.as_str(),
            "é",
        ];
        let symbols: Vec<Symbol> = texts.iter().map(|text| names.symbol(text)).collect();
        let safe: Vec<String> = symbols.iter().map(|s| scratch_name(&names, *s)).collect();
        insta::assert_snapshot!(safe[..9].join("\n"), @r#"
        p2mass-atlas.fits
        samplesheet.valid.csv~1
        samplesheet.valid.csv~2
        passwd~3
        ~4
        ~5
        ~6
        a_b_rm_-rf__HOME~7
        tilde_1~8
        "#);
        for name in &safe {
            assert_eq!(file_name(name), Ok(()), "{name}");
        }
        assert_eq!(safe.iter().collect::<BTreeSet<_>>().len(), texts.len());
    }
}
