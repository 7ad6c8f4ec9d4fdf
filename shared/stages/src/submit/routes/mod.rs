//! The table of routes, a file for each kind of thing that they are about.

mod deployment;
mod runs;
mod schedules;
mod workflows;

use schemars::json_schema;

use super::table::{At, Parameter, Route, Shape};

/// Every route there is.
pub(super) const TABLE: &[&[Route]] = &[
    runs::ROUTES,
    workflows::ROUTES,
    schedules::ROUTES,
    deployment::ROUTES,
];

/// What may stand in a segment of a path.
pub(super) struct Segment {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) shape: Shape,
}

/// The segments that vary, by name.
pub(super) const SEGMENTS: &[Segment] = &[
    Segment {
        name: "run",
        about: "Id of a run.",
        shape: |_| json_schema!({"type": "string", "pattern": "^r-[a-z2-7]{20}$"}),
    },
    Segment {
        name: "name",
        about: "Name of a registered workflow.",
        shape: |_| json_schema!({"type": "string", "pattern": "^[a-z0-9-]{1,64}$"}),
    },
    Segment {
        name: "schedule",
        about: "Name of a schedule; `<workflow>.<name>` when a workflow's document declares it.",
        shape: |_| json_schema!({"type": "string", "pattern": "^[a-z0-9.-]{1,97}$"}),
    },
    Segment {
        name: "version",
        about: "Version of a registered workflow.",
        shape: |_| json_schema!({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$"}),
    },
];

/// `limit`: how many entries a page has.
const fn limit<const DEFAULT: usize, const MOST: usize>() -> Parameter {
    Parameter {
        at: At::Query,
        name: "limit",
        about: "Most entries of the page; a number above the page's greatest counts as that.",
        shape: |_| {
            json_schema!({
                "type": "integer", "minimum": 1, "default": DEFAULT,
                "description": format!("At most {MOST} entries are answered.")
            })
        },
    }
}

/// `after`: where a page begins.
const AFTER: Parameter = Parameter {
    at: At::Query,
    name: "after",
    about: "`next` of the page before; the first page when absent.",
    shape: |_| json_schema!({"type": "string", "maxLength": super::cursor::AFTER_CHARS}),
};
