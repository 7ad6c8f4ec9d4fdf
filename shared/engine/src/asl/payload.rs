//! Payload templates, paths and intrinsic functions as expressions over what a state sees.

use std::borrow::Cow;

use serde_json::Value;

use super::code::Code;
use super::level::Importer;
use super::symbol;
use crate::expression::path::Path;
use crate::expression::{Expression, FUNCTIONS};

/// Most intrinsic functions within each other. Source: Step Functions, "Intrinsic functions".
const NESTED_MAX: usize = 10;

/// What templates of a state see.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    /// The state, for messages.
    pub(super) state: &'a str,
    /// What `$` is.
    pub(super) value: &'a Expression,
    /// The element of a Map and its position, inside of one or in its selector.
    pub(super) item: Option<(&'a Expression, usize)>,
    /// Whether the execution is one of a Map's own, whose input and name are others than the run's.
    pub(super) apart: bool,
}

impl Importer<'_> {
    /// A template: members whose name ends in `.$` are computed, everything else is as it is.
    pub(super) fn template(&mut self, template: &Value, sight: Sight<'_>) -> Expression {
        match template {
            Value::Object(members) => {
                let parts = members.iter().map(|(name, value)| {
                    match (name.strip_suffix(".$"), value.as_str()) {
                        (Some(short), Some(text)) => (short.to_owned(), self.computed(text, sight)),
                        (Some(_), None) => {
                            let message =
                                format!("`{name}` is not a text: paths and functions are");
                            (name.clone(), self.refuse(Code::Path, sight.state, message))
                        }
                        _ => (name.clone(), self.template(value, sight)),
                    }
                });
                symbol::object(parts.collect())
            }
            Value::Array(elements) => {
                let parts = elements.iter().map(|element| self.template(element, sight));
                symbol::list(parts.collect())
            }
            scalar => Expression::Value(scalar.clone()),
        }
    }

    /// A path, a path into the context object, or a call of an intrinsic function.
    pub(super) fn computed(&mut self, text: &str, sight: Sight<'_>) -> Expression {
        let text = text.trim();
        if let Some(context) = text.strip_prefix("$$") {
            return self.context(context, sight);
        }
        if text.starts_with('$') {
            return self.path(text, sight);
        }
        let mut reader = Reader {
            text,
            at: 0,
            depth: 0,
        };
        match reader.call() {
            Some(call) if reader.at == text.len() => self.intrinsic(&call, sight),
            _ => {
                let message = format!("`{text}` is neither a path nor an intrinsic function");
                self.refuse(Code::Path, sight.state, message)
            }
        }
    }

    /// The part of what the state sees at a path.
    pub(super) fn path(&mut self, text: &str, sight: Sight<'_>) -> Expression {
        let Some(path) = Path::parse(text) else {
            let message = format!(
                "`{text}` is not a path that means the same everywhere: variables, `..` and functions do not"
            );
            return self.refuse(Code::Path, sight.state, message);
        };
        let part = symbol::part(sight.value, &path);
        let alone = match &part {
            Expression::Call(_, _) => symbol::metadata_in(&part).map(str::to_owned),
            _ => None,
        };
        match alone {
            None => part,
            Some(name) => {
                let message = format!("`{text}` takes `{name}`, which only Step Functions gives");
                self.refuse(Code::Answer, sight.state, message)
            }
        }
    }

    fn context(&mut self, text: &str, sight: Sight<'_>) -> Expression {
        let path = Path::parse(&format!("${text}")).unwrap_or_default();
        let whole = path.text();
        if sight.apart && whole.starts_with("$.Execution") {
            let message = format!("`$${text}` is that of an element's own execution");
            return self.refuse(Code::Context, sight.state, message);
        }
        let run = Expression::input(symbol::RUN);
        if let Some(rest) = whole.strip_prefix("$.Execution.Input") {
            let input = Sight {
                value: &run,
                ..sight
            };
            return self.path(&format!("${rest}"), input);
        }
        if let (Some(rest), Some((item, _))) = (whole.strip_prefix("$.Map.Item.Value"), sight.item)
        {
            let of = Sight {
                value: item,
                ..sight
            };
            return self.path(&format!("${rest}"), of);
        }
        match (whole.as_str(), sight.item) {
            ("$.Map.Item.Index", Some((_, index))) => Expression::value(index),
            ("$.State.Name", _) => {
                let name = sight.state.rsplit('/').next().unwrap_or_default();
                Expression::value(name)
            }
            ("$.Execution.Name", _) => Expression::Call("run".to_owned(), Vec::new()),
            ("$.Execution.Id", _) => {
                let message = "`$$.Execution.Id` is the run's id here, not an ARN";
                self.note(Code::Identity, sight.state, message);
                Expression::Call("run".to_owned(), Vec::new())
            }
            ("$.Task.Token", _) => {
                let message = "`$$.Task.Token`: nobody can send a token back to a task";
                self.refuse(Code::Callback, sight.state, message)
            }
            _ => {
                let message = format!("`$${text}` has no equivalent");
                self.refuse(Code::Context, sight.state, message)
            }
        }
    }

    fn intrinsic(&mut self, call: &Call<'_>, sight: Sight<'_>) -> Expression {
        if !FUNCTIONS.contains(&call.name) || !call.name.starts_with("States.") {
            let message = format!("`{}` has no equivalent", call.name);
            return self.refuse(Code::Intrinsic, sight.state, message);
        }
        let mut parts: Vec<Expression> = Vec::new();
        for argument in &call.arguments {
            parts.push(match argument {
                Argument::Constant(value) => Expression::Value(value.clone()),
                Argument::Path(path) => self.computed(path, sight),
                Argument::Call(inner) => self.intrinsic(inner, sight),
            });
        }
        match call.name {
            "States.UUID" => {
                // One identifier for each place where the definition makes one: the same wherever it is read.
                self.uuids += 1;
                parts = vec![Expression::value(format!("{}/{}", sight.state, self.uuids))];
            }
            "States.Hash" if matches!(&parts[..], [_, Expression::Value(name)] if name == "MD5" || name == "SHA-1") =>
            {
                let message = "`States.Hash` with MD5 or SHA-1 has no equivalent; SHA-256, SHA-384 and SHA-512 have";
                return self.refuse(Code::Intrinsic, sight.state, message);
            }
            "States.Array" => return symbol::list(parts),
            _ => {}
        }
        Expression::Call(call.name.to_owned(), parts)
    }
}

