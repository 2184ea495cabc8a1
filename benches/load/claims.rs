//! What the service promises, held against what was measured.

use std::fmt::Write as _;

use crate::cell::{Measure, ServiceMeasure, Subject};
use crate::common::{BY_KEY, LIST, Workload};
use crate::direct::Mode;
use crate::report::Line;
use crate::wrk::Spread;

/// What is wanted of a figure.
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// It is there to be known.
    Any,
}

use Bound::{Any, AtLeast, AtMost};

/// Writes a table of the promises, of which those that nothing was measured for are left out.
pub(crate) fn check(text: &mut String, lines: &[Line], all: usize) {
    let best = |workload: &Workload, subject, tenants| {
        let line = lines.iter().find(|line| {
            let cell = line.cell;
            (cell.workload, cell.subject, cell.tenants) == (workload, subject, tenants)
        });
        line.and_then(Line::best)
    };
    let uniform = Subject::Service(Spread::Uniform);
    let (limit, direct) = (Subject::Direct(Mode::Limit), Subject::Direct(Mode::Naive));
    let many = best(&LIST, uniform, all);
    let naive = best(&LIST, Subject::Naive, all);
    let signing = best(&LIST, Subject::ServiceWithSignUps, all);
    let service = many.and_then(|many| many.service.as_ref());
    let figure = |f: fn(&ServiceMeasure) -> f64| service.map(f);
    let by_key = ratio(best(&BY_KEY, uniform, all), best(&BY_KEY, limit, 1), rate);
    let rows = [
        (
            "list: requests/s, as a part of those with one tenant",
            ratio(many, best(&LIST, uniform, 1), rate),
            AtLeast(0.9),
        ),
        (
            "list: requests/s, as a multiple of the naive way's",
            ratio(many, naive, rate),
            AtLeast(2.2),
        ),
        (
            "the same, of the naive way's without HTTP",
            ratio(many, best(&LIST, direct, all), rate),
            Any,
        ),
        (
            "list: requests/s, as a part of the limit",
            ratio(many, best(&LIST, limit, 1), rate),
            AtLeast(0.4),
        ),
        (
            "list: private memory of a backend, as a part of the naive way's",
            ratio(many, naive, |it| it.backend),
            AtMost(0.25),
        ),
        (
            "list: memory of the service, MB",
            figure(|it| it.resident / 1e6),
            AtMost(60.0),
        ),
        (
            "list: CPU of the service per request, µs",
            figure(|it| it.cpu),
            AtMost(45.0),
        ),
        (
            "by primary key: requests/s, as a part of the limit",
            by_key,
            AtLeast(0.35),
        ),
        (
            "list: p99 while tenants sign up, as a multiple of p99",
            ratio(signing, many, |it| it.p99),
            AtMost(2.0),
        ),
        (
            "list: p99 of the neighbours of a flood, as a multiple of what it is without",
            ratio(
                best(&LIST, Subject::Neighbours { flood: true }, all),
                best(&LIST, Subject::Neighbours { flood: false }, all),
                |it| it.p99,
            ),
            AtMost(3.0),
        ),
        (
            "start of the service, s",
            figure(|it| it.start.as_secs_f64()),
            AtMost(1.0),
        ),
    ];
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\nWith {all} tenants, uniform:\n");
    table(text, rows);
}

/// Writes what is wanted and what was measured, and whether that will do.
pub(crate) fn table<const N: usize>(text: &mut String, rows: [(&str, Option<f64>, Bound); N]) {
    text.push_str("| | wanted | is | |\n|---|--:|--:|---|\n");
    for (what, value, bound) in rows {
        let Some(value) = value else { continue };
        let (wanted, holds) = match bound {
            AtLeast(least) => (format!("≥ {least}"), Some(value >= least)),
            AtMost(most) => (format!("≤ {most}"), Some(value <= most)),
            Any => (String::new(), None),
        };
        let verdict = holds.map_or("", |holds| if holds { "pass" } else { "**fail**" });
        let _ = writeln!(text, "| {what} | {wanted} | {value:.2} | {verdict} |");
    }
}

fn rate(measure: &Measure) -> f64 {
    measure.per_second
}

/// One figure of two lines, the first divided by the second.
fn ratio(a: Option<&Measure>, b: Option<&Measure>, figure: fn(&Measure) -> f64) -> Option<f64> {
    Some(figure(a?) / figure(b?))
}
