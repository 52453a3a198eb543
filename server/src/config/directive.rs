//! What the table says of one directive: its name, the shape of its value, and what this node does with it.

/// The shape and the range of a directive's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `yes` or `no`.
    Bool,
    /// A decimal integer within the inclusive range.
    Int { min: i128, max: i128 },
    /// A number of bytes, with an optional unit (`1k` = 1000, `1kb` = 1024, ...), within the inclusive range.
    Memory { min: i128, max: i128 },
    /// As `Memory`, or a percentage such as `5%`, which is kept as a negative number.
    MemoryOrPercent,
    /// An octal file mode, 0 to 0777.
    Octal,
    /// One of these words.
    Enum(&'static [&'static str]),
    /// Several of these words at once; the flags of one shutdown.
    Flags(&'static [&'static str]),
    /// Any bytes, taken as they are.
    Text,
    /// Words separated by spaces (`bind`).
    Words,
    /// Pairs of seconds and changes (`save`).
    SavePoints,
    /// Class, hard limit, soft limit and soft seconds, in groups of four.
    OutputLimits,
    /// Percentiles between 0 and 100.
    Percentiles,
    /// Three integers (`oom-score-adj-values`).
    OomScores,
    /// Event classes such as `KEA`.
    EventClasses,
}

impl Kind {
    /// Whether a line may carry more than one argument for this directive.
    pub fn takes_many(self) -> bool {
        matches!(
            self,
            Kind::Flags(_)
                | Kind::Words
                | Kind::SavePoints
                | Kind::OutputLimits
                | Kind::Percentiles
                | Kind::OomScores
        )
    }
}

/// When a directive may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// By CONFIG SET at any time.
    Runtime,
    /// Only at start, as in redis-server.
    Start,
    /// By CONFIG SET in redis-server, but only at start here so far.
    StartSoFar,
    /// By CONFIG SET only if `enable-protected-configs` allows it.
    Protected,
}

/// What this node does with a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has the effect that it has in redis-server.
    Honoured,
    /// It is accepted with a warning that gives this reason.
    Ignored(&'static str),
}

/// One row of the table.
#[derive(Debug)]
pub struct Directive {
    /// The name, lowercase.
    pub name: &'static str,
    /// A second name, older as a rule.
    pub alias: Option<&'static str>,
    /// Shape and range of the value.
    pub kind: Kind,
    /// The default, written as in a file.
    pub default: &'static str,
    /// When it may change.
    pub change: Change,
    /// What it does here.
    pub status: Status,
}

impl Directive {
    /// A directive that has its effect here and may change at run time.
    pub(super) const fn new(name: &'static str, kind: Kind, default: &'static str) -> Self {
        Directive {
            name,
            alias: None,
            kind,
            default,
            change: Change::Runtime,
            status: Status::Honoured,
        }
    }

    /// Adds the second name.
    pub(super) const fn alias(self, alias: &'static str) -> Self {
        Directive {
            alias: Some(alias),
            ..self
        }
    }

    /// Says when it may change.
    pub(super) const fn change(self, change: Change) -> Self {
        Directive { change, ..self }
    }

    /// May be set at start only.
    pub(super) const fn at_start(self) -> Self {
        self.change(Change::Start)
    }

    /// Is accepted without effect, for this reason.
    pub(super) const fn ignored(self, why: &'static str) -> Self {
        Directive {
            status: Status::Ignored(why),
            ..self
        }
    }
}
