//! Walks the states of a machine in order, each once, and keeps what became of them.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::problem::{Problem, Severity};
use serde_json::{Map, Value};

use super::code::Code;
use super::definition::{Machine, State};
use super::emit::Drafts;
use super::flow::{Choices, Flow};
use super::order::order;
use super::payload::Sight;
use super::symbol::{self, RUN};
use super::{Import, Options, Outcome, StateReport, problem};
use crate::expression::Expression;
use crate::expression::path::Path;

/// A value that is built of more than this becomes a task of its own: expressions stay readable, and do not double with
/// every Choice.
const PARTS_MAX: usize = 60;
const DEPTH_MAX: usize = 8;

/// One import.
pub(super) struct Importer<'o> {
    pub(super) options: &'o Options,
    pub(super) drafts: Drafts,
    pub(super) choices: Choices,
    pub(super) uuids: usize,
    findings: Vec<Problem>,
    reports: Vec<StateReport>,
}

/// Where a machine lies.
#[derive(Clone)]
pub(super) struct Place {
    /// What the names of its states begin with in reports.
    pub(super) path: String,
    /// What the ids of its tasks begin with.
    pub(super) ids: String,
    /// The element of the Map around it.
    pub(super) item: Option<(Expression, usize)>,
    /// It lies in a Map whose elements are executions of their own.
    pub(super) apart: bool,
}

/// One state on its way to becoming tasks.
pub(super) struct Here<'a> {
    pub(super) state: &'a State,
    /// Its name in reports.
    pub(super) path: String,
    /// The id of its task.
    pub(super) id: String,
    pub(super) place: &'a Place,
}

/// Where a state leads: a flow to a state, or out of the machine.
pub(super) type Steps = Vec<(Option<String>, Flow)>;

impl<'a> Here<'a> {
    /// What templates see with this as `$`.
    pub(super) fn sight<'v>(&'v self, value: &'v Expression) -> Sight<'v> {
        let item = self.place.item.as_ref();
        Sight {
            state: &self.path,
            value,
            item: item.map(|(item, index)| (item, *index)),
            apart: self.place.apart,
        }
    }

    /// The one step on from here.
    pub(super) fn onward(&self, flow: Flow) -> Steps {
        vec![(self.state.next.clone(), flow)]
    }
}

impl<'o> Importer<'o> {
    /// Begins with nothing.
    pub(super) fn new(options: &'o Options) -> Self {
        Self {
            options,
            drafts: Drafts::default(),
            choices: Choices::default(),
            uuids: 0,
            findings: Vec::new(),
            reports: Vec::new(),
        }
    }

    /// Imports the whole.
    pub(super) fn machine(mut self, machine: &Machine) -> Import {
        let place = Place {
            path: String::new(),
            ids: String::new(),
            item: None,
            apart: false,
        };
        let entry = Flow {
            value: Expression::input(RUN),
            guard: None,
            after: BTreeSet::new(),
        };
        if let Some(seconds) = machine.timeout_seconds {
            let message = format!("a run has no time limit of {seconds} s as a whole; tasks have");
            self.note(Code::WholeTimeout, "", message);
        }
        let exit = self.level(machine, &place, entry);
        let output = exit.map(|flow| self.output(flow));
        let refused = self.findings.iter().any(|f| f.severity == Severity::Error);
        let document = (!refused).then(|| {
            let name = self.options.name.as_deref().unwrap_or("imported");
            self.drafts
                .document(name, machine.comment.as_deref(), output)
        });
        for report in &mut self.reports {
            let of_state = self.findings.iter().filter(|f| f.path == report.state);
            report.outcome = match of_state.map(|finding| finding.severity).min() {
                Some(Severity::Error) => Outcome::Refused,
                Some(Severity::Note) => Outcome::Differs,
                None => Outcome::Imported,
            };
        }
        Import {
            document,
            states: self.reports,
            findings: self.findings,
        }
    }

