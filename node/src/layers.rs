//! From a command line to settings in force, and to others by SIGHUP.
//!
//! Owns the order of the layers (file, environment, flags), `--check`, and what
//! a reload takes. Must not know any key.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches};
use serde::de::DeserializeOwned;

use crate::flags::DaemonFlags;
use crate::memory::Memory;
use crate::settings::sheet::{Line, Origins, Sheet};
use crate::settings::{SettingsError, read};
use crate::telemetry::{self, Telemetry, TelemetryError, TelemetrySettings};

/// What ends a process whose settings are not allowed.
const EXIT_WRONG: i32 = 2;

/// The settings of a daemon.
pub trait Layered: Clone + Default + DeserializeOwned {
    /// Its command line.
    type Flags: CommandFactory + FromArgMatches;
    /// What is read from the files that the settings name.
    type Opened;
    /// The program; variables are named after it.
    const NAME: &'static str;

    /// The flags that every daemon has.
    fn daemon(flags: &Self::Flags) -> &DaemonFlags;

    /// What every daemon has in its file: the admin address and the log.
    fn daemon_part(&mut self) -> (&mut std::net::SocketAddr, &mut TelemetrySettings);

    /// Puts over it what the command line and the environment say.
    fn put_over(&mut self, flags: Self::Flags, given: &mut Given<'_>);

    /// Puts every key on the sheet, and what is wrong with any.
    fn describe(&self, sheet: &mut Sheet);

    /// Reads the files that it names; the sheet is told of those that are not
    /// good, and what is returned then is not used.
    fn open(&self, sheet: &mut Sheet) -> Self::Opened;

    /// Takes from new settings what may change while the daemon runs.
    fn take_over(&mut self, new: &Self);

    /// What it takes of memory at most.
    fn memory(&self) -> Memory;
}

/// What was given on the command line and in the environment.
#[derive(Debug)]
pub struct Given<'a> {
    /// By id of the argument: the flag or variable that was used.
    sources: &'a BTreeMap<String, String>,
    origins: BTreeMap<String, String>,
}

impl Given<'_> {
    /// If a value was given, it is the key's from now on.
    pub fn put<T>(&mut self, argument: &str, key: &str, target: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *target = value;
            let source = self.sources.get(argument).cloned();
            let source = source.unwrap_or_else(|| argument.to_owned());
            self.origins.insert(key.to_owned(), source);
        }
    }
}

/// A daemon's settings in force, and the way to newer ones.
pub struct Layers<S: Layered> {
    matches: ArgMatches,
    sources: BTreeMap<String, String>,
    config: Option<PathBuf>,
    settings: S,
    telemetry: Telemetry,
}

/// All layers together, checked.
struct Whole<S: Layered> {
    settings: S,
    opened: S::Opened,
    sheet: Sheet,
}

impl<S: Layered> Layers<S> {
    /// Reads the command line, the environment and the file, and starts the
    /// log. Ends the process where there is nothing to go on with: with
    /// `--check`, with what is not allowed (code 2), and as clap does.
    ///
    /// # Errors
    /// The process has a log already.
    pub fn start() -> Result<(Self, S::Opened), TelemetryError> {
        let command = S::Flags::command().mut_args(|argument| with_variable(S::NAME, argument));
        let matches = command.clone().get_matches();
        let sources = sources(&command, &matches);
        let flags: S::Flags = flags(&matches);
        let DaemonFlags { config, check, .. } = S::daemon(&flags).clone();
        let whole = match whole::<S>(&matches, &sources, config.as_ref()) {
            Ok(whole) => whole,
            Err(error) => {
                eprintln!("{error}");
                std::process::exit(EXIT_WRONG);
            }
        };
        let Whole {
            mut settings,
            opened,
            sheet,
        } = whole;
        if check {
            print!("{sheet}\n{}", settings.memory());
            std::process::exit(0);
        }
        let telemetry = telemetry::init(settings.daemon_part().1)?;
        let layers = Self {
            matches,
            sources,
            config,
            settings,
            telemetry,
        };
        Ok((layers, opened))
    }

    /// The settings in force.
    pub fn settings(&self) -> &S {
        &self.settings
    }

