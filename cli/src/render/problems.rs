//! A document's problems, each under the line that it is about.

use std::fmt;

use foreshard_model::problem::{Problem, Severity};
use miette::{Diagnostic, GraphicalReportHandler, LabeledSpan, NamedSource, SourceCode};

/// Longest text that is shown with its lines; beyond it, place and message must do.
const TEXT_SHOWN_BYTES: usize = 1024 * 1024;

struct Shown<'a> {
    problem: &'a Problem,
    source: Option<&'a NamedSource<String>>,
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.problem.path.is_empty() {
            write!(f, "{}: ", self.problem.path)?;
        }
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(&self.problem.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.problem
            .hint
            .as_ref()
            .map(|hint| Box::new(hint) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.map(|s| s as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source?;
        let place = self.problem.place?;
        let (offset, length) = (
            usize::try_from(place.offset).ok()?,
            place.length.max(1) as usize,
        );
        Some(Box::new(std::iter::once(LabeledSpan::new(
            Some("here".to_owned()),
            offset,
            length,
        ))))
    }
}

/// All problems as text, in the order of the document.
#[must_use]
pub fn render(name: &str, text: &str, problems: &[Problem]) -> String {
    let source = (text.len() <= TEXT_SHOWN_BYTES).then(|| NamedSource::new(name, text.to_owned()));
    let handler = handler();
    let mut shown = String::new();
    for problem in problems {
        let fits = problem.place.is_some_and(|p| p.offset < text.len() as u64);
        let with = Shown {
            problem,
            source: source.as_ref().filter(|_| fits),
        };
        if handler.render_report(&mut shown, &with).is_err() {
            shown.push_str(&format!("{name}: {problem}\n"));
        }
    }
    let errors = problems
        .iter()
        .filter(|p| p.severity == Severity::Error)
        .count();
    shown.push_str(&format!(
        "{name}: {errors} {}\n",
        if errors == 1 { "problem" } else { "problems" }
    ));
    shown
}

fn handler() -> GraphicalReportHandler {
    use std::io::IsTerminal as _;
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let theme = if colours {
        miette::GraphicalTheme::unicode()
    } else {
        miette::GraphicalTheme::unicode_nocolor()
    };
    GraphicalReportHandler::new_themed(theme).with_width(100)
}

#[cfg(test)]
mod tests {
    use foreshard_model::problem::Place;

    use super::*;

    #[test]
    fn a_problem_is_shown_under_its_line() {
        let problem = Problem {
            code: "FS1001".to_owned(),
            severity: Severity::Error,
            path: "tasks[0].kind".to_owned(),
            place: Some(Place {
                line: 2,
                column: 7,
                offset: 13,
                length: 5,
            }),
            message: "unknown kind `shell`".to_owned(),
            hint: Some("did you mean `command`?".to_owned()),
        };
        let shown = render("w.yaml", "tasks:\nkind: shell\n", &[problem]);
        for part in [
            "FS1001",
            "tasks[0].kind: unknown kind `shell`",
            "w.yaml:2:7",
            "did you mean",
            "1 problem",
        ] {
            assert!(shown.contains(part), "`{part}` is in:\n{shown}");
        }
    }
}
