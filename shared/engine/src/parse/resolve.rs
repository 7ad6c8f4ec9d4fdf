//! Checks one list of tasks as a whole: names, dependencies, mappings, files, parameters.

use std::collections::BTreeSet;

use foreshard_model::workflow::{CONDITION, Effect, WHOLE_INPUT};

use super::code::Code;
use super::draft::{Draft, Mapping, Reference, Work};
use super::names::Symbol;
use super::order::{Lists, order, position};
use super::origin::Origin;
use super::problems::{Mark, Trouble, did_you_mean, shown};
use super::scope::{Scopes, Slot};
use super::upstream::{Question, refused};
use super::world::{PartId, World};

/// Tasks that a message names of one cycle.
const CYCLE_SHOWN: usize = 12;

/// Checks a part and returns what each of its tasks needs, by position.
pub(crate) fn part(world: &mut World, scopes: &Scopes, id: PartId) -> Lists {
    let mut check = Check {
        world,
        scopes,
        id,
        found: Vec::new(),
        asked: Vec::new(),
        questions: Vec::new(),
    };
    let needs = check.needs();
    check.mappings();
    check.shape(&needs);
    let found = check.found;
    for (rest, trouble) in found {
        world.report(id, &rest, trouble);
    }
    needs
}

struct Check<'w> {
    world: &'w World,
    scopes: &'w Scopes,
    id: PartId,
    found: Vec<(String, Trouble)>,
    /// For each question, where it comes from.
    asked: Vec<Asked>,
    questions: Vec<Question>,
}

/// A mapping whose source has to be upstream.
#[derive(Clone, Copy)]
struct Asked {
    task: u32,
    entry: u32,
    field: Field,
}

/// The fields of a task that map.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Inputs,
    Files,
    Params,
}

impl Asked {
    fn mapping(self, draft: &Draft) -> Option<&Mapping> {
        mappings_of(draft, self.field).get(self.entry as usize)
    }

    fn path(self, mapping: &Mapping) -> String {
        let Self { task, entry, .. } = self;
        match self.field {
            Field::Inputs => match mapping.name.as_str() {
                WHOLE_INPUT => format!("tasks[{task}].input"),
                CONDITION => format!("tasks[{task}].when"),
                name => format!("tasks[{task}].inputs.{name}"),
            },
            Field::Files => format!("tasks[{task}].files[{entry}]"),
            Field::Params => format!("tasks[{task}].params.{}", mapping.name),
        }
    }
}

fn mappings_of(draft: &Draft, field: Field) -> &[Mapping] {
    match (field, &draft.work) {
        (Field::Inputs, _) => &draft.body.inputs,
        (Field::Files, _) => &draft.body.files,
        (Field::Params, Work::Reference(reference)) => &reference.params,
        (Field::Params, Work::Task(_)) => &[],
    }
}

