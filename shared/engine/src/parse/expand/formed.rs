//! What a task may be made into, once the defaults of its document are known.

use foreshard_model::sculpt::{Equivalent, Merge, MergeTask};
use foreshard_model::units::Mib;
use foreshard_model::workflow::{Affinity, Extras, Synthetic, TaskKind};

use super::{Expansion, Frame};
use crate::parse::draft::{Forms, Settings};
use crate::parse::settings::{cpu_ms, default_timeout_ms, resources};

impl Expansion<'_> {
    /// The rare settings with what the task may be made into, whose own settings go before the task's, and those before the
    /// document's.
    pub(super) fn formed(
        &mut self,
        forms: Forms,
        extras: Option<Box<Extras>>,
        kind: &TaskKind,
        own: &Settings,
        frame: &Frame,
    ) -> Box<Extras> {
        let given = self.world.members[frame.part.unit].unit.defaults;
        let mut extras = extras.unwrap_or_default();
        for form in forms.equivalents {
            let settings = form.settings.over(own);
            let resources = resources(&settings, &given);
            let kind = match form.kind {
                Some(other) => self.kind(other, frame),
                None => with_memory(kind.clone(), resources.memory),
            };
            let timeout_ms = settings.timeout_ms.or(given.timeout_ms);
            let estimate_ms = settings.estimate_ms.or_else(|| cpu_ms(&kind));
            extras.equivalents.push(Equivalent {
                kind,
                resources,
                affinity: Affinity {
                    require: form.require.into_iter().collect(),
                    prefer: form.prefer.into_iter().collect(),
                    ..extras.affinity.clone()
                },
                estimate_ms,
                timeout_ms: timeout_ms.unwrap_or_else(|| default_timeout_ms(estimate_ms)),
                note: form.note,
            });
        }
        extras.split = forms.split.map(|form| {
            let mut split = form.split;
            if let Some(merge) = form.merge {
                let timeout_ms = merge.settings.timeout_ms.or(given.timeout_ms);
                let memory = merge.settings.memory.or(own.memory);
                let settings = Settings {
                    memory,
                    ..merge.settings
                };
                split.merge = Merge::Task(Box::new(MergeTask {
                    kind: self.kind(merge.kind, frame),
                    resources: resources(&settings, &given),
                    estimate_ms: settings.estimate_ms,
                    timeout_ms: timeout_ms
                        .unwrap_or_else(|| default_timeout_ms(settings.estimate_ms)),
                }));
            }
            Box::new(split)
        });
        extras
    }
}

/// A synthetic load holds the memory that its task has.
pub(super) fn with_memory(kind: TaskKind, memory: Mib) -> TaskKind {
    match kind {
        TaskKind::Synthetic(load) => TaskKind::Synthetic(Synthetic { memory, ..load }),
        other => other,
    }
}
