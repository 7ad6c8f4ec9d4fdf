//! The names of one list of tasks: which task each means, and where its tasks stand when everything is expanded.

use super::code::Code;
use super::draft::Draft;
use super::names::Symbol;
use super::order::position;
use super::problems::{Trouble, did_you_mean, shown};
use super::world::{PartId, World};

/// The names of one part.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    /// Ids and positions, by id.
    index: Vec<(Symbol, u32)>,
    /// For each task: where its tasks begin among those of the part when it is expanded. One more than there are tasks.
    offsets: Vec<u32>,
    /// The tasks that are references, and the parts that they lead to.
    targets: Vec<(u32, PartId)>,
}

/// A task that a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The task of the list that the name begins with.
    pub(crate) top: u32,
    /// Where the task itself stands when the list is expanded.
    pub(crate) offset: u32,
    /// The task itself: part and position.
    pub(crate) part: PartId,
    pub(crate) task: u32,
}

impl Scope {
    /// The position of the task with this id.
    pub(crate) fn find(&self, id: Symbol) -> Option<u32> {
        let found = self.index.binary_search_by_key(&id, |(id, _)| *id);
        found.ok().map(|place| self.index[place].1)
    }

    /// The part that a reference leads to.
    fn target(&self, task: u32) -> Option<PartId> {
        let found = self.targets.binary_search_by_key(&task, |(task, _)| *task);
        found.ok().map(|place| self.targets[place].1)
    }

    /// Where a task itself stands when the list is expanded: after all that it expands to.
    pub(crate) fn offset(&self, task: u32) -> u32 {
        self.offsets[task as usize + 1] - 1
    }

    /// Where what a task expands to begins.
    pub(crate) fn start(&self, task: u32) -> u32 {
        self.offsets[task as usize]
    }
}

/// The scopes of all parts; reports ids that are given twice.
pub(crate) fn scopes(world: &mut World) -> Scopes {
    let mut all = Vec::new();
    for (unit, member) in world.members.iter().enumerate() {
        let parts = 0..member.unit.parts.len();
        let scopes = parts.map(|part| scope(world, PartId { unit, part }));
        all.push(scopes.collect());
    }
    for id in world.ids() {
        twice(world, id);
    }
    Scopes(all)
}

/// The scope of every part.
pub(crate) struct Scopes(Vec<Vec<Scope>>);

impl Scopes {
    /// The scope of one part.
    pub(crate) fn of(&self, id: PartId) -> &Scope {
        &self.0[id.unit][id.part]
    }

    /// The task that a name means in a part: an id, or `reference/task` for one inside a sub-workflow.
    pub(crate) fn slot(&self, world: &World, part: PartId, name: Symbol) -> Option<Slot> {
        let scope = self.of(part);
        if let Some(task) = scope.find(name) {
            return Some(Slot {
                top: task,
                offset: scope.offset(task),
                part,
                task,
            });
        }
        let text = world.members[part.unit].unit.names.text(name);
        self.inside(world, part, text)
    }

    /// As [`Scopes::slot`], by text. Recursion is at most as deep as the name has parts, and sub-workflows nest.
    fn inside(&self, world: &World, part: PartId, text: &str) -> Option<Slot> {
        let scope = self.of(part);
        let (head, rest) = match text.split_once('/') {
            Some((head, rest)) => (head, Some(rest)),
            None => (text, None),
        };
        let top = scope.find(world.members[part.unit].unit.names.find(head)?)?;
        let Some(rest) = rest else {
            return Some(Slot {
                top,
                offset: scope.offset(top),
                part,
                task: top,
            });
        };
        let target = scope.target(top)?;
        let inner = self.inside(world, target, rest)?;
        Some(Slot {
            top,
            offset: scope.start(top) + inner.offset,
            ..inner
        })
    }

    /// The problem of a name that means no task.
    pub(crate) fn unknown(
        world: &World,
        part: PartId,
        name: &str,
        mark: super::problems::Mark,
    ) -> Trouble {
        let message = format!("there is no task `{}`", shown(name));
        let trouble = Trouble::new(Code::UnknownTask, mark, message);
        let drafts = &world.part(part).drafts;
        let names = &world.members[part.unit].unit.names;
        let ids = drafts.iter().map(|draft| names.text(draft.id));
        match did_you_mean(name, ids.filter(|id| !id.is_empty())) {
            Some(hint) => trouble.hint(hint),
            None => trouble,
        }
    }
}

fn scope(world: &World, id: PartId) -> Scope {
    let drafts = &world.part(id).drafts;
    let mut index: Vec<(Symbol, u32)> = drafts
        .iter()
        .enumerate()
        .map(|(place, draft)| (draft.id, position(place)))
        .collect();
    index.sort_unstable();
    index.dedup_by_key(|(id, _)| *id);
    let mut offsets = Vec::with_capacity(drafts.len() + 1);
    let mut sum = 0_u32;
    offsets.push(0);
    for draft in drafts {
        sum = sum.saturating_add(position(world.size_of(id, draft)));
        offsets.push(sum);
    }
    let targets = drafts.iter().enumerate().filter_map(|(place, draft)| {
        let target = world.target(id, &draft.reference()?.workflow)?;
        Some((position(place), target))
    });
    Scope {
        index,
        offsets,
        targets: targets.collect(),
    }
}

fn twice(world: &mut World, id: PartId) {
    let unit = &world.members[id.unit].unit;
    let drafts = &unit.parts[id.part].drafts;
    let mut order: Vec<(Symbol, usize)> = drafts
        .iter()
        .enumerate()
        .map(|(place, draft)| (draft.id, place))
        .collect();
    order.sort_unstable();
    let line = |draft: &Draft| draft.mark.line;
    let found: Vec<(usize, Trouble)> = order
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|same| same.len() > 1 && !unit.names.text(same[0].0).is_empty())
        .flat_map(|same| {
            let first = same[0].1;
            same[1..].iter().map(move |(symbol, place)| {
                let message = format!(
                    "the id `{}` is taken by tasks[{first}] in line {}",
                    shown(unit.names.text(*symbol)),
                    line(&drafts[first])
                );
                let trouble = Trouble::new(Code::DuplicateId, drafts[*place].mark, message);
                (
                    *place,
                    trouble.hint("ids are unique within a list of tasks"),
                )
            })
        })
        .take(foreshard_model::limits::PROBLEMS_REPORTED + 1)
        .collect();
    for (place, trouble) in found {
        world.report(id, &format!("tasks[{place}].id"), trouble);
    }
}
