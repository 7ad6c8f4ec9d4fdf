//! Choice states: a task that says which way to go.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::code::Code;
use super::flow::Flow;
use super::level::{Here, Importer, Steps};
use super::payload::Sight;
use super::symbol;
use crate::expression::{COMPARISONS, Expression, QUESTIONS};

/// Most rules of a Choice: each lies within the one before it, and documents nest only so deeply.
const RULES_MAX: usize = 16;

/// The way of a Choice none of whose rules fits.
const NONE: &str = "(none)";

impl Importer<'_> {
    /// Imports a Choice.
    pub(super) fn choice(&mut self, here: &Here<'_>, flow: Flow) -> Steps {
        let state = here.state;
        let input = self.taken(here, &state.input_path, &flow.value);
        if state.choices.len() > RULES_MAX {
            let message = format!("it has more than {RULES_MAX} rules");
            self.refuse(Code::Rule, &here.path, message);
            return self.beyond(here, flow);
        }
        let last = state.default.as_deref().unwrap_or(NONE);
        let mut ways = BTreeSet::from([last.to_owned()]);
        let mut decision = chosen(last);
        for rule in state.choices.iter().rev() {
            let condition = self.rule(rule, here.sight(&input));
            let target = rule["Next"].as_str().unwrap_or_default();
            ways.insert(target.to_owned());
            decision = Expression::If(
                Box::new(condition),
                Box::new(chosen(target)),
                Box::new(decision),
            );
        }
        let task = self.compose(here, "", decision, &flow.guard, &flow.after);
        self.choices
            .add(task, flow.guard.clone(), ways.iter().cloned());
        let value = self.taken(here, &state.output_path, &input);
        let mut steps = Steps::new();
        for way in ways {
            let onward = Flow {
                value: value.clone(),
                guard: Some(BTreeSet::from([(task, way.clone())])),
                after: BTreeSet::from([task]),
            };
            if way == NONE {
                let said = json!({"Error": "States.NoChoiceMatched"});
                self.end_in_failure(here, "none", Expression::Value(said), &onward);
            } else {
                steps.push((Some(way), onward));
            }
        }
        steps
    }

    /// A rule as a condition.
    fn rule(&mut self, rule: &Value, sight: Sight<'_>) -> Expression {
        let several = |importer: &mut Self, rules: &Value| -> Vec<Expression> {
            let rules = rules.as_array().into_iter().flatten();
            rules.map(|rule| importer.rule(rule, sight)).collect()
        };
        if let Some(inner) = rule.get("Not") {
            return Expression::Not(Box::new(self.rule(inner, sight)));
        }
        if let Some(rules) = rule.get("And") {
            return Expression::And(several(self, rules));
        }
        if let Some(rules) = rule.get("Or") {
            return Expression::Or(several(self, rules));
        }
        let left = rule["Variable"].as_str().unwrap_or_default();
        let operators = rule.as_object().into_iter().flatten();
        let operators =
            operators.filter(|(name, _)| !["Variable", "Next", "Comment"].contains(&name.as_str()));
        let operators: Vec<(&String, &Value)> = operators.collect();
        let [(name, right)] = operators.as_slice() else {
            let message = "a rule has one `Variable` and one comparison";
            return self.refuse(Code::Rule, sight.state, message);
        };
        let left = self.computed(left, sight);
        if QUESTIONS.contains(&name.as_str()) {
            let asked = Expression::Is((*name).clone(), Box::new(left));
            return match right {
                Value::Bool(true) => asked,
                Value::Bool(false) => Expression::Not(Box::new(asked)),
                _ => self.refuse(
                    Code::Rule,
                    sight.state,
                    format!("`{name}` is true or false"),
                ),
            };
        }
        let (short, right) = match (name.strip_suffix("Path"), right.as_str()) {
            (Some(short), Some(path)) => (short, self.computed(path, sight)),
            _ => (name.as_str(), Expression::Value((*right).clone())),
        };
        if !COMPARISONS.contains(&short) {
            let message = format!("there is no comparison `{name}`");
            return self.refuse(Code::Rule, sight.state, message);
        }
        Expression::Test(short.to_owned(), Box::new(left), Box::new(right))
    }
}

/// The output of the task when it goes this way.
fn chosen(way: &str) -> Expression {
    symbol::object(vec![(way.to_owned(), Expression::value(true))])
}
