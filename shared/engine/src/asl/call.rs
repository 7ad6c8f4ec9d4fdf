//! Task states: calls of functions, and of services through a function.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::code::Code;
use super::flow::{Draft, Flow};
use super::level::{Here, Importer, Steps};
use super::symbol;
use super::{Hinted as _, problem};
use crate::expression::Expression;
use crate::expression::path::Path;

/// Members of an answer of `lambda:invoke` that only Step Functions gives.
const METADATA: [&str; 3] = ["ExecutedVersion", "SdkHttpMetadata", "SdkResponseMetadata"];

/// What a Task calls.
enum Callee {
    /// A function, with its input; whether the answer is wrapped as `lambda:invoke` does.
    Function {
        name: String,
        payload: Expression,
        wrapped: bool,
    },
    /// Refused; it has been said why.
    Refused,
}

impl Importer<'_> {
    /// Imports a Task.
    pub(super) fn task(&mut self, here: &Here<'_>, flow: Flow) -> Steps {
        let state = here.state;
        let input = self.taken(here, &state.input_path, &flow.value);
        let arguments = match &state.parameters {
            Some(template) => self.template(template, here.sight(&input)),
            None => input,
        };
        let Callee::Function {
            name,
            payload,
            wrapped,
        } = self.callee(here, arguments)
        else {
            return self.beyond(here, flow);
        };
        let mut head = Map::new();
        head.insert("kind".into(), "lambda".into());
        head.insert("function".into(), name.into());
        head.extend(self.errors(here));
        let task = self.add(here, "", head, payload, &flow.guard, &flow.after);
        let mut answer = self.drafts.output_of(task);
        let mut steps = Steps::new();
        let mut onward = Flow {
            value: symbol::refused(),
            guard: flow.guard.clone(),
            after: BTreeSet::from([task]),
        };
        if !state.catch.is_empty() {
            let outcome = self.outcome(here, task, &flow);
            onward.after = BTreeSet::from([outcome]);
            steps = self.caught(here, &answer, outcome, &flow);
            onward.guard = Some(BTreeSet::from([(outcome, "ok".to_owned())]));
            answer = at(&answer, "$.ok");
        }
        let result = if wrapped { invoked(answer) } else { answer };
        let result = match &state.result_selector {
            Some(template) => self.template(template, here.sight(&result)),
            None => result,
        };
        onward.value = self.placed(here, &flow.value, result);
        let onward = self.settle(here, onward);
        steps.extend(here.onward(onward));
        steps
    }

    fn callee(&mut self, here: &Here<'_>, arguments: Expression) -> Callee {
        let resource = here.state.resource.as_deref().unwrap_or_default();
        let parts: Vec<&str> = resource.splitn(7, ':').collect();
        let refused = |importer: &mut Self, code, message: String, hint: &str| {
            importer.find(problem(code, &here.path, message).with_hint(hint));
            Callee::Refused
        };
        match parts.as_slice() {
            [name] if is_function(name) => self.function(here, name, arguments, false),
            ["arn", _, "lambda", _, _, "function", _] if is_function(resource) => {
                self.function(here, resource, arguments, false)
            }
            ["arn", _, "states", "", "", "lambda", "invoke"] => self.invoke(here, &arguments),
            ["arn", _, "states", "", "", service, action]
                if [".sync", ".sync:2", ".waitForTaskToken"]
                    .iter()
                    .any(|suffix| action.ends_with(suffix)) =>
            {
                let message =
                    format!("`{service}:{action}` waits for a job or for somebody to answer");
                let hint = "start it and ask for its end within one function or program";
                refused(self, Code::Callback, message, hint)
            }
            ["arn", _, "states", "", "", service, action] => match &self.options.services {
                Some(function) => {
                    let message = format!("`{service}:{action}` is called through `{function}`");
                    self.note(Code::ThroughFunction, &here.path, message);
                    let name = Expression::value(format!("{service}:{action}"));
                    let payload = vec![("resource".into(), name), ("parameters".into(), arguments)];
                    let function = function.clone();
                    self.function(here, &function, symbol::object(payload), false)
                }
                None => {
                    let message = format!("no kind of task calls `{service}:{action}`");
                    let hint =
                        "give a function that calls services: --services NAME (docs/import.md)";
                    refused(self, Code::Service, message, hint)
                }
            },
            ["arn", _, "states", _, _, "activity", _] => {
                let message = "an activity waits for workers of its own".to_owned();
                refused(self, Code::Callback, message, "call a function instead")
            }
            _ => {
                let message = format!("`{resource}` is nothing that a task can call");
                refused(self, Code::Service, message, "name a function")
            }
        }
    }

    fn function(
        &mut self,
        here: &Here<'_>,
        name: &str,
        payload: Expression,
        wrapped: bool,
    ) -> Callee {
        if is_function(name) {
            return Callee::Function {
                name: name.to_owned(),
                payload,
                wrapped,
            };
        }
        let message = format!("`{name}` is not a name of a function");
        self.refuse(Code::Function, &here.path, message);
        Callee::Refused
    }

    /// `lambda:invoke`, whose parameters name the function.
    fn invoke(&mut self, here: &Here<'_>, arguments: &Expression) -> Callee {
        let given = here.state.parameters.as_ref().and_then(Value::as_object);
        let given: BTreeSet<&str> = given
            .into_iter()
            .flat_map(Map::keys)
            .map(|name| name.strip_suffix(".$").unwrap_or(name))
            .collect();
        for name in &given {
            if !["FunctionName", "Payload", "InvocationType", "Qualifier"].contains(name) {
                let message = format!("`Parameters.{name}` has no equivalent");
                self.refuse(Code::Field, &here.path, message);
            }
        }
        let text = |name: &str| match at(arguments, &format!("$.{name}")) {
            Expression::Value(Value::String(text)) => Some(text),
            _ => None,
        };
        if given.contains("InvocationType")
            && text("InvocationType").as_deref() != Some("RequestResponse")
        {
            let message =
                "`InvocationType` is another than `RequestResponse`: tasks wait for the answer";
            self.refuse(Code::Field, &here.path, message);
        }
        let (Some(mut name), qualifier) = (text("FunctionName"), text("Qualifier")) else {
            let message = "the function is only known when it runs";
            self.refuse(Code::Function, &here.path, message);
            return Callee::Refused;
        };
        match (given.contains("Qualifier"), qualifier) {
            (true, Some(qualifier)) => name = format!("{name}:{qualifier}"),
            (true, None) => {
                let message = "the version of the function is only known when it runs";
                self.refuse(Code::Function, &here.path, message);
                return Callee::Refused;
            }
            (false, _) => {}
        }
        let payload = if given.contains("Payload") {
            at(arguments, "$.Payload")
        } else {
            Expression::Value(json!({}))
        };
        self.function(here, &name, payload, true)
    }

    /// The task that says how a call ended: well, or by which catcher it was caught.
    fn outcome(&mut self, here: &Here<'_>, task: Draft, flow: &Flow) -> Draft {
        let answer = self.drafts.output_of(task);
        let present = |path: &str| {
            let of = Box::new(at(&answer, path));
            Expression::Is("IsPresent".to_owned(), of)
        };
        let mut members = vec![("ok".to_owned(), present("$.ok"))];
        for index in 0..here.state.catch.len() {
            let this = Expression::Test(
                "NumericEquals".to_owned(),
                Box::new(at(&answer, "$.by")),
                Box::new(Expression::value(index)),
            );
            members.push((way(index), Expression::And(vec![present("$.by"), this])));
        }
        let ways: Vec<String> = members.iter().map(|(name, _)| name.clone()).collect();
        let after = BTreeSet::from([task]);
        let expression = symbol::object(members);
        let outcome = self.compose(here, "outcome", expression, &flow.guard, &after);
        self.choices.add(outcome, flow.guard.clone(), ways);
        outcome
    }

    /// The ways on from an error that was caught.
    fn caught(
        &mut self,
        here: &Here<'_>,
        answer: &Expression,
        outcome: Draft,
        flow: &Flow,
    ) -> Steps {
        let mut steps = Steps::new();
        for (index, catcher) in here.state.catch.iter().enumerate() {
            let error = at(answer, "$.caught");
            let value = self.put(here, &catcher.result_path, &flow.value, error);
            let flow = Flow {
                value,
                guard: Some(BTreeSet::from([(outcome, way(index))])),
                after: BTreeSet::from([outcome]),
            };
            steps.push((Some(catcher.next.clone()), flow));
        }
        steps
    }
}

fn way(index: usize) -> String {
    format!("catch-{index}")
}

/// What `lambda:invoke` makes of an answer.
fn invoked(answer: Expression) -> Expression {
    let mut members = vec![
        ("Payload".to_owned(), answer),
        ("StatusCode".to_owned(), Expression::value(200)),
    ];
    members.extend(METADATA.map(|name| (name.to_owned(), symbol::metadata(name))));
    symbol::object(members)
}

fn at(value: &Expression, path: &str) -> Expression {
    symbol::part(value, &Path::parse(path).unwrap_or_default())
}

/// Whether the language takes it as a function.
fn is_function(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_:/.$-".contains(c);
    (1..=170).contains(&name.len()) && name.chars().all(plain)
}
