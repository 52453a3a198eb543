//! What the person in front of it sees while a run takes its time: a bar on a terminal, one line for each phase
//! elsewhere, nothing with `--quiet`. All of it on stderr.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How much is said, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Bar,
    Lines,
    Silent,
}

impl Progress {
    pub fn detect(quiet: bool) -> Self {
        match (quiet, io::stderr().is_terminal()) {
            (true, _) => Self::Silent,
            (false, true) => Self::Bar,
            (false, false) => Self::Lines,
        }
    }

    /// One line about what is going on.
    pub fn say(self, line: impl std::fmt::Display) {
        if self != Self::Silent {
            // Nobody is left to be told that stderr is closed.
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
    }

    /// Begins something that takes a while. `total` is what [`Phase::at`] counts up to.
    pub fn phase(self, label: &str, total: u64) -> Phase {
        let bar = (self == Self::Bar).then(|| {
            let bar =
                ProgressBar::with_draw_target(Some(total.max(1)), ProgressDrawTarget::stderr_with_hz(8));
            let style = ProgressStyle::with_template("{prefix} {bar:24} {percent:>3} %  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(label.to_owned());
            bar
        });
        if self == Self::Lines {
            self.say(label);
        }
        Phase { bar }
    }

    /// Begins something whose length is unknown.
    pub fn waiting(self, label: &str) -> Phase {
        let bar = (self == Self::Bar).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
            bar.set_style(
                ProgressStyle::with_template("{prefix} {spinner}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            bar.set_prefix(label.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        if self == Self::Lines {
            self.say(label);
        }
        Phase { bar }
    }
}

/// Something under way; the bar goes when this is dropped.
#[derive(Debug)]
pub struct Phase {
    bar: Option<ProgressBar>,
}

impl Phase {
    pub fn is_painted(&self) -> bool {
        self.bar.is_some()
    }

    pub fn at(&self, position: u64, message: impl Into<std::borrow::Cow<'static, str>>) {
        if let Some(bar) = &self.bar {
            bar.set_message(message);
            bar.set_position(position);
        }
    }
}

impl Drop for Phase {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