    /// Whether there is a file to be read again.
    pub fn has_file(&self) -> bool {
        self.config.is_some()
    }

    /// Reads all again and takes what may change while the daemon runs; the
    /// log says what. With a mistake anywhere nothing changes.
    pub fn reload(&mut self) -> Option<S::Opened> {
        let whole = whole::<S>(&self.matches, &self.sources, self.config.as_ref());
        let mut whole = match whole {
            Ok(whole) => whole,
            Err(error) => {
                tracing::error!(%error, "nothing is reloaded: the settings are not allowed");
                return None;
            }
        };
        let former = lines(&self.settings);
        self.settings.take_over(&whole.settings);
        let taken = lines(&self.settings);
        let wanted = lines(&whole.settings);
        for ((was, is), wanted) in former.iter().zip(&taken).zip(&wanted) {
            let (key, value) = (is.name(), shown(is));
            if was.value != is.value {
                tracing::info!(key, was = shown(was), now = value, "reloaded");
            }
            if is.value != wanted.value {
                let wanted = shown(wanted);
                tracing::warn!(key, in_force = value, wanted, "takes a restart");
            }
        }
        let log = whole.settings.daemon_part().1;
        // It was parsed when the settings were checked.
        if let Err(error) = self.telemetry.set_filter(&log.filter) {
            tracing::error!(%error, "the log stays as it is");
        }
        tracing::info!("settings, keys and words are read again");
        Some(whole.opened)
    }
}

fn shown(line: &Line) -> &str {
    line.value.as_deref().unwrap_or("not set")
}

fn lines<S: Layered>(settings: &S) -> Vec<Line> {
    let mut sheet = Sheet::default();
    settings.describe(&mut sheet);
    sheet.lines().to_vec()
}

fn whole<S: Layered>(
    matches: &ArgMatches,
    sources: &BTreeMap<String, String>,
    config: Option<&PathBuf>,
) -> Result<Whole<S>, SettingsError> {
    let mut settings = config.map_or_else(|| Ok(S::default()), |file| read::<S>(file))?;
    let flags: S::Flags = flags(matches);
    let mut given = Given {
        sources,
        origins: BTreeMap::new(),
    };
    let DaemonFlags {
        admin,
        log,
        log_format,
        ..
    } = S::daemon(&flags).clone();
    let (admin_address, telemetry) = settings.daemon_part();
    given.put("admin", "admin", admin_address, admin);
    given.put("log", "log.filter", &mut telemetry.filter, log);
    given.put(
        "log_format",
        "log.format",
        &mut telemetry.format,
        log_format,
    );
    settings.put_over(flags, &mut given);
    let mut sheet = Sheet::new(Origins {
        file: config.cloned(),
        given: given.origins,
    });
    settings.describe(&mut sheet);
    let opened = settings.open(&mut sheet);
    if !sheet.mistakes().is_empty() {
        return Err(SettingsError::Wrong(sheet.mistakes().to_vec()));
    }
    Ok(Whole {
        settings,
        opened,
        sheet,
    })
}

/// The variable of a flag with a value: `IM_CONND_LISTEN`.
fn with_variable(program: &str, argument: Arg) -> Arg {
    match (argument.get_long(), argument.get_action().takes_values()) {
        (Some(long), true) => {
            let name = format!("IM_{program}_{long}").replace('-', "_");
            // clap keeps names for the life of the process.
            argument.env(&*name.to_uppercase().leak())
        }
        _ => argument,
    }
}

/// How each argument was given, if it was.
fn sources(command: &clap::Command, matches: &ArgMatches) -> BTreeMap<String, String> {
    let source = |argument: &Arg| {
        let name = match matches.value_source(argument.get_id().as_str())? {
            ValueSource::CommandLine => format!("--{}", argument.get_long()?),
            ValueSource::EnvVariable => argument.get_env()?.to_string_lossy().into_owned(),
            _ => return None,
        };
        Some((argument.get_id().to_string(), name))
    };
    command.get_arguments().filter_map(source).collect()
}

fn flags<F: FromArgMatches>(matches: &ArgMatches) -> F {
    // clap has checked them against the same type, or ends as it does.
    F::from_arg_matches(matches).unwrap_or_else(|error| error.exit())
}