    /// Walks one machine; gives what comes out of it, if anything does.
    pub(super) fn level(&mut self, machine: &Machine, place: &Place, entry: Flow) -> Option<Flow> {
        let states = self.states(machine, place);
        let order = order(&states, &machine.start_at);
        let mut arriving: BTreeMap<&str, Vec<Flow>> = BTreeMap::new();
        let mut leaving = Vec::new();
        if states.contains_key(&machine.start_at) {
            arriving.insert(&machine.start_at, vec![entry]);
        } else {
            let message = format!("there is no state `{}` to start at", machine.start_at);
            self.refuse(Code::NoState, &place.path, message);
        }
        for name in &order.states {
            let (Some(state), Some(flows)) = (states.get(*name), arriving.remove(name)) else {
                continue;
            };
            let here = Here {
                state,
                path: format!("{}{name}", place.path),
                id: format!("{}{name}", place.ids),
                place,
            };
            self.report(&here.path, &state.kind, "");
            let flow = self.join(&here, flows);
            let first = self.drafts.len();
            let steps = self.state(&here, machine, flow);
            self.became(&here, first);
            for (target, flow) in steps {
                match target {
                    None => leaving.push(flow),
                    Some(target) if order.back.contains(&(*name, target.as_str())) => {
                        let message = format!(
                            "it leads back to `{target}`: a workflow is a graph without circles"
                        );
                        self.refuse(Code::Loop, &here.path, message);
                    }
                    Some(target) => match states.get_key_value(&target) {
                        Some((known, _)) => arriving.entry(known).or_default().push(flow),
                        None => {
                            let message = format!("it leads to `{target}`, which is not there");
                            self.refuse(Code::NoState, &here.path, message);
                        }
                    },
                }
            }
        }
        for (name, value) in &machine.states {
            let kind = value["Type"].as_str().unwrap_or("?");
            let path = format!("{}{name}", place.path);
            self.report(&path, kind, "nothing: it is never reached");
        }
        self.end(place, leaving)
    }

    /// Brings together what leaves a machine; nothing where every way through it fails.
    fn end(&mut self, place: &Place, leaving: Vec<Flow>) -> Option<Flow> {
        let end = State::default();
        let here = Here {
            state: &end,
            path: place.path.trim_end_matches('/').to_owned(),
            id: format!("{}end", place.ids),
            place,
        };
        (!leaving.is_empty()).then(|| self.join(&here, leaving))
    }

    fn states(&mut self, machine: &Machine, place: &Place) -> BTreeMap<String, State> {
        let mut states = BTreeMap::new();
        for (name, value) in &machine.states {
            let path = format!("{}{name}", place.path);
            match serde_json::from_value::<State>(value.clone()) {
                Ok(state) => {
                    states.insert(name.clone(), state);
                }
                Err(error) => {
                    let kind = value["Type"].as_str().unwrap_or("?");
                    self.report(&path, kind, "");
                    self.refuse(
                        Code::NotADefinition,
                        &path,
                        format!("it is no state: {error}"),
                    );
                }
            }
        }
        states
    }

    /// Brings together what arrives at a state.
    pub(super) fn join(&mut self, here: &Here<'_>, flows: Vec<Flow>) -> Flow {
        let mut flows = flows.into_iter();
        let Some(mut joined) = flows.next() else {
            return Flow {
                value: symbol::refused(),
                guard: None,
                after: BTreeSet::new(),
            };
        };
        for flow in flows {
            if flow.value != joined.value {
                let condition = self.drafts.condition(&flow.guard);
                let condition = condition.unwrap_or_else(|| Expression::value(true));
                joined.value = Expression::If(
                    Box::new(condition),
                    Box::new(flow.value),
                    Box::new(joined.value),
                );
            }
            joined.guard = self.choices.either(&joined.guard, &flow.guard);
            joined.after.extend(flow.after);
        }
        self.settle(here, joined)
    }

