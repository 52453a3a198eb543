//! Start-up: the command line, the files it names, and what is wrong with them.

use super::directive::{Kind, Status};
use super::nearest::nearest;
use super::table::DIRECTIVES;
use super::value::Value;
use super::values::{DirectiveId, Values};
use super::words::{self, Word};
use crate::acl::{self, RuleError, RulesError};
use crate::glob;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The release of redis-server whose behaviour this node has.
pub const REDIS_VERSION: &str = "7.0.15";
/// How deep files may include files; redis-server follows a cycle until it has no file descriptors left.
const MAX_INCLUDE_DEPTH: usize = 16;

/// A configuration that is ready to be used.
#[derive(Debug)]
pub struct Loaded {
    /// Every directive's value.
    pub values: Values,
    /// The file that CONFIG REWRITE writes, absolute.
    pub file: Option<PathBuf>,
    /// What the operator should read, one line each, without a level.
    pub warnings: Vec<String>,
    /// `rename-command` lines, in their order.
    pub renamed_commands: Vec<(String, String)>,
    /// `user` lines, in their order.
    pub users: Vec<UserLine>,
}

/// A `user` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserLine {
    /// The user's name.
    pub name: Vec<u8>,
    /// The words behind it.
    pub rules: Vec<Vec<u8>>,
}

/// Why the node cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A line is wrong. The text goes to stderr as it is.
    #[error("\n*** FATAL CONFIG FILE ERROR (Redis {REDIS_VERSION}) ***\n{0}")]
    Line(String),
    /// A file cannot be read.
    #[error("Fatal error, can't open config file '{}': {reason}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
}

/// Reads the configuration file, standard input and options that the arguments (without the program's name) name.
///
/// # Errors
/// On a file that cannot be read and on the first line that is wrong.
pub fn load(args: &[Vec<u8>]) -> Result<Loaded, LoadError> {
    let mut rest = args;
    let mut file = None;
    if let [first, tail @ ..] = rest
        && !first.starts_with(b"-")
    {
        file = Some(PathBuf::from(std::ffi::OsString::from_vec(first.clone())));
        rest = tail;
    }
    let (options, from_stdin) = options_as_text(rest);
    let start_dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let file = file.map(|file| start_dir.join(file));
    let mut loader = Loader::new(start_dir);
    let mut text = Vec::new();
    if let Some(path) = &file {
        text = read_file(path)?;
    }
    if from_stdin {
        std::io::stdin()
            .lock()
            .read_to_end(&mut text)
            .map_err(|error| LoadError::Open {
                path: "-".into(),
                reason: os_reason(&error),
            })?;
    }
    // Options are lines after the file's: that is how redis-server numbers them in its errors.
    text.push(b'\n');
    let option_start = text.len();
    text.extend_from_slice(&options);
    loader.read_text(&text, option_start, file.as_deref(), 0)?;
    loader.finish(file)
}

/// The options as lines of a file, and whether `-` asks for standard input.
fn options_as_text(args: &[Vec<u8>]) -> (Vec<u8>, bool) {
    let mut text = Vec::new();
    let mut from_stdin = false;
    // Whether the option before has an argument, so that `--x` is an option and not its argument.
    let mut complete = true;
    for (index, arg) in args.iter().enumerate() {
        let last = index + 1 == args.len();
        if arg == b"-" && (index == 0 || last) {
            from_stdin = true;
        } else if complete && arg.starts_with(b"--") {
            if !text.is_empty() {
                text.push(b'\n');
            }
            text.extend_from_slice(&arg[2..]);
            text.push(b' ');
            let alone = words::split(arg).is_some_and(|words| words.len() == 1);
            let next_is_option = args.get(index + 1).is_some_and(|next| next.starts_with(b"--"));
            complete = !alone;
            // An empty list of save points is often passed as nothing at all.
            if alone && arg.eq_ignore_ascii_case(b"--save") && (last || next_is_option) {
                text.extend_from_slice(b"\"\"");
                complete = true;
            }
        } else {
            text.extend_from_slice(words::quote(arg).as_bytes());
            text.push(b' ');
            complete = true;
        }
    }
    (text, from_stdin)
}

