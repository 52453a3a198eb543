//! The sections of INFO and the words that ask for them.

/// A section, in the order in which they are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each prints the heading of the same name")]
pub enum Section {
    Server,
    Clients,
    Memory,
    Persistence,
    Stats,
    Replication,
    Cpu,
    Modules,
    Commandstats,
    Errorstats,
    Latencystats,
    Cluster,
    Keyspace,
}

impl Section {
    const ALL: [Section; 13] = [
        Section::Server,
        Section::Clients,
        Section::Memory,
        Section::Persistence,
        Section::Stats,
        Section::Replication,
        Section::Cpu,
        Section::Modules,
        Section::Commandstats,
        Section::Errorstats,
        Section::Latencystats,
        Section::Cluster,
        Section::Keyspace,
    ];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Section::Server => "Server",
            Section::Clients => "Clients",
            Section::Memory => "Memory",
            Section::Persistence => "Persistence",
            Section::Stats => "Stats",
            Section::Replication => "Replication",
            Section::Cpu => "CPU",
            Section::Modules => "Modules",
            Section::Commandstats => "Commandstats",
            Section::Errorstats => "Errorstats",
            Section::Latencystats => "Latencystats",
            Section::Cluster => "Cluster",
            Section::Keyspace => "Keyspace",
        }
    }

    fn in_default(self) -> bool {
        !matches!(self, Section::Commandstats | Section::Latencystats)
    }
}

/// The sections that a call of INFO wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sections(Vec<Section>);

impl Sections {
    /// From the words after INFO. Unknown words ask for nothing, as in redis-server.
    pub fn parse<'a>(words: impl Iterator<Item = &'a [u8]>) -> Sections {
        let mut wanted: Vec<Section> = Vec::new();
        let mut any = false;
        for word in words {
            any = true;
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            if is("all") || is("everything") {
                wanted.extend(Section::ALL);
            } else if is("default") {
                wanted.extend(Section::ALL.into_iter().filter(|section| section.in_default()));
            } else {
                wanted.extend(Section::ALL.into_iter().filter(|section| is(section.title())));
            }
        }
        if !any {
            wanted.extend(Section::ALL.into_iter().filter(|section| section.in_default()));
        }
        wanted.sort_unstable();
        wanted.dedup();
        Sections(wanted)
    }

    /// In the order of printing, each once.
    pub fn iter(&self) -> impl Iterator<Item = Section> + '_ {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Vec<Section> {
        Sections::parse(words.split_ascii_whitespace().map(str::as_bytes))
            .iter()
            .collect()
    }

    #[test]
    fn words_ask_for_sections() {
        assert_eq!(parse("").len(), 11);
        assert_eq!(parse("default"), parse(""));
        assert_eq!(parse("all").len(), 13);
        assert_eq!(parse("everything"), parse("ALL"));
        assert_eq!(
            parse("keyspace SERVER server nope"),
            [Section::Server, Section::Keyspace]
        );
        assert_eq!(parse("default commandstats").len(), 12);
        assert_eq!(parse("nope"), []);
    }
}
