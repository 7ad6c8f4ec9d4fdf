//! All documents of one workflow together: its own, and the registered ones that it refers to.

use std::collections::BTreeMap;

use foreshard_model::limits::{SUB_WORKFLOW_DEPTH, UPLOADED_DOCUMENT_BYTES, WORKFLOW_TASKS};

use super::Library;
use super::code::Code;
use super::draft::{Draft, Reference, Work};
use super::problems::{Mark, Problems, Trouble, did_you_mean, shown};
use super::read::{Content, Part, Unit, read};

/// One list of tasks: which document, which part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PartId {
    pub(crate) unit: usize,
    pub(crate) part: usize,
}

/// What a part expands to.
#[derive(Debug, Clone, Copy, Default)]
struct Extent {
    tasks: usize,
    height: usize,
}

/// The tasks that the user submitted.
pub(crate) const MAIN: PartId = PartId { unit: 0, part: 0 };

/// A document with its name in the library; the submitted one has none.
pub(crate) struct Member {
    pub(crate) label: String,
    pub(crate) unit: Unit,
    pub(crate) problems: Problems,
}

/// Documents, and where each reference leads.
pub(crate) struct World {
    pub(crate) members: Vec<Member>,
    labels: BTreeMap<String, usize>,
    /// Positions of parts by unit and name; filled with the members.
    parts: BTreeMap<(usize, String), usize>,
    /// How many tasks each part expands to, and how deeply sub-workflows nest in it.
    sizes: BTreeMap<PartId, Extent>,
}

impl Draft {
    /// The reference, if the task is one.
    pub(crate) fn reference(&self) -> Option<&Reference> {
        match &self.work {
            Work::Reference(reference) => Some(reference),
            Work::Task(_) => None,
        }
    }
}

/// The registered workflows that a document names, as name and version.
pub(crate) fn registered(unit: &Unit) -> Vec<(String, String)> {
    let drafts = unit.parts.iter().flat_map(|part| &part.drafts);
    let mut names: Vec<(String, String)> = drafts
        .filter_map(|draft| draft.reference()?.workflow.split_once('@'))
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .collect();
    names.sort();
    names.dedup();
    names
}

impl World {
    /// Reads every registered workflow that is needed, directly or not; those that are not in the library are reported
    /// where they are named.
    pub(crate) fn new(unit: Unit, problems: Problems, library: &Library) -> Self {
        let mut world = Self {
            members: Vec::new(),
            labels: BTreeMap::new(),
            parts: BTreeMap::new(),
            sizes: BTreeMap::new(),
        };
        let mut wanted = registered(&unit);
        world.add(String::new(), unit, problems);
        while let Some(key) = wanted.pop() {
            let label = format!("{}@{}", key.0, key.1);
            let Some(bytes) = library
                .get(&key)
                .filter(|_| !world.labels.contains_key(&label))
            else {
                continue;
            };
            let mut problems = Problems::default();
            let mut unit = match read(bytes.as_slice(), UPLOADED_DOCUMENT_BYTES, &mut problems) {
                Some(Content::Document(unit)) => *unit,
                Some(Content::Trace(_)) => {
                    let message = "a trace in WfFormat cannot be used as a sub-workflow";
                    problems.push(
                        "",
                        Trouble::new(Code::UnknownWorkflow, Mark::default(), message),
                    );
                    Unit::default()
                }
                None => Unit::default(),
            };
            if unit.parts.is_empty() {
                unit.parts.push(Part::default());
            }
            wanted.extend(registered(&unit));
            world.add(label, unit, problems);
        }
        world
    }

    fn add(&mut self, label: String, unit: Unit, problems: Problems) {
        let index = self.members.len();
        for (part, Part { name, .. }) in unit.parts.iter().enumerate() {
            self.parts.entry((index, name.clone())).or_insert(part);
        }
        self.labels.insert(label.clone(), index);
        self.members.push(Member {
            label,
            unit,
            problems,
        });
    }

    /// Every part of every document.
    pub(crate) fn ids(&self) -> Vec<PartId> {
        let units = self.members.iter().enumerate();
        units
            .flat_map(|(unit, member)| {
                (0..member.unit.parts.len()).map(move |part| PartId { unit, part })
            })
            .collect()
    }

    /// One part.
    pub(crate) fn part(&self, id: PartId) -> &Part {
        &self.members[id.unit].unit.parts[id.part]
    }

    /// Reports a problem at a place in a part.
    pub(crate) fn report(&mut self, id: PartId, rest: &str, trouble: Trouble) {
        let path = self.part(id).path(rest);
        self.members[id.unit].problems.push(path, trouble);
    }

    /// Whether further problems of the part's document are only counted.
    pub(crate) fn is_full(&self, id: PartId) -> bool {
        self.members[id.unit].problems.is_full()
    }

    /// Where a reference of a part leads.
    pub(crate) fn target(&self, from: PartId, workflow: &str) -> Option<PartId> {
        if workflow.contains('@') {
            let unit = *self.labels.get(workflow)?;
            return Some(PartId { unit, part: 0 });
        }
        let part = *self.parts.get(&(from.unit, workflow.to_owned()))?;
        (part > 0).then_some(PartId {
            unit: from.unit,
            part,
        })
    }