fn read_file(path: &Path) -> Result<Vec<u8>, LoadError> {
    std::fs::read(path).map_err(|error| LoadError::Open {
        path: path.to_path_buf(),
        reason: os_reason(&error),
    })
}

/// The system's words without Rust's `(os error 2)`.
pub(crate) fn os_reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}

pub(super) struct Loader {
    pub(super) values: Values,
    warnings: Vec<String>,
    renamed_commands: Vec<(String, String)>,
    users: Vec<UserLine>,
    /// Where relative names are looked up: `dir` changes it, as it changes the process's.
    dir: PathBuf,
    save_seen: bool,
}

impl Loader {
    pub(super) fn new(dir: PathBuf) -> Self {
        Loader {
            values: Values::defaults(),
            warnings: Vec::new(),
            renamed_commands: Vec::new(),
            users: Vec::new(),
            dir,
            save_seen: false,
        }
    }

    /// Reads the lines of one file. From `option_start` on they are options of the command line.
    fn read_text(
        &mut self,
        text: &[u8],
        option_start: usize,
        file: Option<&Path>,
        depth: usize,
    ) -> Result<(), LoadError> {
        let mut offset = 0;
        for (index, raw) in text.split(|b| *b == b'\n').enumerate() {
            let is_option = offset >= option_start;
            offset += raw.len() + 1;
            let line = raw.trim_ascii();
            if line.is_empty() || line[0] == b'#' {
                continue;
            }
            let place = |mistake: Mistake| match mistake {
                Mistake::Load(error) => error,
                Mistake::Here(reason) => {
                    let within = match file {
                        Some(file) if depth > 0 => format!(" of {}", file.display()),
                        _ => String::new(),
                    };
                    LoadError::Line(format!(
                        "Reading the configuration file, at line {}{within}\n>>> '{}'\n{reason}",
                        index + 1,
                        without_secrets(line),
                    ))
                }
            };
            self.read_line(line, is_option, depth).map_err(place)?;
        }
        Ok(())
    }

    pub(super) fn read_line(&mut self, line: &[u8], is_option: bool, depth: usize) -> Result<(), Mistake> {
        let mut words = words::split(line).ok_or("Unbalanced quotes in configuration line")?;
        if !is_option {
            self.drop_comment(line, &mut words);
        }
        let mut words = words.into_iter().map(|word| word.bytes);
        let Some(name) = words.next() else { return Ok(()) };
        let name = name.to_ascii_lowercase();
        let args: Vec<_> = words.collect();
        match DirectiveId::find(&name) {
            Some(id) => self.set(id, &args),
            None => self.read_other(&name, &args, depth),
        }
    }

    /// Takes ` # ...` off the end of a line, which redis-server would take as arguments.
    fn drop_comment(&mut self, line: &[u8], words: &mut Vec<Word>) {
        let comment = words
            .iter()
            .skip(2)
            .position(|word| word.bytes == b"#" && !word.quoted);
        if let Some(start) = comment {
            words.truncate(start + 2);
            self.warnings.push(format!(
                "WARNING: the comment at the end of '{}' is dropped; redis-server would take its words as arguments",
                String::from_utf8_lossy(line)
            ));
        }
    }

    fn set(&mut self, id: DirectiveId, args: &[Vec<u8>]) -> Result<(), Mistake> {
        let directive = id.directive();
        if !directive.kind.takes_many() && args.len() != 1 {
            return Err("wrong number of arguments".into());
        }
        // "60 1 300 10" in one pair of quotes is several words, too.
        let split = match args {
            [only] if directive.kind.takes_many() && !only.is_empty() => words::split(only),
            _ => None,
        };
        let args = match split {
            Some(words) => words.into_iter().map(|word| word.bytes).collect(),
            None => args.to_vec(),
        };
        if args.is_empty() {
            return Err("wrong number of arguments".into());
        }
        // The first line of save points replaces the default, the next ones add to it.
        if directive.kind == Kind::SavePoints && !self.save_seen {
            self.save_seen = true;
            self.values.put(id, Value::SavePoints(Vec::new()));
        }
        if directive.name == "dir" {
            return self.set_dir(id, &args[0]);
        }
        Ok(self.values.set(id, &args)?)
    }

