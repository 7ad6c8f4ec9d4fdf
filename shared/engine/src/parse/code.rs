//! The codes of everything that can be wrong with a document; `docs/errors.md` has a section for each.

use crate::codes::codes;

codes! {
    /// What is wrong, as a stable code.
    pub(crate) Code

    /// There are more problems than are reported.
    More = "FS1000",
    /// Nothing in it.
    Empty = "FS1001",
    /// Not UTF-8 text.
    NotText = "FS1002",
    /// More bytes than allowed.
    TooLarge = "FS1003",
    /// It could not be read to its end.
    Unreadable = "FS1004",
    /// Neither YAML nor JSON.
    Syntax = "FS1005",
    /// Lists and objects within each other too deeply.
    TooDeep = "FS1006",
    /// Aliases that repeat too much, or name nothing.
    Alias = "FS1007",
    /// More values in one place than allowed.
    TooManyValues = "FS1008",
    /// YAML that documents do not use: tags, several documents, keys that are not text.
    NotUsed = "FS1009",
    /// Neither a workflow document nor WfFormat 1.5.
    NotAWorkflow = "FS1010",
    /// Another type of value is wanted.
    WrongType = "FS1011",
    /// No such field.
    UnknownField = "FS1012",
    /// A field is missing.
    MissingField = "FS1013",
    /// A field is given twice.
    DuplicateField = "FS1014",
    /// A number or a length outside its range.
    OutOfRange = "FS1015",
    /// A text that does not have the form wanted.
    BadText = "FS1016",
    /// A field that this kind of task does not have.
    NotForKind = "FS1017",
    /// A word that is not one of those possible.
    UnknownWord = "FS1018",
    /// A list that names something twice.
    Repeated = "FS1019",
    /// Two tasks with one id.
    DuplicateId = "FS1020",
    /// A task that does not exist.
    UnknownTask = "FS1021",
    /// Tasks that wait for each other.
    Cycle = "FS1022",
    /// A mapping from a task that is not upstream.
    NotUpstream = "FS1023",
    /// Not a JSONPath.
    BadPath = "FS1024",
    /// Not a URL that can be called.
    BadUrl = "FS1025",
    /// Not a file name that a scratch folder can hold.
    BadFileName = "FS1026",
    /// A file that its task does not declare.
    UnknownFile = "FS1027",
    /// Not exactly one source of a value or file.
    Source = "FS1028",
    /// Parameters that are missing, unknown, or of the other sort.
    Parameter = "FS1029",
    /// A sub-workflow that does not exist.
    UnknownWorkflow = "FS1030",
    /// Sub-workflows that contain each other.
    ReferenceCycle = "FS1031",
    /// Sub-workflows within sub-workflows too deeply.
    ReferenceDepth = "FS1032",
    /// More tasks than a workflow may have.
    TooManyTasks = "FS1033",
    /// More mappings from distant tasks than can be checked.
    TooManyDistant = "FS1034",
    /// What a task is to be cut by is not there.
    SplitBy = "FS1035",
    /// Bounds of a split that leave nothing.
    SplitBounds = "FS1036",
    /// A merge that does not fit its task.
    Merge = "FS1037",
    /// A task that cannot be cut.
    NotSplittable = "FS1038",
    /// An equivalent that is none.
    Equivalent = "FS1039",
    /// A trace in another version of WfFormat.
    TraceVersion = "FS1040",
    /// A trace that contradicts itself.
    Trace = "FS1041",
    /// Note: memory is not recorded and was assumed.
    MemoryAssumed = "FS1050",
    /// Note: run times are not recorded and were assumed.
    RuntimeAssumed = "FS1051",
    /// Note: dependencies were added because of files.
    DependencyAdded = "FS1052",
    /// Note: parents and children of the trace differ.
    ParentsAndChildren = "FS1053",
    /// Note: files of the trace are generated although a task writes them.
    FileGenerated = "FS1054",
    /// Note: sizes of files are not recorded and were assumed.
    SizeAssumed = "FS1055",
    /// Not an expression of a schedule.
    Expression = "FS1060",
    /// Not a time zone.
    Zone = "FS1061",
    /// Start and end of a schedule are no time, or leave nothing between them.
    Window = "FS1062",
    /// A schedule that never fires.
    Never = "FS1063",
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_code_is_its_own_and_has_a_section() {
        crate::codes::check(super::Code::ALL.iter().map(|code| code.as_str()));
    }
}
