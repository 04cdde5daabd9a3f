//! How far the work is: a bar on a terminal, a few plain lines elsewhere, nothing for `--json` in a pipe.

use crate::output::Output;
use astrobackend::device::ExposureState;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// Parts that a bar is divided into.
const PARTS: u64 = 1000;

/// One step of the work; what is drawn vanishes when it is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    out: Output,
    exposure: Duration,
    begun: Instant,
    phase: Cell<&'static str>,
}

impl Progress {
    /// A step whose length is not known, such as a slew.
    pub(crate) fn step(out: Output, text: &str) -> Self {
        let progress = Progress::new(out, text, "{spinner} {prefix}  {msg}", Duration::ZERO);
        progress.bar.enable_steady_tick(Duration::from_millis(100));
        progress
    }

    /// Shows how far a step is, in words.
    pub(crate) fn say(&self, text: String) {
        self.bar.set_message(text);
    }

    /// A picture: its exposure, its read-out, its way to the disk.
    pub(crate) fn picture(out: Output, text: &str, exposure: Duration) -> Self {
        Progress::new(out, text, "{prefix}  {msg:<12} [{bar:32}] {percent:>3}%", exposure)
    }

    fn new(out: Output, text: &str, template: &str, exposure: Duration) -> Self {
        let target = if out.draws() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(PARTS), target);
        // A template that did not parse would only look different.
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        bar.set_prefix(text.to_owned());
        if !out.draws() {
            out.note(text);
        }
        Progress { bar, out, exposure, begun: Instant::now(), phase: Cell::new("") }
    }

    /// Shows how far the camera is.
    pub(crate) fn exposure(&self, state: &ExposureState) {
        match state {
            ExposureState::Waiting => self.phase("waiting", Some(0.0)),
            ExposureState::Exposing { remaining, percent } => {
                let left = remaining.unwrap_or_else(|| self.exposure.saturating_sub(self.begun.elapsed()));
                let done = percent.unwrap_or_else(|| 100.0 * (1.0 - left.as_secs_f64() / self.exposure.as_secs_f64()));
                self.phase("exposing", Some(done));
                self.bar.set_message(format!("{:.0} s left", left.as_secs_f64().ceil()));
            }
            ExposureState::Reading { percent } => self.phase("reading out", *percent),
            ExposureState::Downloading { percent } => self.phase("downloading", *percent),
            _ => {}
        }
    }

    /// Shows that the file is written now.
    pub(crate) fn saving(&self) {
        self.phase("saving", Some(100.0));
    }

    fn phase(&self, name: &'static str, percent: Option<f64>) {
        if self.phase.replace(name) != name {
            self.bar.set_message(name);
            if !self.out.draws() && !["waiting", "exposing"].contains(&name) {
                self.out.note(format!("  {name}"));
            }
        }
        // A phase that does not say how far it is shows as a full bar: the light is in.
        let parts = percent.unwrap_or(100.0).clamp(0.0, 100.0) / 100.0 * PARTS as f64;
        self.bar.set_position(parts as u64);
        self.bar.tick();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