    fn set_dir(&mut self, id: DirectiveId, dir: &[u8]) -> Result<(), Mistake> {
        let dir = self.dir.join(std::ffi::OsStr::from_bytes(dir));
        let dir = dir.canonicalize().map_err(|error| os_reason(&error))?;
        if !dir.is_dir() {
            return Err("Not a directory".into());
        }
        self.values
            .put(id, Value::Text(dir.as_os_str().as_bytes().to_vec()));
        self.dir = dir;
        Ok(())
    }

    /// Lines whose name is in no row of the table.
    fn read_other(&mut self, name: &[u8], args: &[Vec<u8>], depth: usize) -> Result<(), Mistake> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match (name, args) {
            (b"include", [path]) => self.include(path, depth),
            (b"rename-command", [from, to]) => {
                if slotcore::command::lookup(from).is_some() {
                    self.renamed_commands.push((text(from), text(to)));
                    Ok(())
                } else {
                    Err("No such command in rename-command".into())
                }
            }
            (b"user", [user, rules @ ..]) => self.user(user, rules),
            (b"list-max-ziplist-entries" | b"list-max-ziplist-value" | b"lua-replicate-commands", [_]) => {
                self.warnings.push(format!(
                    "WARNING: '{}' has no effect, as in redis-server",
                    text(name)
                ));
                Ok(())
            }
            (b"loadmodule", [_, ..]) => Err("slotmark-server does not load modules".into()),
            (b"sentinel", [_, ..]) => Err("slotmark-server has no sentinel mode".into()),
            _ => {
                let mut reason = "Bad directive or wrong number of arguments".to_string();
                let known = DIRECTIVES.iter().flat_map(|d| [Some(d.name), d.alias]).flatten();
                let known = known.chain(["include", "rename-command", "user"]);
                if let Some(meant) = nearest(&text(name), known).filter(|meant| meant.as_bytes() != name) {
                    reason.push_str(&format!("\nThe nearest directive is '{meant}'"));
                }
                Err(Mistake::Here(reason))
            }
        }
    }

    /// Includes a file, or in the order of their names all files that a pattern with `*` or `?` in its last part names.
    fn include(&mut self, path: &[u8], depth: usize) -> Result<(), Mistake> {
        if depth == MAX_INCLUDE_DEPTH {
            return Err("include is nested too deeply".into());
        }
        let path = self.dir.join(std::ffi::OsStr::from_bytes(path));
        for path in matching_files(path) {
            let text = read_file(&path).map_err(Mistake::Load)?;
            self.read_text(&text, usize::MAX, Some(&path), depth + 1)
                .map_err(Mistake::Load)?;
        }
        Ok(())
    }

    /// A user. Commands that nobody knows are told of when the node starts, as in redis-server, where modules may bring
    /// them.
    fn user(&mut self, user: &[u8], rules: &[Vec<u8>]) -> Result<(), Mistake> {
        let mistake = |what: &[u8], why: &str| {
            let what = String::from_utf8_lossy(what);
            Mistake::Here(format!("Error in user declaration '{what}': {why}"))
        };
        if self.users.iter().any(|known| known.name == user) {
            return Err(mistake(
                user,
                "Duplicate user found. A user can only be defined once in config files",
            ));
        }
        match acl::parse_user(user, rules, acl::Defaults::default()) {
            Ok(_) | Err(RulesError::Rule(_, RuleError::Unknown)) => {}
            Err(RulesError::Rule(rule, error)) if rule.starts_with(b"<") => {
                return Err(mistake(b"<(redacted)", &error.to_string()));
            }
            Err(RulesError::Rule(rule, error)) => return Err(mistake(&rule, &error.to_string())),
            Err(RulesError::Unmatched(place)) => {
                return Err(mistake(&rules[place], "Unmatched parenthesis in acl selector"));
            }
        }
        self.users.push(UserLine {
            name: user.to_vec(),
            rules: rules.to_vec(),
        });
        Ok(())
    }

    fn finish(mut self, file: Option<PathBuf>) -> Result<Loaded, LoadError> {
        if *self.values.by_name("cluster-enabled") == Value::Bool(true)
            && *self.values.by_name("replicaof") != Value::Words(Vec::new())
        {
            return Err(LoadError::Line(
                "replicaof directive not allowed in cluster mode".into(),
            ));
        }
        let defaults = Values::defaults();
        for id in DirectiveId::all().filter(|id| self.values.get(*id) != defaults.get(*id)) {
            let directive = id.directive();
            match directive.status {
                Status::Honoured => {}
                Status::Ignored(_) => self.warnings.extend(ignored_warning(id, &self.values)),
            }
        }
        if !self.renamed_commands.is_empty() {
            let names: Vec<_> = self
                .renamed_commands
                .iter()
                .map(|(from, _)| from.as_str())
                .collect();
            self.warnings.push(format!(
                "WARNING: 'rename-command' is accepted but not honoured yet: {} can be called by the usual name",
                names.join(", ")
            ));
        }
        Ok(Loaded {
            values: self.values,
            file,
            warnings: self.warnings,
            renamed_commands: self.renamed_commands,
            users: self.users,
        })
    }
}

