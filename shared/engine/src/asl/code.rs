//! The codes of everything that an import can say; `docs/errors.md` has a section for each.

use crate::codes::codes;

codes! {
    /// What there is to say, as a stable code. FS5001 to FS5049 refuse, FS5050 and above are differences.
    pub(super) Code

    /// Not a definition in the States Language.
    NotADefinition = "FS5001",
    /// A `${Placeholder}` without a value.
    Placeholder = "FS5002",
    /// A state that is not there, or is never reached.
    NoState = "FS5003",
    /// States that lead back to an earlier one.
    Loop = "FS5004",
    /// JSONata.
    Jsonata = "FS5005",
    /// A service that no kind of task calls.
    Service = "FS5006",
    /// A job that is waited for, or a token that somebody sends back.
    Callback = "FS5007",
    /// A field without equivalent.
    Field = "FS5008",
    /// A function whose name is only known at run time.
    Function = "FS5009",
    /// A Map over a list whose length is only known at run time.
    MapLength = "FS5010",
    /// A Map over what lies in S3, in batches, or with failures tolerated.
    MapSource = "FS5011",
    /// Retry or Catch of a Parallel or a Map.
    Group = "FS5012",
    /// A path that is not understood.
    Path = "FS5013",
    /// An intrinsic function that cannot be repeated, or is not known.
    Intrinsic = "FS5014",
    /// A member of the context object without equivalent.
    Context = "FS5015",
    /// A part of an answer that only Step Functions gives.
    Answer = "FS5016",
    /// A wait that is too long, or until a point in time.
    Wait = "FS5017",
    /// More tasks than an import makes.
    TooMany = "FS5018",
    /// A rule of a Choice that is not understood.
    Rule = "FS5019",
    /// Difference: the metadata of calls is left out.
    Metadata = "FS5050",
    /// Difference: an execution's ARN is the run's id.
    Identity = "FS5051",
    /// Difference: a time limit of the whole.
    WholeTimeout = "FS5052",
    /// Difference: repeats end with the time of a task.
    RetryTime = "FS5053",
    /// Difference: a service is called through a function.
    ThroughFunction = "FS5054",
}

impl Code {
    /// Whether the import is refused for it.
    pub(super) fn refuses(self) -> bool {
        self < Self::Metadata
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_code_is_its_own_and_has_a_section() {
        crate::codes::check(super::Code::ALL.iter().map(|code| code.as_str()));
    }
}