/// A call as it is written.
struct Call<'t> {
    name: &'t str,
    arguments: Vec<Argument<'t>>,
}

enum Argument<'t> {
    Constant(Value),
    Path(Cow<'t, str>),
    Call(Call<'t>),
}

/// Reads calls of intrinsic functions.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// Calls that the next one lies within.
    depth: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, token: char) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        self.at += if found { token.len_utf8() } else { 0 };
        found
    }

    fn call(&mut self) -> Option<Call<'t>> {
        self.space();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
        let end = self.rest().find(|c| !plain(c))?;
        let name = &self.rest()[..end];
        self.at += end;
        if name.is_empty() || !self.eat('(') {
            return None;
        }
        let mut arguments = Vec::new();
        if self.eat(')') {
            return Some(Call { name, arguments });
        }
        loop {
            arguments.push(self.argument()?);
            if self.eat(')') {
                return Some(Call { name, arguments });
            }
            if !self.eat(',') {
                return None;
            }
        }
    }

    fn argument(&mut self) -> Option<Argument<'t>> {
        self.space();
        if self.rest().starts_with('\'') {
            return self.quoted().map(|text| Argument::Constant(text.into()));
        }
        if self.rest().starts_with("States.") {
            self.depth += 1;
            let call = (self.depth <= NESTED_MAX).then(|| self.call()).flatten();
            self.depth -= 1;
            return call.map(Argument::Call);
        }
        let end = self.end_of_argument()?;
        let text = self.rest()[..end].trim_end();
        self.at += end;
        if text.starts_with('$') {
            return Some(Argument::Path(text.into()));
        }
        let constant: Value = serde_json::from_str(text).ok()?;
        (!constant.is_string()).then_some(Argument::Constant(constant))
    }

    /// Where a path or a constant ends: at a comma or a bracket that is not its own.
    fn end_of_argument(&self) -> Option<usize> {
        let (mut depth, mut quote) = (0_usize, None);
        for (at, c) in self.rest().char_indices() {
            match (quote, c) {
                (Some(open), _) if open == c => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, '(' | '[') => depth += 1,
                (None, ',' | ')') if depth == 0 => return Some(at),
                (None, ')' | ']') => depth = depth.checked_sub(1)?,
                _ => {}
            }
        }
        None
    }

    /// A text in single quotes: `\` takes a quote or itself as it is, and is kept before braces for `States.Format`.
    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((at, c)) = characters.next() {
            match c {
                '\'' => {
                    self.at += at + 1;
                    return Some(text);
                }
                '\\' => match characters.next()?.1 {
                    brace @ ('{' | '}') => text.extend(['\\', brace]),
                    other => text.push(other),
                },
                other => text.push(other),
            }
        }
        None
    }
}
