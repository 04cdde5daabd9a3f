//! The figures as a table, for people and for `RESULTS-indi.md`.

use crate::stand::FRAME_BYTES;
use serde_json::Value;
use testing::bench_driver::{COUNT, PROPERTIES, RATE};

/// Rows in the order of measuring.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<[String; 4]>,
}

/// The median of a figure; not a number without samples.
pub(crate) fn median(samples: &[Value], figure: &str) -> f64 {
    let mut values: Vec<f64> = samples.iter().filter_map(|sample| sample[figure].as_f64()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Report {
    /// A figure with its goal.
    pub(crate) fn row(
        &mut self,
        what: impl Into<String>,
        figure: impl Into<String>,
        goal: impl Into<String>,
        met: bool,
    ) {
        let verdict = if met { "met" } else { "MISSED" };
        self.add(what, figure, goal, verdict);
    }

    /// A figure without a goal.
    pub(crate) fn note(&mut self, what: impl Into<String>, figure: impl Into<String>) {
        self.add(what, figure, "", "");
    }

    fn add(&mut self, what: impl Into<String>, figure: impl Into<String>, goal: impl Into<String>, verdict: &str) {
        let row = [what.into(), figure.into(), goal.into(), verdict.to_owned()];
        println!("{:<52} {:<42} {:<28} {}", row[0], row[1], row[2], row[3]);
        self.rows.push(row);
    }

    /// Our client beside the floor.
    pub(crate) fn frame(&mut self, way: &str, floor: &[Value], ours: &[Value]) {
        let (floor_wall, wall) = (median(floor, "wall"), median(ours, "wall"));
        self.note(format!("{way}: floor"), cost(floor));
        self.note(format!("{way}: astrobackend"), cost(ours));
        let ratio = wall / floor_wall;
        self.row(format!("{way}: time"), format!("{ratio:.2} x floor"), "at most 1.2 x", ratio <= 1.2);
        let (peak, limit) = (median(ours, "peak_rss"), 1.3 * FRAME_BYTES as f64 + 20e6);
        let goal = format!("at most {:.0} MB", limit / 1e6);
        self.row(format!("{way}: peak memory"), format!("{:.0} MB", peak / 1e6), goal, peak <= limit);
    }

    /// Another client beside the floor.
    pub(crate) fn peer_frame(&mut self, way: &str, name: &str, floor: &[Value], samples: &[Value]) {
        if samples.is_empty() {
            return self.note(format!("{way}: {name}"), "failed");
        }
        let ratio = median(samples, "wall") / median(floor, "wall");
        self.note(format!("{way}: {name}"), format!("{}, {ratio:.1} x floor", cost(samples)));
    }

    /// Two-number vectors a second: by the clock, and by the processor time of this process.
    pub(crate) fn rate(&mut self, what: &str, samples: &[Value], goal: Option<f64>) {
        let [wall, cpu] = ["wall", "cpu"].map(|figure| COUNT as f64 / median(samples, figure) / 1e6);
        let figure = format!("{wall:.2} million/s, {cpu:.2} million per CPU second");
        match goal {
            Some(goal) => self.row(what, figure, format!("at least {goal} million/s"), wall >= goal),
            None => self.note(what, figure),
        }
    }

    /// The share of a core that watching takes.
    pub(crate) fn share(&mut self, sample: &Value) {
        let share = 100.0 * median(std::slice::from_ref(sample), "cpu") / median(std::slice::from_ref(sample), "wall");
        let what = format!("{PROPERTIES} properties watched, {RATE} updates/s");
        self.row(what, format!("{share:.1} % of a core"), "under 5 %", share < 5.0);
    }

    /// The time of a read.
    pub(crate) fn reads(&mut self, samples: &[Value]) {
        let (one, six) = (median(samples, "one"), median(samples, "six"));
        self.row("reading a cached value", format!("{one:.0} ns"), "under 200 ns", one < 200.0);
        self.note("reading six cached values (the frame)", format!("{six:.0} ns"));
    }

    /// Prints the table again, as Markdown.
    pub(crate) fn print(&self) {
        println!("\n| What | Measured | Goal | |\n|---|---|---|---|");
        for [what, figure, goal, verdict] in &self.rows {
            println!("| {what} | {figure} | {goal} | {verdict} |");
        }
    }
}

fn cost(samples: &[Value]) -> String {
    let [wall, cpu, peak] = ["wall", "cpu", "peak_rss"].map(|figure| median(samples, figure));
    format!("{:.0} ms, {:.0} ms CPU, {:.0} MB", wall * 1e3, cpu * 1e3, peak / 1e6)
}