    /// How many tasks a part expands to; 0 before [`World::measure`].
    pub(crate) fn size(&self, id: PartId) -> usize {
        self.sizes.get(&id).map_or(0, |extent| extent.tasks)
    }

    /// How many tasks one task of a part expands to.
    pub(crate) fn size_of(&self, from: PartId, draft: &Draft) -> usize {
        let inner = draft
            .reference()
            .and_then(|reference| self.target(from, &reference.workflow));
        1 + inner.map_or(0, |id| self.size(id))
    }

    /// Follows all references: reports unknown ones, cycles, depth, and more tasks than allowed.
    pub(crate) fn measure(&mut self) {
        self.unknown_references();
        let mut walk = Walk {
            open: Vec::new(),
            found: Vec::new(),
        };
        for id in self.ids() {
            self.visit(id, &mut walk);
        }
        for (id, rest, trouble) in walk.found {
            self.report(id, &rest, trouble);
        }
        let total = self.size(MAIN);
        if total > WORKFLOW_TASKS {
            let message = format!(
                "with its sub-workflows the workflow has {total} tasks, more than {WORKFLOW_TASKS}"
            );
            let mark = self.part(MAIN).mark;
            self.report(
                MAIN,
                "tasks",
                Trouble::new(Code::TooManyTasks, mark, message),
            );
        }
    }

    fn unknown_references(&mut self) {
        let mut found = Vec::new();
        for id in self.ids() {
            for (index, draft) in self.part(id).drafts.iter().enumerate() {
                let Some(reference) = draft.reference() else {
                    continue;
                };
                let name = reference.workflow.as_str();
                // A name that was refused has been reported.
                if name.is_empty() || self.target(id, name).is_some() {
                    continue;
                }
                found.push((
                    id,
                    format!("tasks[{index}].workflow"),
                    self.unknown(id, reference),
                ));
            }
        }
        for (id, rest, trouble) in found {
            self.report(id, &rest, trouble);
        }
    }

    fn unknown(&self, id: PartId, reference: &Reference) -> Trouble {
        let name = reference.workflow.as_str();
        if name.contains('@') {
            let message = format!("no workflow is registered as `{}`", shown(name));
            let hint = "register it first, or check name and version";
            return Trouble::new(Code::UnknownWorkflow, reference.mark, message).hint(hint);
        }
        let message = format!("there is no sub-workflow `{}` in `workflows`", shown(name));
        let trouble = Trouble::new(Code::UnknownWorkflow, reference.mark, message);
        let parts = &self.members[id.unit].unit.parts;
        let names = parts.iter().skip(1).map(|part| part.name.as_str());
        match did_you_mean(name, names) {
            Some(hint) => trouble.hint(hint),
            None => trouble.hint("a registered workflow is written `name@version`"),
        }
    }

    /// Sizes a part after all that it refers to. Recursion is at most as deep as references may be.
    fn visit(&mut self, id: PartId, walk: &mut Walk) -> Extent {
        if let Some(extent) = self.sizes.get(&id) {
            return *extent;
        }
        walk.open.push(id);
        let mut extent = Extent {
            tasks: self.part(id).drafts.len(),
            height: 0,
        };
        for (index, target, mark) in self.references(id) {
            match self.follow(target, mark, walk) {
                Ok(inner) => {
                    extent.tasks = extent.tasks.saturating_add(inner.tasks);
                    extent.height = extent.height.max(inner.height + 1);
                }
                Err(trouble) => {
                    let rest = format!("tasks[{index}].workflow");
                    walk.found.push((id, rest, trouble));
                }
            }
        }
        walk.open.pop();
        self.sizes.insert(id, extent);
        extent
    }

    fn references(&self, id: PartId) -> Vec<(usize, PartId, Mark)> {
        let drafts = self.part(id).drafts.iter().enumerate();
        drafts
            .filter_map(|(index, draft)| {
                let reference = draft.reference()?;
                let target = self.target(id, &reference.workflow)?;
                Some((index, target, reference.mark))
            })
            .collect()
    }

    fn follow(&mut self, target: PartId, mark: Mark, walk: &mut Walk) -> Result<Extent, Trouble> {
        if let Some(start) = walk.open.iter().position(|open| *open == target) {
            let names: Vec<String> = walk.open[start..]
                .iter()
                .chain([&target])
                .map(|id| format!("`{}`", self.name(*id)))
                .collect();
            let message = format!("sub-workflows contain each other: {}", names.join(" → "));
            return Err(Trouble::new(Code::ReferenceCycle, mark, message));
        }
        let too_deep = || {
            let message = format!("sub-workflows nest more than {SUB_WORKFLOW_DEPTH} deep");
            Err(Trouble::new(Code::ReferenceDepth, mark, message))
        };
        if walk.open.len() > SUB_WORKFLOW_DEPTH {
            return too_deep();
        }
        let extent = self.visit(target, walk);
        if walk.open.len() + extent.height > SUB_WORKFLOW_DEPTH {
            return too_deep();
        }
        Ok(extent)
    }

    /// A part as users call it.
    fn name(&self, id: PartId) -> String {
        let member = &self.members[id.unit];
        match (id.part, member.label.as_str()) {
            (0, "") => member.unit.name.clone(),
            (0, label) => label.to_owned(),
            _ => self.part(id).name.clone(),
        }
    }
}

struct Walk {
    open: Vec<PartId>,
    found: Vec<(PartId, String, Trouble)>,
}