    /// Makes a task of a value that has grown too large to be written wherever it is read.
    pub(super) fn settle(&mut self, here: &Here<'_>, mut flow: Flow) -> Flow {
        let large = flow.value.size() > PARTS_MAX || flow.value.depth() > DEPTH_MAX;
        let plain = matches!(flow.value, Expression::Value(_));
        if large && !plain && symbol::metadata_in(&flow.value).is_none() {
            let task = self.compose(here, "data", flow.value, &flow.guard, &flow.after);
            flow.value = self.drafts.output_of(task);
            flow.after = BTreeSet::from([task]);
        }
        flow
    }

    fn state(&mut self, here: &Here<'_>, machine: &Machine, flow: Flow) -> Steps {
        let state = here.state;
        let language = state
            .query_language
            .as_ref()
            .or(machine.query_language.as_ref());
        if language.is_some_and(|name| name == "JSONata") {
            self.refuse(
                Code::Jsonata,
                &here.path,
                "its data is described in JSONata",
            );
            return self.beyond(here, flow);
        }
        for field in state.other.keys() {
            let code = if state.sources().contains(&field.as_str()) {
                Code::MapSource
            } else {
                Code::Field
            };
            let message = format!("`{field}` has no equivalent");
            self.refuse(code, &here.path, message);
        }
        match state.kind.as_str() {
            "Task" => self.task(here, flow),
            "Pass" => self.pass(here, flow),
            "Succeed" => {
                let value = self.taken(here, &state.input_path, &flow.value);
                let value = self.taken(here, &state.output_path, &value);
                vec![(None, Flow { value, ..flow })]
            }
            "Fail" => self.fail(here, &flow),
            "Wait" => self.wait(here, flow),
            "Choice" => self.choice(here, flow),
            "Parallel" => self.parallel(here, flow),
            "Map" => self.map(here, flow),
            other => {
                let message = format!("there is no type of state `{other}`");
                self.refuse(Code::NotADefinition, &here.path, message);
                self.beyond(here, flow)
            }
        }
    }

    /// Goes on after a state that was refused, so that the states after it are looked at as well.
    pub(super) fn beyond(&mut self, here: &Here<'_>, flow: Flow) -> Steps {
        let flow = Flow {
            value: symbol::refused(),
            ..flow
        };
        let targets = here.state.targets().into_iter();
        let mut steps: Steps = targets
            .map(|target| (Some(target.to_owned()), flow.clone()))
            .collect();
        if steps.is_empty() {
            steps.push((None, flow));
        }
        steps
    }

    fn pass(&mut self, here: &Here<'_>, flow: Flow) -> Steps {
        let state = here.state;
        let input = self.taken(here, &state.input_path, &flow.value);
        let input = match &state.parameters {
            Some(template) => self.template(template, here.sight(&input)),
            None => input,
        };
        let result = state.result.clone().map_or(input, Expression::Value);
        let value = self.placed(here, &flow.value, result);
        let flow = self.settle(here, Flow { value, ..flow });
        here.onward(flow)
    }

    fn wait(&mut self, here: &Here<'_>, flow: Flow) -> Steps {
        let state = here.state;
        let input = self.taken(here, &state.input_path, &flow.value);
        let seconds = match (state.seconds, &state.seconds_path) {
            (Some(seconds), None) if seconds <= super::repeat::SECONDS_MAX => {
                Expression::value(seconds)
            }
            (None, Some(path)) => self.computed(path, here.sight(&input)),
            _ => {
                let limit = super::repeat::SECONDS_MAX;
                let message = format!("it waits for more than {limit} s or until a point in time");
                self.refuse(Code::Wait, &here.path, message)
            }
        };
        let mut head = Map::new();
        head.insert("kind".into(), "handler".into());
        head.insert("handler".into(), "wait".into());
        head.insert("effect".into(), "pure".into());
        head.insert("timeout_s".into(), super::repeat::TASK_SECONDS.into());
        let payload = symbol::object(vec![("seconds".into(), seconds)]);
        let task = self.add(here, "", head, payload, &flow.guard, &flow.after);
        let value = self.taken(here, &state.output_path, &input);
        let after = BTreeSet::from([task]);
        here.onward(Flow {
            value,
            after,
            ..flow
        })
    }

