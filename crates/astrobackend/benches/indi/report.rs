//! The figures of INDI with their goals.

use crate::stand::FRAME_BYTES;
use serde_json::Value;
use testing::{
    bench::{self, cost, median},
    bench_driver::{COUNT, PROPERTIES, RATE},
};

/// Rows in the order of measuring.
#[derive(Debug, Default)]
pub(crate) struct Report(bench::Report);

impl Report {
    /// Our client beside the floor.
    pub(crate) fn frame(&mut self, way: &str, floor: &[Value], ours: &[Value]) {
        let (floor_wall, wall) = (median(floor, "wall"), median(ours, "wall"));
        self.0.note(format!("{way}: floor"), cost(floor));
        self.0.note(format!("{way}: astrobackend"), cost(ours));
        let ratio = wall / floor_wall;
        self.0.row(format!("{way}: time"), format!("{ratio:.2} x floor"), "at most 1.2 x", ratio <= 1.2);
        let (peak, limit) = (median(ours, "peak_rss"), 1.3 * FRAME_BYTES as f64 + 20e6);
        let goal = format!("at most {:.0} MB", limit / 1e6);
        self.0.row(format!("{way}: peak memory"), format!("{:.0} MB", peak / 1e6), goal, peak <= limit);
        crate::guard::report(&mut self.0, way, ours);
    }

    /// Another client beside the floor.
    pub(crate) fn peer_frame(&mut self, way: &str, name: &str, floor: &[Value], samples: &[Value]) {
        if samples.is_empty() {
            return self.0.note(format!("{way}: {name}"), "failed");
        }
        let ratio = median(samples, "wall") / median(floor, "wall");
        self.0.note(format!("{way}: {name}"), format!("{}, {ratio:.1} x floor", cost(samples)));
    }

    /// Two-number vectors a second: by the clock, and by the processor time of this process.
    pub(crate) fn rate(&mut self, what: &str, samples: &[Value], goal: Option<f64>) {
        let [wall, cpu] = ["wall", "cpu"].map(|figure| COUNT as f64 / median(samples, figure) / 1e6);
        let figure = format!("{wall:.2} million/s, {cpu:.2} million per CPU second");
        match goal {
            Some(goal) => self.0.row(what, figure, format!("at least {goal} million/s"), wall >= goal),
            None => self.0.note(what, figure),
        }
    }

    /// The share of a core that watching takes.
    pub(crate) fn share(&mut self, sample: &Value) {
        let share = 100.0 * median(std::slice::from_ref(sample), "cpu") / median(std::slice::from_ref(sample), "wall");
        let what = format!("{PROPERTIES} properties watched, {RATE} updates/s");
        self.0.row(what, format!("{share:.1} % of a core"), "under 5 %", share < 5.0);
    }

    /// The time of a read.
    pub(crate) fn reads(&mut self, samples: &[Value]) {
        let (one, six) = (median(samples, "one"), median(samples, "six"));
        self.0.row("reading a cached value", format!("{one:.0} ns"), "under 200 ns", one < 200.0);
        self.0.note("reading six cached values (the frame)", format!("{six:.0} ns"));
    }

    /// Prints the table again, as Markdown.
    pub(crate) fn print(&self) {
        self.0.print();
    }
}