impl Check<'_> {
    fn drafts(&self) -> &[Draft] {
        &self.world.part(self.id).drafts
    }

    fn text(&self, name: Symbol) -> &str {
        self.world.members[self.id.unit].unit.names.text(name)
    }

    /// Whether further problems would only be counted.
    fn report(&mut self, rest: String, trouble: Trouble) {
        self.found.push((rest, trouble));
    }

    fn is_full(&self) -> bool {
        self.world.is_full(self.id) || self.found.len() > foreshard_model::limits::PROBLEMS_REPORTED
    }

    fn needs(&mut self) -> Lists {
        let scope = self.scopes.of(self.id);
        let count = self.drafts().len();
        let mut pairs = Vec::new();
        let mut unknown = Vec::new();
        for (index, draft) in self.drafts().iter().enumerate() {
            let task = position(index);
            for (entry, (need, mark)) in draft.needs.iter().enumerate() {
                match scope.find(*need) {
                    Some(need) => pairs.push((task, need)),
                    None => unknown.push((index, entry, *need, *mark)),
                }
            }
        }
        for (index, entry, need, mark) in unknown {
            if self.is_full() {
                break;
            }
            let trouble = Scopes::unknown(self.world, self.id, self.text(need), mark);
            self.report(format!("tasks[{index}].needs[{entry}]"), trouble);
        }
        Lists::of(count, pairs)
    }

    fn mappings(&mut self) {
        for task in 0..self.drafts().len() {
            for field in [Field::Inputs, Field::Files, Field::Params] {
                for entry in 0..mappings_of(&self.drafts()[task], field).len() {
                    self.mapping(Asked {
                        task: position(task),
                        entry: position(entry),
                        field,
                    });
                }
            }
            self.split(task);
            if self.drafts()[task].reference().is_some() {
                self.reference(task);
            }
        }
        let world = self.world;
        for mapping in &world.part(self.id).outputs {
            self.origin(mapping, || format!("outputs.{}", mapping.name));
        }
    }

    /// A task that must not run twice is not cut: a part whose outcome is unknown would leave the others done.
    fn split(&mut self, task: usize) {
        let given = &self.world.members[self.id.unit].unit.defaults;
        let body = &self.drafts()[task].body;
        let Some(split) = body.forms.as_ref().and_then(|forms| forms.split.as_ref()) else {
            return;
        };
        if body.settings.effect.or(given.effect) == Some(Effect::Once) {
            let message = "a task that must not run twice cannot be cut into parts";
            let hint = "set `effect: idempotent` if a repeat is harmless";
            let trouble = Trouble::new(Code::NotSplittable, split.mark, message).hint(hint);
            self.report(format!("tasks[{task}].split"), trouble);
        }
    }

    fn mapping(&mut self, asked: Asked) {
        let world = self.world;
        let draft = &world.part(self.id).drafts[asked.task as usize];
        let Some(mapping) = asked.mapping(draft) else {
            return;
        };
        if let Some(slot) = self.origin(mapping, || asked.path(mapping)) {
            self.asked.push(asked);
            self.questions.push((asked.task, slot.top));
        }
    }

    /// The task that an origin takes from, if it takes from one; reports what does not exist.
    fn origin(&mut self, mapping: &Mapping, path: impl Fn() -> String) -> Option<Slot> {
        if self.is_full() {
            return None;
        }
        match &mapping.origin {
            Origin::Task { task, .. } | Origin::File { task, .. } => {
                let Some(slot) = self.scopes.slot(self.world, self.id, *task) else {
                    let name = self.text(*task);
                    if !self.leads_nowhere(name) {
                        let trouble = Scopes::unknown(self.world, self.id, name, mapping.mark);
                        self.report(path(), trouble);
                    }
                    return None;
                };
                if let Origin::File { file, .. } = &mapping.origin
                    && let Some(trouble) = self.file(slot, file, *task, mapping.mark)
                {
                    self.report(path(), trouble);
                }
                Some(slot)
            }
            Origin::Param(name) => {
                if let Some(trouble) = self.param(name, mapping.mark) {
                    self.report(path(), trouble);
                }
                None
            }
            Origin::Run { .. } | Origin::Constant(_) => None,
        }
    }

    /// Whether a name leads into a sub-workflow that does not exist: that has been reported.
    fn leads_nowhere(&self, name: &str) -> bool {
        let Some((head, _)) = name.split_once('/') else {
            return false;
        };
        let names = &self.world.members[self.id.unit].unit.names;
        let task = names
            .find(head)
            .and_then(|id| self.scopes.of(self.id).find(id));
        task.and_then(|task| self.drafts()[task as usize].reference())
            .is_some_and(|reference| self.world.target(self.id, &reference.workflow).is_none())
    }

    fn file(&self, slot: Slot, file: &str, task: Symbol, mark: Mark) -> Option<Trouble> {
        let writer = &self.world.part(slot.part).drafts[slot.task as usize];
        let name = shown(self.text(task));
        if writer.reference().is_some() {
            let message = format!("`{name}` is a sub-workflow: it leaves no files itself");
            let hint = format!("name the task inside that writes it: `{name}/…`");
            return Some(Trouble::new(Code::UnknownFile, mark, message).hint(hint));
        }
        let writes = &writer.body.writes;
        if writes
            .binary_search_by(|w| w.name.as_str().cmp(file))
            .is_ok()
        {
            return None;
        }
        let message = format!("`{name}` does not write `{}`", shown(file));
        let trouble = Trouble::new(Code::UnknownFile, mark, message);
        Some(
            match did_you_mean(file, writes.iter().map(|w| w.name.as_str())) {
                Some(hint) => trouble.hint(hint),
                None => trouble.hint(format!("list it in the `writes` of `{name}`")),
            },
        )
    }

    fn param(&self, name: &str, mark: Mark) -> Option<Trouble> {
        let params = &self.world.part(self.id).params;
        if params.iter().any(|param| param.name == name) {
            return None;
        }
        let message = format!("there is no parameter `{}` here", shown(name));
        let trouble = Trouble::new(Code::Parameter, mark, message);
        Some(
            match did_you_mean(name, params.iter().map(|p| p.name.as_str())) {
                Some(hint) => trouble.hint(hint),
                None => trouble.hint("declare it in `params`"),
            },
        )
    }

    /// What a reference gives must be what the sub-workflow takes.
    fn reference(&mut self, task: usize) {
        let world = self.world;
        let draft = &world.part(self.id).drafts[task];
        let Some(reference) = draft.reference() else {
            return;
        };
        let Reference {
            workflow,
            params,
            mark,
        } = reference;
        let Some(target) = world.target(self.id, workflow) else {
            return;
        };
        let takes = &world.part(target).params;
        let given: BTreeSet<&str> = params.iter().map(|given| given.name.as_str()).collect();
        for given in params {
            if takes.iter().any(|param| param.name == given.name) {
                continue;
            }
            let message = format!("`{workflow}` has no parameter `{}`", shown(&given.name));
            let trouble = Trouble::new(Code::Parameter, given.mark, message);
            let names = takes.iter().map(|param| param.name.as_str());
            let trouble = match did_you_mean(&given.name, names) {
                Some(hint) => trouble.hint(hint),
                None => trouble,
            };
            self.report(format!("tasks[{task}].params.{}", given.name), trouble);
        }
        for param in takes {
            if param.default.is_none() && !given.contains(param.name.as_str()) {
                let message = format!("`{workflow}` needs the parameter `{}`", param.name);
                let trouble = Trouble::new(Code::Parameter, *mark, message);
                self.report(format!("tasks[{task}].params"), trouble);
            }
        }
    }

    /// No cycles, and no mapping from elsewhere than upstream.
    fn shape(&mut self, needs: &Lists) {
        let order = match order(needs) {
            Ok(order) => order,
            Err(cycles) => {
                for cycle in cycles {
                    self.cycle(&cycle);
                }
                return;
            }
        };
        let refused = match refused(needs, &order, &self.questions) {
            Ok(refused) => refused,
            Err(too_many) => {
                let message = format!(
                    "inputs take from {} different tasks over long distances, more than {}",
                    too_many.0,
                    super::upstream::DISTANT_SOURCES
                );
                let mark = self.world.part(self.id).mark;
                let hint = "name the tasks that inputs take from in `needs`";
                let trouble = Trouble::new(Code::TooManyDistant, mark, message).hint(hint);
                self.report("tasks".to_owned(), trouble);
                return;
            }
        };
        for question in refused {
            if self.is_full() {
                return;
            }
            self.not_upstream(self.asked[question], self.questions[question]);
        }
    }

    fn not_upstream(&mut self, asked: Asked, (task, source): Question) {
        let drafts = self.drafts();
        let Some(mapping) = asked.mapping(&drafts[asked.task as usize]) else {
            return;
        };
        let id = shown(self.text(drafts[task as usize].id));
        let from = shown(self.text(drafts[source as usize].id));
        let message = if task == source {
            format!("`{id}` takes from itself")
        } else {
            format!("`{from}` is not upstream of `{id}`: it may not have run")
        };
        let hint =
            format!("add `{from}` to the `needs` of `{id}`; a mapping implies no dependency");
        let trouble = Trouble::new(Code::NotUpstream, mapping.mark, message);
        let trouble = if task == source {
            trouble
        } else {
            trouble.hint(hint)
        };
        let path = asked.path(mapping);
        self.report(path, trouble);
    }

    fn cycle(&mut self, cycle: &[u32]) {
        let drafts = self.drafts();
        let name = |task: &u32| format!("`{}`", shown(self.text(drafts[*task as usize].id)));
        let mut names: Vec<String> = cycle.iter().take(CYCLE_SHOWN).map(name).collect();
        if cycle.len() > CYCLE_SHOWN {
            names.push(format!("… {} more", cycle.len() - CYCLE_SHOWN));
        }
        names.extend(cycle.first().map(name));
        let message = format!("tasks wait for each other: {}", names.join(" → "));
        // The need that closes the circle: the first task waits for the last one.
        let (first, last) = (cycle[0], cycle[cycle.len() - 1]);
        let draft = &drafts[first as usize];
        let last_id = drafts[last as usize].id;
        let entry = draft.needs.iter().position(|(need, _)| *need == last_id);
        let mark = entry.map_or(draft.mark, |entry| draft.needs[entry].1);
        let rest = format!("tasks[{first}].needs[{}]", entry.unwrap_or(0));
        let trouble = Trouble::new(Code::Cycle, mark, message).hint("remove one of these `needs`");
        self.report(rest, trouble);
    }
}