    fn fail(&mut self, here: &Here<'_>, flow: &Flow) -> Steps {
        let state = here.state;
        let mut members = Vec::new();
        let said = [
            ("Error", &state.error, &state.error_path),
            ("Cause", &state.cause, &state.cause_path),
        ];
        for (name, constant, path) in said {
            match (constant, path) {
                (Some(text), _) => members.push((name.into(), Expression::value(text.as_str()))),
                (None, Some(path)) => {
                    members.push((name.into(), self.computed(path, here.sight(&flow.value))));
                }
                (None, None) => {}
            }
        }
        self.end_in_failure(here, "", symbol::object(members), flow);
        Vec::new()
    }

    /// A task that fails, and the run with it.
    pub(super) fn end_in_failure(
        &mut self,
        here: &Here<'_>,
        part: &str,
        said: Expression,
        flow: &Flow,
    ) {
        let mut head = Map::new();
        head.insert("kind".into(), "handler".into());
        head.insert("handler".into(), "fail".into());
        head.insert("effect".into(), "pure".into());
        self.add(here, part, head, said, &flow.guard, &flow.after);
    }

    /// The value at an `InputPath` or `OutputPath`: all of it without one, nothing of it with `null`.
    pub(super) fn taken(
        &mut self,
        here: &Here<'_>,
        path: &Option<Value>,
        value: &Expression,
    ) -> Expression {
        match path {
            None => value.clone(),
            Some(Value::Null) => Expression::Value(Value::Object(Map::new())),
            Some(Value::String(text)) => self.computed(text, here.sight(value)),
            Some(other) => self.refuse(Code::Path, &here.path, format!("`{other}` is no path")),
        }
    }

    /// What a state gives: its result put into what it was given by `ResultPath`, and of that the part at `OutputPath`.
    pub(super) fn placed(
        &mut self,
        here: &Here<'_>,
        given: &Expression,
        result: Expression,
    ) -> Expression {
        let whole = self.put(here, &here.state.result_path, given, result);
        self.taken(here, &here.state.output_path, &whole)
    }

    /// A result put into what a state was given.
    pub(super) fn put(
        &mut self,
        here: &Here<'_>,
        path: &Option<Value>,
        given: &Expression,
        result: Expression,
    ) -> Expression {
        let text = match path {
            None => return result,
            Some(Value::Null) => return given.clone(),
            Some(other) => other.as_str().unwrap_or_default(),
        };
        match Path::parse(text).filter(Path::is_definite) {
            Some(path) => symbol::put(given, &path, result),
            None => {
                let message = format!("`{text}` does not name one place to put a result");
                self.refuse(Code::Path, &here.path, message)
            }
        }
    }

    /// Refuses, and gives what stands for a value.
    pub(super) fn refuse(
        &mut self,
        code: Code,
        path: &str,
        message: impl Into<String>,
    ) -> Expression {
        self.find(problem(code, path, message));
        symbol::refused()
    }

    /// Notes a difference.
    pub(super) fn note(&mut self, code: Code, path: &str, message: impl Into<String>) {
        self.find(problem(code, path, message));
    }

    /// Keeps a finding, once: a Map's states are walked for each of its elements.
    pub(super) fn find(&mut self, finding: Problem) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn report(&mut self, path: &str, kind: &str, becomes: &str) {
        if self.reports.iter().all(|report| report.state != path) {
            self.reports.push(StateReport {
                state: path.to_owned(),
                kind: kind.to_owned(),
                outcome: Outcome::Imported,
                becomes: becomes.to_owned(),
            });
        }
    }

    fn became(&mut self, here: &Here<'_>, first: usize) {
        let becomes = match self.drafts.ids(first) {
            ids if ids.is_empty() => "data of the states after it".to_owned(),
            ids => ids.join(", "),
        };
        let mut reports = self.reports.iter_mut();
        if let Some(report) = reports.find(|report| report.state == here.path)
            && report.becomes.is_empty()
        {
            report.becomes = becomes;
        }
    }
}
