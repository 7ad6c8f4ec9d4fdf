//! Turns values into the types of the document language, reporting everything that does not fit.
//!
//! A decoder never stops at a problem: it reports and goes on with a default, so that one pass finds everything. What it
//! returns then is not used, because a document with problems is refused.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Number, Value};

use super::code::Code;
use super::event::Meaning;
use super::node::{Key, Node, Shape};
use super::problems::{At, Mark, Step, Trouble, did_you_mean, shown};

/// A type of the document language.
pub(crate) trait Decode: Default {
    /// The value at `node`, or a default after a report.
    fn decode(node: Node, at: &mut At<'_>) -> Self;
}

/// Reports that another type was wanted.
pub(crate) fn wrong_type(expected: &str, node: &Node, at: &mut At<'_>) {
    let mut trouble = Trouble::new(
        Code::WrongType,
        node.mark,
        format!("expected {expected}, found {}", node.found()),
    );
    if let Shape::Scalar(scalar) = &node.shape {
        match scalar.meaning() {
            Meaning::Null => trouble = trouble.hint("give a value, or remove the field"),
            Meaning::Bool(_) | Meaning::Number if expected.contains("text") => {
                trouble = trouble.hint(format!("put it in quotes: \"{}\"", shown(&scalar.text)));
            }
            Meaning::Text if expected.contains("number") && scalar.text.parse::<f64>().is_ok() => {
                trouble = trouble.hint("remove the quotes");
            }
            _ => {}
        }
    }
    at.report(trouble);
}

/// Delegates the schema of a wrapper to what it wraps.
macro_rules! same_schema {
    ($wrapper:ident) => {
        impl<T: JsonSchema> JsonSchema for $wrapper<T> {
            fn inline_schema() -> bool {
                T::inline_schema()
            }
            fn schema_name() -> Cow<'static, str> {
                T::schema_name()
            }
            fn schema_id() -> Cow<'static, str> {
                T::schema_id()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                T::json_schema(generator)
            }
        }
    };
}

/// A field that may be left out. A field that is there must have a value: null is reported.
#[derive(Debug, Clone)]
pub(crate) struct Given<T>(pub(crate) Option<T>);

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Decode> Decode for Given<T> {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        Self(Some(T::decode(node, at)))
    }
}

same_schema!(Given);

/// A value whose place is needed later.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marked<T> {
    pub(crate) value: T,
    pub(crate) mark: Mark,
}

impl<T: Decode> Decode for Marked<T> {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        Self {
            mark: node.mark,
            value: T::decode(node, at),
        }
    }
}

same_schema!(Marked);

impl Decode for String {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        if node.text().is_none() {
            wrong_type("a text", &node, at);
            return Self::new();
        }
        match node.shape {
            Shape::Scalar(scalar) => scalar.text,
            _ => Self::new(),
        }
    }
}

impl Decode for bool {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        if let Shape::Scalar(scalar) = &node.shape
            && let Meaning::Bool(value) = scalar.meaning()
        {
            return value;
        }
        wrong_type("`true` or `false`", &node, at);
        false
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        match node.shape {
            Shape::List(items) => items
                .into_iter()
                .enumerate()
                .map(|(index, item)| at.within(Step::Index(index), |at| T::decode(item, at)))
                .collect(),
            _ => {
                wrong_type("a list", &node, at);
                Self::new()
            }
        }
    }
}

/// A list with something in it.
#[derive(Debug, Clone)]
pub(crate) struct Filled<T>(pub(crate) Vec<T>);

impl<T> Default for Filled<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Decode> Decode for Filled<T> {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        if matches!(&node.shape, Shape::List(items) if items.is_empty()) {
            at.report(empty_list(node.mark));
        }
        Self(Vec::decode(node, at))
    }
}

impl<T: JsonSchema> JsonSchema for Filled<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Filled{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "array",
            "items": generator.subschema_for::<T>(),
            "minItems": 1,
        })
    }
}

/// The problem of a list that must not be empty.
pub(crate) fn empty_list(mark: Mark) -> Trouble {
    Trouble::new(Code::OutOfRange, mark, "the list is empty").hint("at least one is needed")
}

/// A map whose keys the user chooses, in the order of the document.
#[derive(Debug, Clone)]
pub(crate) struct Entries<K, V>(pub(crate) Vec<(Marked<K>, V)>);

