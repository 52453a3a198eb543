//! How a command ends: the exit code is part of the interface, so that a script can tell what happened.

use std::process::ExitCode;

/// What a command that ran to its end came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Done = 0,
    /// The target was unreachable or was lost, or something could not be started.
    CannotRun = 1,
    /// The command line or a workload file is wrong.
    Usage = 2,
    /// It ran, but a check or a comparison failed.
    CheckFailed = 3,
    /// Writes that were acknowledged are lost, or another promise was broken: two held one lock, an item of a queue was
    /// lost or came twice.
    DataLost = 4,
    /// A signal ended it; what was measured until then has been written.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// An error that knows which exit code it deserves.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub error: anyhow::Error,
}

impl Failure {
    pub fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Usage,
            error: error.into(),
        }
    }

    /// The user asked to stop before there was anything to report.
    pub fn interrupted() -> Self {
        Self {
            exit: Exit::Interrupted,
            error: anyhow::anyhow!("interrupted"),
        }
    }
}

/// Whatever is not said to be the user's mistake means that it could not run.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self {
            exit: Exit::CannotRun,
            error,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        anyhow::Error::from(error).into()
    }
}

/// What a command returns.
pub type CommandResult = Result<Exit, Failure>;
