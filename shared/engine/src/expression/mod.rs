//! Expressions: a value computed from named inputs, as the built-in handler `compose` evaluates it.
//!
//! An expression is JSON with one member for each step, such as `{"path": [{"input": "order"}, "$.total"]}`;
//! docs/workflows.md lists them. What they mean follows the States Language, so that an imported definition computes what
//! the original did: a path that names one place must find something, comparisons of different types are false.

mod compare;
mod evaluate;
mod functions;
mod ordered;
pub mod path;
mod time;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use compare::{COMPARISONS, QUESTIONS};
pub use evaluate::{EvaluateError, Scope, evaluate};
pub use functions::FUNCTIONS;
pub use ordered::Members;

/// A value to compute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expression {
    /// A constant.
    Value(Value),
    /// An input, by name.
    Input(String),
    /// A part of a value, by JSONPath: what a path into a task's output means in `inputs`, save that everything up to the
    /// first step that may name several places must be there.
    Path(Box<Expression>, String),
    /// An object.
    Object(Members),
    /// A list.
    List(Vec<Expression>),
    /// A value with others put into it, one after another, each at a path that names one place; objects on the way are
    /// made where they are missing.
    Put(Box<Expression>, Vec<(String, Expression)>),
    /// A function of the States Language, such as `States.Format`, or one of ours (`first`, `run`).
    Call(String, Vec<Expression>),
    /// The second where the first is true, otherwise the third; the other one is not evaluated.
    If(Box<Expression>, Box<Expression>, Box<Expression>),
    /// Whether all are true; evaluated up to the first that is not.
    And(Vec<Expression>),
    /// Whether one is true; evaluated up to the first that is.
    Or(Vec<Expression>),
    /// Whether it is false.
    Not(Box<Expression>),
    /// A comparison of the States Language, such as `NumericLessThan`.
    Test(String, Box<Expression>, Box<Expression>),
    /// A question of the States Language about one value, such as `IsPresent`.
    Is(String, Box<Expression>),
    /// Whether the value is an object whose member of this name is `true`: a choice that was not made chose nothing.
    Chosen(Box<Expression>, String),
}

impl Expression {
    /// A constant.
    #[must_use]
    pub fn value(value: impl Into<Value>) -> Self {
        Self::Value(value.into())
    }

    /// An input.
    #[must_use]
    pub fn input(name: impl Into<String>) -> Self {
        Self::Input(name.into())
    }

    /// The expressions directly within this one.
    #[must_use]
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Value(_) | Self::Input(_) => Vec::new(),
            Self::Path(of, _) | Self::Not(of) | Self::Is(_, of) | Self::Chosen(of, _) => vec![of],
            Self::Object(members) => members.0.iter().map(|(_, part)| part).collect(),
            Self::List(parts) | Self::Call(_, parts) | Self::And(parts) | Self::Or(parts) => {
                parts.iter().collect()
            }
            Self::Put(base, puts) => std::iter::once(&**base)
                .chain(puts.iter().map(|(_, part)| part))
                .collect(),
            Self::If(condition, yes, no) => vec![condition, yes, no],
            Self::Test(_, left, right) => vec![left, right],
        }
    }

    /// The expressions directly within this one, to be changed.
    pub fn parts_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Value(_) | Self::Input(_) => Vec::new(),
            Self::Path(of, _) | Self::Not(of) | Self::Is(_, of) | Self::Chosen(of, _) => vec![of],
            Self::Object(members) => members.0.iter_mut().map(|(_, part)| part).collect(),
            Self::List(parts) | Self::Call(_, parts) | Self::And(parts) | Self::Or(parts) => {
                parts.iter_mut().collect()
            }
            Self::Put(base, puts) => std::iter::once(&mut **base)
                .chain(puts.iter_mut().map(|(_, part)| part))
                .collect(),
            Self::If(condition, yes, no) => vec![condition, yes, no],
            Self::Test(_, left, right) => vec![left, right],
        }
    }

    /// The names of the inputs that it reads, in order, each as often as it is read.
    #[must_use]
    pub fn inputs(&self) -> Vec<&str> {
        if let Self::Input(name) = self {
            return vec![name];
        }
        self.parts().into_iter().flat_map(Self::inputs).collect()
    }

    /// How many expressions there are in it, itself included.
    #[must_use]
    pub fn size(&self) -> usize {
        1 + self.parts().into_iter().map(Self::size).sum::<usize>()
    }

    /// How many expressions lie within each other.
    #[must_use]
    pub fn depth(&self) -> usize {
        1 + self.parts().into_iter().map(Self::depth).max().unwrap_or(0)
    }
}