/// The warning about a directive that has no effect here, if it is one.
pub(super) fn ignored_warning(id: DirectiveId, values: &Values) -> Option<String> {
    let directive = id.directive();
    match directive.status {
        Status::Ignored(why) => Some(format!(
            "WARNING: '{} {}' is accepted but not honoured: {why}",
            directive.name,
            String::from_utf8_lossy(&shown_unless_secret(id, values))
        )),
        _ => None,
    }
}

fn shown_unless_secret(id: DirectiveId, values: &Values) -> Vec<u8> {
    if is_secret(id.directive().name.as_bytes()) {
        b"(redacted)".to_vec()
    } else {
        values.get(id).show(id.directive().kind)
    }
}

/// A line as it may be shown to whoever reads the log.
fn without_secrets(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let name = line.split_ascii_whitespace().next().unwrap_or_default();
    if is_secret(name.as_bytes()) {
        return format!("{name} (redacted)");
    }
    if !name.eq_ignore_ascii_case("user") {
        return line.into_owned();
    }
    // A password may hold spaces, in quotes: all behind the first one is left out.
    let is_password = |word: &&str| word.trim_start_matches(['"', '\'']).starts_with(['>', '<']);
    let words: Vec<&str> = line.split(' ').collect();
    match words.iter().position(is_password) {
        Some(first) => format!("{} (redacted)", words[..first].join(" ")),
        None => line.into_owned(),
    }
}

/// Whether the value of this directive must not be logged.
pub fn is_secret(name: &[u8]) -> bool {
    [
        "masterauth",
        "masteruser",
        "requirepass",
        "tls-key-file-pass",
        "tls-client-key-file-pass",
    ]
    .iter()
    .any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()))
}

fn matching_files(path: PathBuf) -> Vec<PathBuf> {
    let (Some(dir), Some(pattern)) = (path.parent(), path.file_name()) else {
        return vec![path];
    };
    if !pattern.as_bytes().iter().any(|b| matches!(b, b'*' | b'?' | b'[')) {
        return vec![path];
    }
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.file_name())
        .filter(|name| glob::matches(pattern.as_bytes(), name.as_bytes()))
        .map(|name| dir.join(name))
        .collect();
    files.sort();
    files
}

/// What is wrong with a line, or with a file that it includes.
pub(super) enum Mistake {
    Here(String),
    Load(LoadError),
}

impl From<&str> for Mistake {
    fn from(reason: &str) -> Self {
        Mistake::Here(reason.into())
    }
}

impl From<String> for Mistake {
    fn from(reason: String) -> Self {
        Mistake::Here(reason)
    }
}

#[cfg(test)]
mod tests;
