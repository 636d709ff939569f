//! Every key of a daemon: its value, what is allowed, whether SIGHUP takes it,
//! and what is wrong with it.
//!
//! One pass over the settings writes the sheet, so what is shown is what is
//! checked. Must not know any key.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::value::Written;

/// Whether SIGHUP takes a new value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// It does.
    Yes,
    /// The daemon must be started again.
    No,
}

/// A key as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The section, empty for keys at the top.
    pub section: &'static str,
    /// Its name in the section.
    pub key: &'static str,
    /// As TOML writes it; none if it is not set and has no default.
    pub value: Option<String>,
    /// What it may be, in words.
    pub allowed: String,
    /// Whether SIGHUP takes it.
    pub reload: Reload,
}

impl Line {
    /// The key with its section, as `gateway.sessions_max`.
    pub fn name(&self) -> String {
        path(self.section, self.key)
    }
}

/// A value that is not allowed. The operator must act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where the value stands: a file, a flag, a variable.
    pub origin: String,
    /// The key with its section.
    pub key: String,
    /// The value.
    pub value: String,
    /// What it may be.
    pub allowed: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            origin,
            key,
            value,
            allowed,
        } = self;
        write!(f, "{origin}: {key} = {value}: allowed is {allowed}")
    }
}

/// Where values come from.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// The settings file, if there is one.
    pub file: Option<PathBuf>,
    /// By key with section: the flag or variable that set it.
    pub given: BTreeMap<String, String>,
}

impl Origins {
    fn of(&self, key: &str) -> String {
        let file = || self.file.as_ref().map(|file| file.display().to_string());
        let given = self.given.get(key).cloned();
        given.or_else(file).unwrap_or_else(|| "default".to_owned())
    }
}

/// All keys of a daemon, and what is wrong with them.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    section: &'static str,
    lines: Vec<Line>,
    mistakes: Vec<Mistake>,
    origins: Origins,
}

impl Sheet {
    /// An empty one.
    pub fn new(origins: Origins) -> Self {
        Self {
            origins,
            ..Self::default()
        }
    }

    /// What follows belongs to this section.
    pub fn section(&mut self, name: &'static str) {
        self.section = name;
    }

    /// A key whose value lies between two others.
    pub fn ranged<T: Written>(&mut self, key: &'static str, value: T, range: [T; 2], r: Reload) {
        let [min, max] = range;
        let allowed = format!("{min} to {max}");
        if value < min || value > max {
            self.wrong(key, value.toml(), allowed.clone());
        }
        self.line(key, Some(value.toml()), allowed, r);
    }

    /// A key of words.
    pub fn words(&mut self, key: &'static str, words: impl fmt::Display, allowed: &str, r: Reload) {
        let value = quoted(&words.to_string());
        self.line(key, Some(value), allowed.to_owned(), r);
    }

    /// The key of an address that only this machine may reach.
    pub fn loopback(&mut self, key: &'static str, address: SocketAddr, r: Reload) {
        let allowed = "IP:PORT of a loopback address";
        self.words(key, address, allowed, r);
        if !address.ip().is_loopback() {
            self.wrong(key, address, allowed);
        }
    }

    /// A key that need not be set; the words say what holds then.
    pub fn optional(&mut self, key: &'static str, value: Option<String>, allowed: &str, r: Reload) {
        self.line(key, value, allowed.to_owned(), r);
    }

    /// A key of a file or directory that need not be set.
    pub fn file(&mut self, key: &'static str, file: Option<&PathBuf>, allowed: &str, r: Reload) {
        let value = file.map(|file| quoted(&file.display().to_string()));
        self.optional(key, value, allowed, r);
    }

    /// A key that is true or false.
    pub fn bool(&mut self, key: &'static str, value: bool, allowed: &str, r: Reload) {
        self.line(key, Some(value.to_string()), allowed.to_owned(), r);
    }

    /// A key of a list of words.
    pub fn list<T: fmt::Display>(
        &mut self,
        key: &'static str,
        list: &[T],
        allowed: &str,
        r: Reload,
    ) {
        let words: Vec<String> = list.iter().map(|word| quoted(&word.to_string())).collect();
        let value = format!("[{}]", words.join(", "));
        self.line(key, Some(value), allowed.to_owned(), r);
    }

    /// A value of this section is not allowed.
    pub fn wrong(&mut self, key: &str, value: impl fmt::Display, allowed: impl Into<String>) {
        let key = path(self.section, key);
        self.mistakes.push(Mistake {
            origin: self.origins.of(&key),
            value: value.to_string(),
            allowed: allowed.into(),
            key,
        });
    }

    /// Two values of one section, of which the first may not be above the other.
    pub fn at_most<T: Written>(&mut self, low: (&str, T), high: (&str, T)) {
        if low.1 > high.1 {
            let allowed = format!("at most {}, which is {}", high.0, high.1.toml());
            self.wrong(low.0, low.1.toml(), allowed);
        }
    }

    /// Every key, in order.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What is not allowed.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    fn line(&mut self, key: &'static str, value: Option<String>, allowed: String, r: Reload) {
        self.lines.push(Line {
            section: self.section,
            key,
            value,
            allowed,
            reload: r,
        });
    }
}

impl fmt::Display for Sheet {
    /// A settings file that says what is in force, and where it comes from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut section = "";
        for line in &self.lines {
            if line.section != section {
                section = line.section;
                writeln!(f, "\n[{section}]")?;
            }
            match &line.value {
                Some(value) => {
                    let set = format!("{} = {value}", line.key);
                    let given = self.origins.given.get(&line.name());
                    let given = given.map(|given| format!("by {given}; "));
                    let given = given.unwrap_or_default();
                    write!(f, "{set:<44}# {given}")?;
                }
                None => write!(f, "{:<44}# ", format!("# {} is not set", line.key))?,
            }
            let reload = match line.reload {
                Reload::Yes => "reload: yes",
                Reload::No => "reload: no",
            };
            writeln!(f, "allowed: {}; {reload}", line.allowed)?;
        }
        Ok(())
    }
}

fn path(section: &str, key: &str) -> String {
    if section.is_empty() {
        key.to_owned()
    } else {
        format!("{section}.{key}")
    }
}

/// A TOML string.
fn quoted(words: &str) -> String {
    toml::Value::String(words.to_owned()).to_string()
}