impl<K, V> Default for Entries<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Decode, V: Decode> Decode for Entries<K, V> {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        let Shape::Map(entries) = node.shape else {
            wrong_type("an object", &node, at);
            return Self::default();
        };
        let twice = repeated(&entries);
        let mut out = Vec::with_capacity(entries.len());
        for (index, (key, value)) in entries.into_iter().enumerate() {
            at.within(Step::Key(key.text.clone()), |at| {
                if twice.contains(&index) {
                    at.report(duplicate(&key));
                }
                // A key is a text whatever it looks like.
                let mark = key.mark;
                let scalar = super::event::Scalar {
                    text: key.text,
                    plain: false,
                };
                let shape = Shape::Scalar(scalar);
                let key = Marked::decode(Node { mark, shape }, at);
                out.push((key, V::decode(value, at)));
            });
        }
        Self(out)
    }
}

impl<K: JsonSchema, V: JsonSchema> JsonSchema for Entries<K, V> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("{}By{}", V::schema_name(), K::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "object",
            "propertyNames": generator.subschema_for::<K>(),
            "additionalProperties": generator.subschema_for::<V>(),
        })
    }
}

/// Positions of entries whose key an earlier entry has.
fn repeated(entries: &[(Key, Node)]) -> BTreeSet<usize> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|index| &entries[*index].0.text);
    order
        .windows(2)
        .filter(|pair| entries[pair[0]].0.text == entries[pair[1]].0.text)
        .map(|pair| pair[1])
        .collect()
}

fn duplicate(key: &Key) -> Trouble {
    Trouble::new(
        Code::DuplicateField,
        key.mark,
        format!("`{}` is given twice", shown(&key.text)),
    )
    .hint("remove one of them")
}

/// Any JSON value.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Json(pub(crate) Value);

impl Decode for Json {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        Self(json(node, at))
    }
}

impl JsonSchema for Json {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Json".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        true.into()
    }
}

fn json(node: Node, at: &mut At<'_>) -> Value {
    match node.shape {
        Shape::List(items) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| at.within(Step::Index(index), |at| json(item, at)))
            .collect(),
        Shape::Map(entries) => {
            let twice = repeated(&entries);
            let mut map = Map::new();
            for (index, (key, item)) in entries.into_iter().enumerate() {
                at.within(Step::Key(key.text.clone()), |at| {
                    if twice.contains(&index) {
                        at.report(duplicate(&key));
                    }
                    map.insert(key.text, json(item, at));
                });
            }
            Value::Object(map)
        }
        Shape::Scalar(scalar) => match scalar.meaning() {
            Meaning::Null => Value::Null,
            Meaning::Bool(value) => Value::Bool(value),
            Meaning::Text => Value::String(scalar.text),
            Meaning::Number => {
                let whole = scalar.integer();
                let number = whole
                    .and_then(|n| u64::try_from(n).map(Number::from).ok())
                    .or_else(|| whole.and_then(|n| i64::try_from(n).map(Number::from).ok()))
                    .or_else(|| scalar.number().and_then(Number::from_f64));
                if let Some(number) = number {
                    return Value::Number(number);
                }
                let message = format!("`{}` is not a number of JSON", shown(&scalar.text));
                at.report(Trouble::new(Code::OutOfRange, node.mark, message));
                Value::Null
            }
        },
    }
}

/// The entries of an object with fixed fields, each handed to `field` with its index in `fields`; reports what is
/// unknown, doubled or missing. With `open`, unknown fields are passed over.
pub(crate) fn fields(
    node: Node,
    fields: &'static [&'static str],
    required: &[&'static str],
    open: bool,
    at: &mut At<'_>,
    mut field: impl FnMut(&'static str, Node, &mut At<'_>),
) {
    let Shape::Map(entries) = node.shape else {
        wrong_type("an object", &node, at);
        return;
    };
    let mut seen = BTreeMap::new();
    for (key, value) in entries {
        let Some(name) = fields.iter().find(|name| **name == key.text) else {
            if !open {
                at.within(Step::Key(key.text.clone()), |at| {
                    at.report_with(|| unknown_field(&key, fields));
                });
            }
            continue;
        };
        at.within(Step::Field(name), |at| {
            if seen.insert(*name, ()).is_some() {
                at.report(duplicate(&key));
            }
            field(name, value, at);
        });
    }
    for name in required {
        if !seen.contains_key(name) {
            at.report(Trouble::new(
                Code::MissingField,
                node.mark,
                format!("`{name}` is missing"),
            ));
        }
    }
}

fn unknown_field(key: &Key, fields: &[&'static str]) -> Trouble {
    let trouble = Trouble::new(
        Code::UnknownField,
        key.mark,
        format!("there is no field `{}` here", shown(&key.text)),
    );
    if key.text == "<<" {
        return trouble.hint("merge keys are not YAML 1.2; put shared settings into `defaults`");
    }
    match did_you_mean(&key.text, fields.iter().copied()) {
        Some(hint) => trouble.hint(hint),
        None => trouble.hint(format!("possible are {}", fields.join(", "))),
    }
}
