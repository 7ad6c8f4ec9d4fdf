//! The way to a state, for people.

use crate::faults::Fault;
use crate::machine::{Action, Machine};
use crate::process::Input;
use crate::state::{Branch, Slot, State, Token};
use crate::store::Item;
use crate::tape::Op;

impl Machine {
    /// One line about what happened in a state.
    pub(crate) fn shown(&self, state: &State, action: &Action) -> String {
        match action {
            Action::Step(slot, op, turn) => self.step_shown(state, *slot, *op, *turn),
            Action::Fault(Fault::LoseWake(slot, op)) => {
                format!(
                    "FAULT {} and nobody hears it",
                    self.step_shown(state, *slot, *op, 0)
                )
            }
            Action::Fault(fault) | Action::Strike(fault) => format!("FAULT {fault:?}"),
            other => format!("{other:?}"),
        }
    }

    fn step_shown(&self, state: &State, slot: Slot, op: u32, turn: u32) -> String {
        let process = state.process(slot).unwrap_or_default();
        let who = match &*self.nodes.input_of(process) {
            Input::Dispatch(asked) if asked.park => format!("park of lane {}", asked.lane),
            Input::Dispatch(asked) => format!("dispatch of lane {}", asked.lane),
            Input::Work(asked, _) => {
                format!("worker of shard {} attempt {}", asked.shard, asked.attempt)
            }
            other => format!("{other:?}"),
        };
        let orphan = if matches!(slot, Slot::Orphan(_)) {
            ", of whom nobody hears"
        } else {
            ""
        };
        let turned = match turn {
            0 => String::new(),
            by => format!(", turned by {by}"),
        };
        let asked = op_shown(&self.nodes.ops.thing(op));
        format!("{who}{orphan}: {asked}{turned}")
    }

    /// Every item, for people.
    pub(crate) fn items_shown(&self, store: u32) -> String {
        let items = self.stores.of(store).into_iter();
        let lines = items.map(|item| match &*item {
            Item::Run(run) => format!("  run {:?} round {}", run.state, run.round),
            Item::Shard(s) => format!(
                "  shard {} {:?} {:?} v{} attempt {} arrived {:?} released {} {:?}",
                s.id, s.kind, s.state, s.version, s.attempt, s.arrived, s.released, s.cause
            ),
            Item::Lane(l) => {
                let kind = l.answer.as_ref().map(|a| a.kind);
                format!("  lane {} step {} {kind:?} {:?}", l.lane, l.step, l.token)
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Whether somebody waits for this token.
    pub(crate) fn is_alive(&mut self, state: &State, token: &str) -> bool {
        state.branches.iter().any(|branch| match branch {
            Branch::Parking {
                then,
                token: Token::Alive,
                ..
            }
            | Branch::Parked {
                then,
                token: Token::Alive,
            } => *self.token(*then) == *token,
            _ => false,
        })
    }
}

fn op_shown(op: &Op) -> String {
    let Op::Commit(writes) = op else {
        return format!("{op:?}");
    };
    let writes = writes.iter().map(|write| match write {
        foreshard_model::frontier::Write::Run(item, _) => {
            format!("run {:?} v{}", item.state, item.version)
        }
        foreshard_model::frontier::Write::Shard(item, _) => format!(
            "shard {} {:?}{} v{}",
            item.id,
            item.state,
            if item.released { " released" } else { "" },
            item.version
        ),
        foreshard_model::frontier::Write::Lane(item, _) => format!(
            "lane {} step {} {:?} v{}",
            item.lane,
            item.step,
            item.answer.as_ref().map(|a| a.kind),
            item.version
        ),
    });
    format!("commit {}", writes.collect::<Vec<_>>().join(", "))
}
