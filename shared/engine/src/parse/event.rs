//! What YAML and JSON have in common: a stream of events with their places.

use super::problems::{Mark, Trouble};

/// One event and where it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) kind: Kind,
    pub(crate) mark: Mark,
    /// The anchor that names this value; 0 for none.
    pub(crate) anchor: usize,
}

/// What an event is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// A value without parts; also the key of a map.
    Scalar(Scalar),
    /// A list begins.
    List,
    /// A map begins: key and value follow in turns.
    Map,
    /// The innermost list or map ends.
    End,
    /// A repetition of an anchored value.
    Alias(usize),
}

/// A value without parts, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Without quotes: it can be null, a boolean or a number.
    pub(crate) plain: bool,
}

/// What a scalar means in the core schema of YAML 1.2, which contains what it means in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Null,
    Bool(bool),
    Number,
    Text,
}

impl Scalar {
    /// What it means.
    pub(crate) fn meaning(&self) -> Meaning {
        if !self.plain {
            return Meaning::Text;
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Meaning::Null,
            "true" | "True" | "TRUE" => Meaning::Bool(true),
            "false" | "False" | "FALSE" => Meaning::Bool(false),
            text if is_number(text) => Meaning::Number,
            _ => Meaning::Text,
        }
    }

    /// The whole number that it is; `None` for fractions, and for what does not fit.
    pub(crate) fn integer(&self) -> Option<i128> {
        let text = self.text.as_str();
        if let Some(digits) = text.strip_prefix("0x") {
            return i128::from_str_radix(digits, 16).ok();
        }
        if let Some(digits) = text.strip_prefix("0o") {
            return i128::from_str_radix(digits, 8).ok();
        }
        text.parse().ok()
    }

    /// The number that it is; infinite and undefined ones are none.
    pub(crate) fn number(&self) -> Option<f64> {
        if let Some(whole) = self.integer() {
            #[expect(clippy::cast_precision_loss, reason = "the nearest number is meant")]
            return Some(whole as f64);
        }
        self.text
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
    }
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(text, ".nan" | ".NaN" | ".NAN")
        || matches!(unsigned, ".inf" | ".Inf" | ".INF")
        || text
            .strip_prefix("0x")
            .is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_hexdigit()))
        || text
            .strip_prefix("0o")
            .is_some_and(|d| !d.is_empty() && d.bytes().all(|b| (b'0'..=b'7').contains(&b)))
    {
        return true;
    }
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|e| {
            let e = e.strip_prefix(['+', '-']).unwrap_or(e);
            !e.is_empty() && digits(e)
        })
}

/// A document as events: exactly one value, then the end.
pub(crate) trait Events {
    /// The next event; after the last one of the document's value, `None`.
    ///
    /// # Errors
    /// The text is not what it should be; nothing can be read after that.
    fn next(&mut self) -> Result<Option<Event>, Trouble>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_the_core_schema_says() {
        let table = [
            ("", Meaning::Null),
            ("~", Meaning::Null),
            ("yes", Meaning::Text),
            ("True", Meaning::Bool(true)),
            ("1.0", Meaning::Number),
            ("-3e5", Meaning::Number),
            (".5", Meaning::Number),
            ("0x1F", Meaning::Number),
            ("1_000", Meaning::Text),
            ("1.2.3", Meaning::Text),
            ("e5", Meaning::Text),
            (".", Meaning::Text),
            ("-", Meaning::Text),
            ("0x", Meaning::Text),
        ];
        for (text, meaning) in table {
            let scalar = Scalar {
                text: text.to_owned(),
                plain: true,
            };
            assert_eq!(scalar.meaning(), meaning, "{text}");
        }
    }

    #[test]
    fn numbers_are_read_in_every_notation() {
        let number = |text: &str| {
            Scalar {
                text: text.to_owned(),
                plain: true,
            }
            .number()
        };
        assert_eq!(number("+5"), Some(5.0));
        assert_eq!(number("0o17"), Some(15.0));
        assert_eq!(number("2.5e1"), Some(25.0));
        assert_eq!(number("5."), Some(5.0));
        assert_eq!(number(".inf"), None);
        assert_eq!(number("1e999"), None);
    }
}
